# Edits its own page tables while it uses them, in every way there is, and looks each time whether the change
# counts. A monitor that runs it on shadow tables has to notice all of them.

        .equ    ROOT,           0x00010000      # root table
        .equ    OTHER_ROOT,     0x00011000      # a second address space
        .equ    TABLE,          0x00012000      # second level for WINDOW and the 4 MiB from there on
        .equ    OTHER_TABLE,    0x00013000
        .equ    BUFFER,         0x00014000      # a sector for the disk
        .equ    FRAME_A,        0x00015000      # three frames to be told apart by their first word
        .equ    FRAME_B,        0x00016000
        .equ    FRAME_C,        0x00017000

        .equ    WINDOW,         0x00400000      # entry 0 of the table
        .equ    ALIAS,          0x00401000      # entry 1: the table itself

        .equ    V,              1
        .equ    R,              2
        .equ    RW,             7               # V R W
        .equ    RWX,            15              # V R W X
        .equ    A,              64
        .equ    D,              128

        .equ    DISK,           0xf0002000
        .equ    DISK_READ,      1
        .equ    DISK_WRITE,     2

# The exit code tells which check failed.
        .macro  check reg, expected, number
        li      t2, \expected
        li      s0, \number
        bne     \reg, t2, off
        .endm

# The window must now show this frame.
        .macro  expect_frame frame, number
        sfence.vma zero, zero
        li      t0, WINDOW
        lw      a0, 0(t0)
        check   a0, \frame, \number
        .endm

# A word of a page table, set by a store through the identity mapping of the first 4 MiB.
        .macro  set table, entry, value
        li      t0, \table + 4*\entry
        li      t1, \value
        sw      t1, 0(t0)
        .endm

# The disk moves one sector from or to physical memory.
        .macro  transfer address, command
        li      a1, \address
        li      a2, \command
        call    disk
        .endm

_start:
        la      t0, on_trap
        csrw    tvec, t0
        set     FRAME_A, 0, FRAME_A     # each frame begins with its own address
        set     FRAME_B, 0, FRAME_B
        set     FRAME_C, 0, FRAME_C
        set     ROOT, 0, RWX            # the first 4 MiB are themselves
        set     ROOT, 1, TABLE>>2 | V
        set     ROOT, 960, 0xf0000000>>2 | RW           # devices
        set     TABLE, 0, FRAME_A>>2 | RW
        set     TABLE, 1, TABLE>>2 | RW
        set     OTHER_ROOT, 0, RWX
        set     OTHER_ROOT, 1, OTHER_TABLE>>2 | V
        set     OTHER_TABLE, 0, FRAME_C>>2 | RW
        li      t0, ROOT | 1
        csrw    ptbr, t0
        expect_frame FRAME_A, 1

# By a store.
        set     TABLE, 0, FRAME_B>>2 | RW
        expect_frame FRAME_B, 2

# Through an alias: the table is also mapped as an ordinary page.
        li      t0, ALIAS
        li      t1, FRAME_C>>2 | RW
        sw      t1, 0(t0)
        expect_frame FRAME_C, 3

# A single byte of an entry: those of the three frames differ in byte 1.
        li      t0, ALIAS
        li      t1, FRAME_A>>2>>8 & 0xff
        sb      t1, 1(t0)
        expect_frame FRAME_A, 4

# By the disk: a sector full of entries is written out, and read back over the table.
        set     BUFFER, 0, FRAME_B>>2 | RW
        set     BUFFER, 1, TABLE>>2 | RW
        transfer BUFFER, DISK_WRITE
        transfer TABLE, DISK_READ
        expect_frame FRAME_B, 5

# One level up: the root points to another table, and back.
        set     ROOT, 1, OTHER_TABLE>>2 | V
        expect_frame FRAME_C, 6
        set     ROOT, 1, TABLE>>2 | V
        expect_frame FRAME_B, 7

