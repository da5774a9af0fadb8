# Code that changes itself: in a loop, right in front of the processor, and on the next page.

        .equ    ADDI_A0_1,      0x00150513      # addi a0, a0, 1
        .equ    ADDI_A0_7,      0x00750513      # addi a0, a0, 7
        .equ    NEXT_IMMEDIATE, 0x00100000      # one more to add

# The exit code tells which check failed.
        .macro  check reg, expected, number
        li      t2, \expected
        li      s0, \number
        bne     \reg, t2, off
        .endm

# A loop that makes its own addend larger: 1 + 2 + ... + 10.
_start:
        la      s1, addend
        li      t1, 10
        li      t2, NEXT_IMMEDIATE
        li      a0, 0
addend: addi    a0, a0, 1
        lw      t0, 0(s1)
        add     t0, t0, t2
        sw      t0, 0(s1)
        fence.i
        addi    t1, t1, -1
        bnez    t1, addend
        check   a0, 55, 1

# The very next instruction, with no fence: legal on this machine, if not good manners.
        li      a0, 0
        la      s1, next
        li      t0, ADDI_A0_7
        sw      t0, 0(s1)
next:   addi    a0, a0, 1
        check   a0, 7, 2

# A single byte of an instruction: the immediate's upper bits are in the last one.
        li      a0, 0
        la      s1, bytewise
        li      t0, 0x10
        sb      t0, 3(s1)
bytewise:
        addi    a0, a0, 1
        check   a0, 257, 3

# A routine on another page, executed, changed and executed again.
        li      a0, 0
        call    elsewhere
        la      s1, elsewhere
        li      t0, ADDI_A0_7
        sw      t0, 0(s1)
        fence.i
        call    elsewhere
        check   a0, 8, 4

# Data that was stored long before it became code.
        la      s1, made
        li      t0, ADDI_A0_1
        sw      t0, 0(s1)
        li      t0, 0x00008067          # ret
        sw      t0, 4(s1)
        fence.i
        li      a0, 41
        jalr    s1
        check   a0, 42, 5

        li      s0, 0
off:    li      t0, 48
        out     t0, s0

        .align  12
elsewhere:
        addi    a0, a0, 1
        ret

        .bss
        .align  2
made:   .space  8
