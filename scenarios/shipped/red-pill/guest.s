# The Red Pill: a program in ring 3 reads where the trap vector is. A kernel has its vector in its own memory;
# a monitor has it at the top of the address space.

        .equ    THRESHOLD,      0xd0000000      # as J. Rutkowska's (2004): 0xd0 in the top byte

_start:
        la      t0, on_trap
        csrw    tvec, t0
        la      t0, 1f
        csrw    epc, t0
        mret                            # into ring 0 itself; the ring before the next mret is then 3
1:      la      t0, pill
        csrw    epc, t0
        mret                            # into ring 3

# In ring 3. Neither read traps on `leaky`: both give what is real, not what is the guest's.
pill:   csrr    a1, tvec
        csrr    a2, status
        li      t0, THRESHOLD
        sltu    a0, a1, t0
        xori    a0, a0, 1               # 1 if the vector is above it
        ecall

# In ring 0: tells the answer and switches off, with the answer as exit code. On a machine where the reads do
# trap, this is where the program ends too: the answer is then 0, because nothing was read.
on_trap:
        mv      s0, a0
        la      a0, text_real
        beqz    s0, say
        la      a0, text_virtual
say:    lbu     t1, 0(a0)
        beqz    t1, off
        out     zero, t1
        addi    a0, a0, 1
        j       say
off:    li      t0, 48
        out     t0, s0

        .section .rodata
text_real:      .asciz  "I see a real machine\n"
text_virtual:   .asciz  "I see a virtual machine\n"