# A whole other address space; and a change to the one that is not in use.
        li      t0, OTHER_ROOT | 1
        csrw    ptbr, t0
        expect_frame FRAME_C, 8
        set     TABLE, 0, FRAME_A>>2 | RW
        li      t0, ROOT | 1
        csrw    ptbr, t0
        expect_frame FRAME_A, 9

# A table becomes a superpage: 4 MiB of the window are then the first 4 MiB of memory. Then a table again.
        set     ROOT, 1, RW
        sfence.vma zero, zero
        li      t0, WINDOW + FRAME_B
        lw      a0, 0(t0)
        check   a0, FRAME_B, 10
        set     ROOT, 1, TABLE>>2 | V
        expect_frame FRAME_A, 11

# The machine sets A on an access and D on a store; the program clears them, and they come again.
        set     TABLE, 0, FRAME_A>>2 | RW
        expect_frame FRAME_A, 12
        li      s1, TABLE
        lw      a0, 0(s1)
        check   a0, FRAME_A>>2 | RW | A, 13
        li      t0, WINDOW
        sw      zero, 4(t0)
        lw      a0, 0(s1)
        check   a0, FRAME_A>>2 | RW | A | D, 14
        set     TABLE, 0, FRAME_A>>2 | RW | A           # D only
        sfence.vma zero, zero
        li      t0, WINDOW
        sw      zero, 4(t0)
        lw      a0, 0(s1)
        check   a0, FRAME_A>>2 | RW | A | D, 15
        li      t0, ALIAS                               # both, through the alias
        li      t1, FRAME_A>>2 | RW
        sw      t1, 0(t0)
        expect_frame FRAME_A, 16
        lw      a0, 0(s1)
        check   a0, FRAME_A>>2 | RW | A, 17
        lw      a0, 4(s1)                               # the alias itself has been stored through
        check   a0, TABLE>>2 | RW | A | D, 18

# Less permission, and more again.
        set     TABLE, 0, FRAME_A>>2 | V | R
        sfence.vma zero, zero
        li      a4, 0
        li      t0, WINDOW
        sw      zero, 4(t0)                             # a store page fault
        check   a4, 15, 19
        check   a5, WINDOW + 4, 20
        expect_frame FRAME_A, 21
        set     TABLE, 0, 0
        sfence.vma zero, zero
        li      t0, WINDOW
        lw      a0, 0(t0)                               # a load page fault
        check   a4, 13, 22
        set     TABLE, 0, FRAME_B>>2 | RW
        expect_frame FRAME_B, 23

# A page table becomes ordinary memory again, and ordinary memory a page table.
        set     ROOT, 1, OTHER_TABLE>>2 | V
        expect_frame FRAME_C, 24
        set     TABLE, 0, 1234
        li      s1, TABLE
        lw      a0, 0(s1)
        check   a0, 1234, 25
        set     BUFFER, 0, FRAME_A>>2 | RW
        set     ROOT, 1, BUFFER>>2 | V
        expect_frame FRAME_A, 26

# Without paging, and with it again.
        csrw    ptbr, zero
        li      t0, FRAME_C
        lw      a0, 0(t0)
        check   a0, FRAME_C, 27
        set     BUFFER, 0, FRAME_B>>2 | RW
        li      t0, ROOT | 1
        csrw    ptbr, t0
        expect_frame FRAME_B, 28

        li      s0, 0
off:    li      t0, 48
        out     t0, s0

# Sector 0 from or to the physical address a1, by command a2; comes back when it is done.
disk:   li      t0, DISK
        sw      zero, 0(t0)             # SECTOR
        sw      a1, 4(t0)               # ADDRESS
        li      t1, 1
        sw      t1, 8(t0)               # COUNT
        sw      a2, 12(t0)              # COMMAND
1:      lw      t1, 16(t0)              # STATUS
        andi    t1, t1, 1
        bnez    t1, 1b
        sw      zero, 16(t0)
        ret

# a4 = cause, a5 = tval. Goes on after the instruction.
        .align  2
on_trap:
        csrr    a4, cause
        csrr    a5, tval
        csrr    a3, epc
        addi    a3, a3, 4
        csrw    epc, a3
        mret
