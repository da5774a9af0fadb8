# A kernel asks in which ring it runs, as an x86 kernel can by PUSH CS, and switches off with the answer.

        .equ    RING,           3               # bits of `status`
        .equ    PORT_OFF,       48

_start:
        csrr    s0, status                      # on `leaky` and `assist` this traps in no ring
        andi    s0, s0, RING
        la      a0, text
say:    lbu     t1, 0(a0)
        beqz    t1, answer
        out     zero, t1
        addi    a0, a0, 1
        j       say
answer: addi    t1, s0, '0'
        out     zero, t1
        li      t1, '\n'
        out     zero, t1
        li      t0, PORT_OFF
        out     t0, s0

        .section .rodata
text:   .asciz  "My ring is "
