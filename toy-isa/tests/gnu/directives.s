# Sections, data, alignment, macros, repetition and conditions.
        .text
        .option norelax
        .globl  _start
        .type   _start, @function
_start: nop; nop; nop # three statements
        .align  3
        nop /* in the middle */ ; nop
        .p2align 4
        nop
        .balign 8
first:  j       second
        .byte   1, 2, 3, 4
        .balign 8
        .size   _start, . - _start

        .section .rodata
text:   .ascii  "no zero", "either"
        .asciz  "zero"
        .string "tab\t quote\" back\\ nl\n bell\007 hex\x41 \101"
        .ascii  "# no comment; // nor /* here */"
        .byte   0

        .data
        .byte   1
        .align  2
        .half   0x1234
        .short  0x5678
        .long   0x9abcdef0
        .quad   0x1122334455667788
        .space  3
        .skip   2, 0xaa
        .zero   3
        .fill   3, 2, 0x1234
        .fill   2
        .balign 16, 0xcc
        .byte   7
        .org    0x60
        .byte   8
        .org    0x70, 0xee
        .byte   9

        .bss
        .align  4
buffer: .space  64

        .text
second: la      a0, buffer
        la      a1, text

        .macro  push register, offset=0
        addi    sp, sp, -4
        sw      \register, \offset(sp)
        .endm
        push    ra
        push    a0, 4
        push    offset=8, register=s0

        .macro  count_down register:req, from
        li      \register, \from
loop\@: addi    \register, \register, -1
        bnez    \register, loop\@
        .endm
        count_down t0, 10
        count_down t1, 20

        .macro  words values:vararg
        .word   \values
        .endm
        words   1, 2, 3

        .macro  label_of name
\name\()_label:
        .word   \name\()_label
        .endm
        label_of some

        .macro  down n
        .if     \n
        .word   \n
        down    \n - 1
        .endif
        .endm
        down    3

        .rept   3
        nop
        .endr
        .rept   2
        .rept   2
        .byte   1
        .endr
        .byte   2
        .byte   3
        .endr
        .irp    register, ra, sp, a0
        addi    \register, \register, 1
        .endr

        .equ    YES, 1
        .if     YES
        .word   1
        .else
        .word   2
        .endif
        .if     YES - 1
        this is not read
        .elseif YES == 1
        .word   3
        .else
        .word   4
        .endif
        .ifdef  YES
        .word   5
        .endif
        .ifndef YES
        .word   6
        .else
        .word   7
        .endif
        .macro  optional argument
        .ifb    \argument
        .word   8
        .else
        .word   \argument
        .endif
        .endm
        optional
        optional 9

        .pushsection .rodata
        .byte   0x55
        .popsection
        .section .rodata
        .half   0x6666
        .previous
        j       second
1:      j       1b
        j       1f
1:      bnez    a0, 1b
        # GNU as fills a section up to its alignment.
        .balign 16
        .section .text.late, "ax", @progbits
        nop
