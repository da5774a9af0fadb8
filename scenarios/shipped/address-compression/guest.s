# A guest that uses the top of its address space, where every monitor of this laboratory lives.

        .equ    ROOT,           0x00010000      # root table
        .equ    TABLE,          0x00011000      # second level for the top 4 MiB
        .equ    FRAME,          0x00012000      # what stands at TOP
        .equ    TOP,            0xffc00000
        .equ    UNMAPPED,       0xfffff000

        .equ    POINTER,        1               # V
        .equ    LEAF_RWX,       15              # V R W X

# The exit code tells which check failed.
        .macro  check reg, expected, number
        li      t2, \expected
        li      s0, \number
        bne     \reg, t2, off
        .endm

_start:
        la      t0, on_trap
        csrw    tvec, t0
        li      t0, ROOT
        li      t1, LEAF_RWX            # the first 4 MiB are themselves
        sw      t1, 0(t0)
        li      t1, TABLE>>2 | POINTER
        li      t2, ROOT + 4*1023
        sw      t1, 0(t2)
        li      t0, TABLE
        li      t1, FRAME>>2 | LEAF_RWX
        sw      t1, 0(t0)
        li      t0, ROOT + 1
        csrw    ptbr, t0

# Data: what is stored above can be loaded there, and below, where the frame is.
        li      s1, TOP
        li      t0, 0x12345678
        sw      t0, 16(s1)
        lh      a0, 18(s1)
        check   a0, 0x1234, 1
        li      t0, FRAME
        lw      a0, 16(t0)
        check   a0, 0x12345678, 2

# Code: two instructions, written above and called there.
        li      t0, 0x00350513          # addi a0, a0, 3
        sw      t0, 0(s1)
        li      t0, 0x00008067          # ret
        sw      t0, 4(s1)
        fence.i
        li      a0, 4
        jalr    s1
        check   a0, 7, 3

# Faults: the guest gets the causes that it would get on the bare machine, not those of the monitor's limit.
        li      a1, UNMAPPED
        lw      a0, 0(a1)               # a load page fault
        check   a4, 13, 4
        check   a5, UNMAPPED, 5
        lw      a0, 1(s1)               # a misaligned load
        check   a4, 4, 6
        check   a5, TOP+1, 7
        la      ra, 1f
        jr      a1                      # a fetch page fault: the handler returns to ra
1:      check   a4, 12, 8
        check   a5, UNMAPPED, 9

        li      s0, 0
off:    li      t0, 48
        out     t0, s0

# a4 = cause, a5 = tval. Goes on after the instruction, or after the jump.
        .align  2
on_trap:
        csrr    a4, cause
        csrr    a5, tval
        csrr    a3, epc
        addi    a3, a3, 4
        li      a2, 12
        bne     a4, a2, 2f
        mv      a3, ra
2:      csrw    epc, a3
        mret
