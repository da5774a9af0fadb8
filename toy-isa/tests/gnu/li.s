# The constants at which `li` changes its expansion.
        .text
        .macro  around value
        li      a0, \value - 1
        li      a0, \value
        li      a0, \value + 1
        .endm

        around  0
        around  2047
        around  2048
        around  -2048
        around  -2049
        around  4095
        around  4096
        around  0x7ff000
        around  0x7ffff7ff
        around  0x7ffff800
        around  0x7ffffffe
        around  0x80000000
        around  0x80000800
        around  0xfffff800
        around  0xfffff7ff
        around  0xfffffffe
        li      a1, -0x80000000
        li      a1, 0x12345678
        li      a1, 0xdeadbeef
        li      a1, 'a'
        li      a1, ~0
        li      zero, 5
        .equ    LATER_THAN_THIS, 0x1000
        li      a2, LATER_THAN_THIS
