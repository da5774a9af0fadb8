# console.s - the kernel's own output. Each routine keeps s0 and s1, as every routine of the kernel does.

        .text

# puts(address of a text that ends with 0)
puts:
        enter
        mv      s0, a0
1:      lbu     a0, 0(s0)
        beqz    a0, 2f
        call    hal_put
        addi    s0, s0, 1
        j       1b
2:      leave

# put_bytes(address, length): as they are.
put_bytes:
        enter
        mv      s0, a0
        add     s1, a0, a1
1:      beq     s0, s1, 2f
        lbu     a0, 0(s0)
        call    hal_put
        addi    s0, s0, 1
        j       1b
2:      leave

# put_decimal(number): without a sign. The digits come out last first, so they are laid on the stack.
put_decimal:
        enter
        addi    t0, sp, 19
        sb      zero, 0(t0)
        li      t1, 10
1:      remu    t2, a0, t1
        addi    t2, t2, '0'
        addi    t0, t0, -1
        sb      t2, 0(t0)
        divu    a0, a0, t1
        bnez    a0, 1b
        mv      a0, t0
        call    puts
        leave

# put_hex(number): 0x and eight digits.
put_hex:
        enter
        mv      s0, a0
        li      a0, '0'
        call    hal_put
        li      a0, 'x'
        call    hal_put
        li      s1, 8
1:      srli    a0, s0, 28              # the highest digit first
        slli    s0, s0, 4
        la      t0, hex_digits
        add     a0, a0, t0
        lbu     a0, 0(a0)
        call    hal_put
        addi    s1, s1, -1
        bnez    s1, 1b
        leave

        .section .rodata
hex_digits:     .asciz  "0123456789abcdef"
