# An entry of a table in use is changed. It stays invalid, so nothing is mapped by it before or after.
        .equ    FRAME,          0x00012000
        .equ    PTE_DATA,       7               # V R W

bench:
        li      t0, TABLE
        li      t1, FRAME>>2 | PTE_DATA
        sw      t1, 0(t0)
        li      t1, WINDOW
        lw      t1, 0(t1)                       # a table that nothing has used need not be traced
turn:
        slli    t1, s0, 1                       # V = 0
        sw      t1, 32(t0)
        again
