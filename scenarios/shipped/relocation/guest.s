# An operating system of the 1960s: no page tables, only relocation and a limit. Two programs stand at
# different places in memory; each believes to be at address 0 and cannot reach beyond its 4 KiB.

        .equ    SIZE,           4096            # of a program, with its data
        .equ    STATUS_PRE,     128             # relocation on after mret
        .equ    CAUSE_ECALL,    8

_start:
        la      t0, on_trap
        csrw    tvec, t0
        li      t0, SIZE
        csrw    bound, t0
        csrw    xbound, t0
        la      t0, 1f                  # mret once, so that the ring before is 3
        csrw    epc, t0
        mret
1:      la      s0, first
        la      s1, second
        li      a2, 0                   # both begin at their address 0
        li      a3, 0
        j       run

# s0 = where the running program stands, a2 = its pc; s1 and a3, those of the other one.
run:    csrw    base, s0
        csrw    epc, a2
        li      t0, STATUS_PRE
        csrs    status, t0
        mret

on_trap:
        csrr    t0, cause
        csrr    a2, epc
        li      t1, CAUSE_ECALL
        bne     t0, t1, fault
        out     zero, a0                # the one system call: print a0, and let the other one run
        addi    a2, a2, 4
switch: mv      t0, s0
        mv      s0, s1
        mv      s1, t0
        mv      t0, a2
        mv      a2, a3
        mv      a3, t0
        j       run

# Beyond its limit: the program is over. The second one that dies ends the run.
fault:  csrr    a4, tval
        li      t1, '!'
        out     zero, t1
        addi    gp, gp, 1
        li      t1, 2
        beq     gp, t1, off
        mv      s0, s1                  # from now on, both are the one that is left
        mv      a2, a3
        j       run
off:    li      t1, '\n'
        out     zero, t1
        li      t0, 48
        out     t0, zero

# The programs. They keep their count in their own memory, at their own address COUNT, because the kernel
# saves no registers for them. Both are the same text, in two copies.
        .equ    COUNT,          64

        .macro  program letter, times
        lw      t0, COUNT(zero)
        li      t1, \times
        beq     t0, t1, 2f
        addi    t0, t0, 1
        sw      t0, COUNT(zero)
        li      a0, \letter
        ecall
        jr      zero                    # back to the beginning, which is address 0
2:      li      t0, SIZE
        sw      a0, 0(t0)               # the first address that is not ours
        .align  6
        .word   0                       # at COUNT
        .endm

        .align  12
first:  program 'a', 3
        .align  12
second: program 'b', 5
        .align  12
