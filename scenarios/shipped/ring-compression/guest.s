# A kernel and a program in ring 3, which are kept apart by the page table: the kernel's page has no U. The program makes
# N system calls, and then tries to read a word of the kernel's.

        .equ    ROOT,           0x00010000      # root table
        .equ    TABLE,          0x00011000      # second level for the first 4 MiB, which are themselves
        .equ    KERNEL_PAGE,    1
        .equ    USER_PAGE,      2
        .equ    POINTER,        1               # V
        .equ    LEAF_KERNEL,    15              # V R W X
        .equ    LEAF_USER,      31              # V R W X U
        .equ    SYSTEM_CALL,    8               # cause: from ring 3
        .equ    LOAD_PAGE,      13              # cause: load page fault
        .equ    PORT_OFF,       48

_start:
        la      t0, on_trap
        csrw    tvec, t0
        li      t0, ROOT
        li      t1, TABLE>>2 | POINTER
        sw      t1, 0(t0)
        li      t0, TABLE
        li      t1, KERNEL_PAGE<<10 | LEAF_KERNEL
        sw      t1, 4*KERNEL_PAGE(t0)
        li      t1, USER_PAGE<<10 | LEAF_USER
        sw      t1, 4*USER_PAGE(t0)
        li      t0, ROOT + 1
        csrw    ptbr, t0
        sfence.vma zero, zero
        la      t0, 1f
        csrw    epc, t0
        mret                                    # into ring 0 itself; the ring before the next mret is then 3
1:      la      t0, program
        csrw    epc, t0
        mret                                    # into ring 3

# a0 = 0 in a system call: nothing is wanted. Otherwise the program tells what it has read.
        .align  2
on_trap:
        csrr    a4, cause
        li      a5, SYSTEM_CALL
        bne     a4, a5, fault
        li      s1, 1                           # exit code: the secret is out
        bnez    a0, off
        csrr    a4, epc
        addi    a4, a4, 4
        csrw    epc, a4
        mret
fault:  li      s1, 2                           # exit code: a trap that nobody expects
        li      a5, LOAD_PAGE
        bne     a4, a5, off
        csrr    a4, tval
        la      a5, secret
        bne     a4, a5, off
        li      s1, 0                           # the program was kept out
off:    li      t0, PORT_OFF
        out     t0, s1

secret: .word   1974

        .align  12
program:
        li      s0, N
        li      a0, 0
call:   ecall
        addi    s0, s0, -1
        bnez    s0, call
        la      t0, secret
        lw      a0, 0(t0)
        ecall
