# kernel.s - what all nano-benchmarks stand on: a kernel that does nothing but turn N times, after Adams and Agesen
# (2006), section 6.3. Each nano-*/bench.s begins at `bench` and has one turn, from `turn` to `again`. Paging is on, as
# in every system of today.
#
# s0 counts turns, down to 0. The trap handler may change a4 and a5, and nothing else.

        .equ    ROOT,           0x00010000      # root table
        .equ    TABLE,          0x00011000      # second level for WINDOW and the 4 MiB from there on
        .equ    WINDOW,         0x00400000      # nothing is mapped here, but there is a table for it
        .equ    PTE_TABLE,      1               # V
        .equ    PTE_ALL,        31              # V R W X U
        .equ    STATUS_TO_USER, 12              # PRING = 3
        .equ    PORT_OFF,       48

# The turns are in ring 3, on a page of their own.
        .macro  in_user
        .text
bench:
        la      t0, turn
        csrw    epc, t0
        li      t0, STATUS_TO_USER
        csrs    status, t0
        mret
        .align  12
        .endm

# The end of a turn. After the last, a system call: the handler sees that there are no turns left.
        .macro  again
        addi    s0, s0, -1
        bnez    s0, turn
        ecall
        .endm

        .text
_start:
        la      t0, on_trap
        csrw    tvec, t0
        li      t0, ROOT
        li      t1, PTE_ALL                     # the first 4 MiB are themselves
        sw      t1, 0(t0)
        li      t1, TABLE>>2 | PTE_TABLE
        sw      t1, 4(t0)
        ori     t0, t0, 1
        csrw    ptbr, t0
        sfence.vma zero, zero
        li      s0, N
        j       bench

# Any trap: go on after the instruction, unless there are no turns left.
        .align  2
on_trap:
        beqz    s0, off
        csrr    a4, epc
        addi    a4, a4, 4
        csrw    epc, a4
        mret
off:    li      a4, PORT_OFF
        out     a4, s0                          # exit code 0
        j       off
