# Prints what would clear a terminal, rename its window and beep, and then every byte there is.

_start:
        la      a0, text
        la      a1, text_end
1:      lbu     t0, 0(a0)
        out     zero, t0
        addi    a0, a0, 1
        bne     a0, a1, 1b

        li      a0, 0
        li      a1, 256
2:      out     zero, a0
        addi    a0, a0, 1
        bne     a0, a1, 2b

        li      t0, 48
        out     t0, zero

        .section .rodata
text:   .ascii  "\033[2J\033]0;not your window\007\015\233"
        .ascii  "\342\200\256txet desrever\n"   # U+202E, right-to-left override
text_end:
