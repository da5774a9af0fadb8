# kernel.s - the innermost guest: a kernel in ring 0, with one program in ring 3.
#
# It knows nothing of monitors. Its lines are the same at every depth, to the number on the clock.

        .equ    KERNEL_ROOM,    12288           # all of its memory
        .equ    USER_SIZE,      1024            # of that, the program's
        .equ    TICK,           1000            # clock ticks from one timer interrupt to the next

        .equ    SYS_WRITE,      64              # write(1, address, length)
        .equ    SYS_EXIT,       93              # exit(code)
        .equ    SYS_SLEEP,      101             # sleep() until the next timer interrupt

        .equ    K_SAVED,        16              # the program's registers, at the lowest addresses

kernel: j       kernel_start
        .word   KERNEL_ROOM, 0, 0               # how much memory it is to have
        .align  12

kernel_start:
        la      t0, kernel_trap
        csrw    tvec, t0
        la      a0, text_on
        jal     kernel_print

# The timer, and the program's relocation and limit.
        li      t0, 0x00010000          # irq: line 0 may interrupt
        csrw    irq, t0
        csrr    t0, instret
        addi    t0, t0, TICK
        csrw    timer, t0
        la      t0, user
        csrw    base, t0
        li      t0, USER_SIZE
        csrw    bound, t0
        csrw    xbound, t0
        csrw    epc, zero
        li      t0, 0xac                # status: PRING = 3, PIE, PRE
        csrw    status, t0
        mret

kernel_trap:
        sw      ra, K_SAVED(zero)
        sw      t0, K_SAVED+4(zero)
        sw      t1, K_SAVED+8(zero)
        sw      a0, K_SAVED+12(zero)
        sw      a1, K_SAVED+16(zero)
        csrr    t0, cause
        bltz    t0, kernel_tick
        li      t1, 8
        bne     t0, t1, kernel_fault
        lw      t0, K_SAVED+4(zero)     # a system call: which?
        li      t1, SYS_EXIT
        beq     t0, t1, kernel_exit
        li      t1, SYS_SLEEP
        beq     t0, t1, kernel_sleep
        li      t1, SYS_WRITE
        bne     t0, t1, kernel_skip

        add     t0, a1, a2              # from a1 to here, in the program's own memory
        li      t1, USER_SIZE
        bltu    t0, a1, kernel_skip
        bgtu    t0, t1, kernel_skip
        csrr    t1, base
        add     a1, a1, t1
        add     t1, t1, t0
1:      beq     a1, t1, kernel_skip
        lbu     t0, 0(a1)
        out     zero, t0
        addi    a1, a1, 1
        j       1b

kernel_fault:                           # say so, and go on behind it
        addi    a1, t0, '0'
        la      a0, text_fault
        jal     kernel_print
        out     zero, a1
        li      a1, '\n'
        out     zero, a1
kernel_skip:
        csrr    t0, epc
        addi    t0, t0, 4
        csrw    epc, t0
kernel_back:
        lw      ra, K_SAVED(zero)
        lw      t0, K_SAVED+4(zero)
        lw      t1, K_SAVED+8(zero)
        lw      a0, K_SAVED+12(zero)
        lw      a1, K_SAVED+16(zero)
        mret

kernel_tick:
        csrr    t0, instret
        addi    t0, t0, TICK
        csrw    timer, t0
        la      a0, text_tick
        jal     kernel_print
        j       kernel_back

kernel_sleep:
        wfi                             # the interrupt itself comes when the program goes on
        j       kernel_skip

kernel_exit:
        la      a0, text_clock
        jal     kernel_print
        csrr    a1, instret
        li      t0, 10000               # four digits are enough
1:      remu    a1, a1, t0
        li      t1, 10
        divu    t0, t0, t1
        beqz    t0, 2f
        divu    t1, a1, t0
        addi    t1, t1, '0'
        out     zero, t1
        j       1b
2:      li      t1, '\n'
        out     zero, t1
        lw      a0, K_SAVED+12(zero)
        li      t0, 48
        out     t0, a0

kernel_print:
        lbu     t0, 0(a0)
        beqz    t0, 1f
        out     zero, t0
        addi    a0, a0, 1
        j       kernel_print
1:      ret

text_on:        .asciz  "kernel: on\n"
text_fault:     .asciz  "kernel: fault "
text_tick:      .asciz  "kernel: tick\n"
text_clock:     .asciz  "kernel: off at clock "

# The program, at its own address 0.
        .align  12
user:   li      t0, SYS_WRITE
        li      a0, 1
        la      a1, hello
        addi    a2, zero, hello_end-hello
        ecall
        li      s0, 500                 # work, and be interrupted
1:      mul     s1, s0, s0
        addi    s0, s0, -1
        bnez    s0, 1b
        csrr    a0, status              # what only a kernel may do
        li      t0, USER_SIZE
        sw      a0, 0(t0)               # the first address that is not ours
        li      t0, SYS_SLEEP
        ecall
        li      t0, SYS_EXIT
        li      a0, 42
        ecall
hello:  .ascii  "user: hello\n"
hello_end:
        .align  12
