# Expressions: ranks, associativity, width, and what labels may take part in.
        .data
        .equ    SEVEN, 7
        .set    EIGHT, SEVEN + 1
NINE = EIGHT + 1
here:
        .word   1 + 2 * 3, (1 + 2) * 3, 10 - 4 - 3, 100 / 7 / 2, 100 % 7
        .word   1 << 4 + 1, 1 | 2 + 4, 6 & 3 | 8, 5 ^ 1, 1 + 2 << 3
        .word   -5, -5 / 2, -5 % 3, ~5, ~0 & 0xff, - - 5, -(3 + 4)
        .word   1 == 1, 1 == 2, 1 != 2, 1 < 2, 2 <= 1, 3 > 2, 3 >= 4, 1 <> 2
        .word   1 && 2, 0 && 2, 0 || 0, 0 || 3, !0, !5
        .word   0x7fffffff, 0xffffffff, -0x80000000, 0b1011, 0777, 0XAB
        .word   'a', 'a, '\n', '\\', ' '
        .word   SEVEN, EIGHT, NINE, SEVEN * EIGHT + NINE
        .word   here, . , there, there - here, here + 4, later
        .half   0xffff, -1, SEVEN
        .byte   255, -128, 'z', there - here
        .set    SEVEN, 70
there:  .byte   SEVEN
        .balign 4
        .word   SEVEN
        .equ    later, 0x1234
        .word   (there - here) / 4 * 4
        .word   there > here, 0x10000 >> 4
1:      .word   1b, 1f, 2f - 1b
1:      .word   1b
2:
