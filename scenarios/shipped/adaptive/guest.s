# One load in a loop. Twice it first reads a register of a device, and then plain memory, N times each.

        .equ    CONSOLE_STATUS, 0xf0000004
        .equ    ROUNDS,         2
        .equ    PORT_OFF,       48

_start:
        li      s0, ROUNDS
round:  li      a1, CONSOLE_STATUS
        call    read
        la      a1, word
        call    read
        addi    s0, s0, -1
        bnez    s0, round
        li      t0, PORT_OFF
        out     t0, s0

# Reads the word at a1, N times. The jump ends its unit of translated code, so that `look` always begins one.
read:   li      t1, N
        j       look
look:   lw      a0, 0(a1)
        addi    t1, t1, -1
        bnez    t1, look
        ret

        .data
word:   .word   1974
