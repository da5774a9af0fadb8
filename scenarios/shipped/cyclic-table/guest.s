# A page table that contains itself. Whoever follows pointers without counting levels never comes back.

        .equ    ROOT,           0x00010000
        .equ    POINTER,        1               # V
        .equ    LEAF_RWX,       15              # V R W X
        .equ    LEAF_RW,        7               # V R W
        .equ    CYCLE,          0x00400000      # entry 1 of the root: the root again, as second level

# The exit code tells which check failed.
        .macro  check reg, expected, number
        li      t2, \expected
        li      s0, \number
        bne     \reg, t2, off
        .endm

_start:
        la      t0, on_trap
        csrw    tvec, t0
        li      s1, ROOT
        li      t1, LEAF_RWX            # entry 0: the first 4 MiB are themselves
        sw      t1, 0(s1)
        li      t1, ROOT>>2 | POINTER   # entry 1: itself
        sw      t1, 4(s1)
        li      t1, ROOT>>2 | LEAF_RW   # entry 2: seen from entry 1, a page
        sw      t1, 8(s1)
        li      t0, ROOT + 1
        csrw    ptbr, t0

# Entry 0 seen from entry 1 maps one page: physical page 0.
        li      a1, CYCLE
        lw      a0, 0(a1)
        check   a0, 0, 1

# Entry 1 seen from itself is a pointer on the second level: a page fault, and the end of the walk.
        li      a1, CYCLE + 0x1000
        lw      a0, 0(a1)
        check   a4, 13, 2
        check   a5, CYCLE + 0x1000, 3
        sw      a0, 0(a1)
        check   a4, 15, 4
        la      ra, 1f
        jr      a1
1:      check   a4, 12, 5

# Entry 2 seen from entry 1 is the table itself, writable: give the cycle away through the cycle.
        li      a1, CYCLE + 0x2000
        lw      a0, 4(a1)
        check   a0, ROOT>>2 | POINTER, 6
        sw      zero, 4(a1)
        lw      a0, 4(a1)               # the way by which it was done is gone
        check   a4, 13, 7
        check   a5, CYCLE + 0x2004, 8
        lw      a0, 4(s1)
        check   a0, 0, 9

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
