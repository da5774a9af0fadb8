# Goes over PAGES pages, one word each, ROUNDS times. The page table is made once and never changed.

        .equ    ROOT,           0x00010000      # root table
        .equ    TABLE,          0x00011000      # second level for WINDOW
        .equ    FRAMES,         0x00100000      # what stands in the window
        .equ    WINDOW,         0x00400000
        .equ    PAGE,           4096
        .equ    POINTER,        1               # V
        .equ    LEAF_R,         3               # V R
        .equ    LEAF_RWX,       15              # V R W X
        .equ    PORT_OFF,       48

_start:
        li      t0, ROOT
        li      t1, LEAF_RWX                    # the first 4 MiB are themselves
        sw      t1, 0(t0)
        li      t1, TABLE>>2 | POINTER
        sw      t1, 4(t0)
        li      t0, TABLE
        li      t1, FRAMES>>2 | LEAF_R
        li      t2, PAGES
1:      sw      t1, 0(t0)
        addi    t0, t0, 4
        addi    t1, t1, PAGE>>2
        addi    t2, t2, -1
        bnez    t2, 1b
        li      t0, ROOT + 1
        csrw    ptbr, t0
        sfence.vma zero, zero

        li      s0, ROUNDS
        li      s1, PAGE
        li      a1, WINDOW + PAGES*PAGE
round:  li      a0, WINDOW
page:   lw      t0, 0(a0)
        add     a0, a0, s1
        bne     a0, a1, page
        addi    s0, s0, -1
        bnez    s0, round

        li      t0, PORT_OFF
        out     t0, s0
