/* The machine `virt` of QEMU as a home for one program: page tables, two system calls, nothing else. The program is
   linked at 0x10000 and stands at 0x80000000; it runs in user mode, where its addresses are translated by pages of 4 KiB.
   Below 64 MiB everything is its own. */

        .equ    OFFSET, 0x7fff0000      /* from its addresses to those of memory */
        .equ    SIZE,   0x04000000
        .equ    ROOT,   0x88000000      /* the root table; those of the second level follow */
        .equ    SAVED,  0x88100000
        .equ    UART,   0x10000000
        .equ    POWER,  0x00100000
        .equ    WRITE,  64
        .equ    EXIT,   93

        .file   "runtime/virt.S"
        .section .text.start, "ax", @progbits
        .globl  virt
        .type   virt, @function
virt:
        li      t0, ROOT
        li      t1, ROOT + 0x1000
        li      t2, 0                   /* an address of the program's */
1:      srli    a0, t2, 22              /* its table */
        slli    a1, a0, 12
        add     a1, a1, t1
        srli    a2, a1, 2
        ori     a2, a2, 1
        slli    a0, a0, 2
        add     a0, a0, t0
        sw      a2, 0(a0)
        srli    a0, t2, 10              /* its entry there */
        slli    a0, a0, 20
        srli    a0, a0, 20
        add     a0, a0, a1
        li      a2, OFFSET
        add     a2, a2, t2
        srli    a2, a2, 2
        ori     a2, a2, 0xdf            /* valid, read, write, execute, user, accessed, dirty */
        sw      a2, 0(a0)
        li      a2, 0x1000
        add     t2, t2, a2
        li      a2, SIZE
        bltu    t2, a2, 1b

        li      a0, 0x80000000 | ROOT >> 12
        csrw    satp, a0
        li      a0, -1                  /* user mode may reach all of memory */
        csrw    pmpaddr0, a0
        li      a0, 0x1f
        csrw    pmpcfg0, a0
        lla     a0, handler
        csrw    mtvec, a0
        lla     a0, _start
        li      a1, OFFSET
        sub     a0, a0, a1
        csrw    mepc, a0
        li      a0, 0x1800              /* to user mode */
        csrc    mstatus, a0
        li      sp, SIZE - 16           /* argc, argv and what follows are 0 */
        mret

        .align  2
handler:
        csrw    mscratch, t1
        li      t1, SAVED
        sw      t2, 0(t1)
        sw      a1, 4(t1)
        sw      a2, 8(t1)
        csrr    t2, mcause
        addi    t2, t2, -8              /* a call from user mode */
        bnez    t2, fail
        li      t2, WRITE
        bne     t0, t2, 3f
        mv      a0, a2
        li      t2, OFFSET
        add     a1, a1, t2
        add     a2, a2, a1
        li      t2, UART
        beq     a1, a2, 2f
1:      lbu     t1, 0(a1)
        sb      t1, 0(t2)
        addi    a1, a1, 1
        bne     a1, a2, 1b
2:      csrr    t2, mepc
        addi    t2, t2, 4
        csrw    mepc, t2
        li      t1, SAVED
        lw      t2, 0(t1)
        lw      a1, 4(t1)
        lw      a2, 8(t1)
        csrr    t1, mscratch
        mret
3:      li      t2, EXIT
        bne     t0, t2, fail
        bnez    a0, fail
        li      a0, 0x5555              /* off, all is well */
        j       4f
fail:   li      a0, 0x13333             /* off with code 1 */
4:      li      t2, POWER
        sw      a0, 0(t2)
        j       4b
        .size   virt, . - virt
