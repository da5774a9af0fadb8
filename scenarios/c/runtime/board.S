/* A kernel for one program, whose processor has 32 registers. It enters the program in ring 3, as a loader on Linux
   would, and answers its two system calls. Whatever else traps is the end, with 128 and the cause as exit code. */

        .file   "runtime/board.S"
        .option norelax                         /* gp is the program's to set */
        .equ    STATUS, 0x7c0
        .equ    RING_3, 3 << 2                  /* the previous ring, to which mret goes */
        .equ    CONSOLE, 0xf0000000
        .equ    POWER, 0xf0003000
        .equ    ECALL_FROM_RING_3, 8
        .equ    WRITE, 64
        .equ    EXIT, 93
        .equ    ENOSYS, 38

        .text
        .globl  board
        .type   board, @function
board:
        la      t0, trap
        csrw    mtvec, t0
        la      t0, saved
        csrw    mscratch, t0
        la      sp, stack
        la      t0, _start
        csrw    mepc, t0
        li      t0, RING_3
        csrw    STATUS, t0
        mret
        .size   board, . - board

        .balign 4
        .type   trap, @function
trap:   csrrw   t6, mscratch, t6
        sw      t3, 0(t6)
        sw      t4, 4(t6)
        sw      t5, 8(t6)
        csrr    t3, mcause
        li      t4, ECALL_FROM_RING_3
        bne     t3, t4, died
        li      t4, EXIT
        beq     a7, t4, exited
        li      t4, WRITE
        beq     a7, t4, write_out
        li      a0, -ENOSYS
        j       answer
write_out:                                      /* a2 bytes at a1; the file is the console, whatever a0 says */
        li      t3, CONSOLE
        mv      t4, a1
        add     a0, a1, a2
1:      beq     t4, a0, 2f
        lbu     t5, 0(t4)
        sw      t5, 0(t3)
        addi    t4, t4, 1
        j       1b
2:      mv      a0, a2
answer: csrr    t3, mepc
        addi    t3, t3, 4
        csrw    mepc, t3
        lw      t3, 0(t6)
        lw      t4, 4(t6)
        lw      t5, 8(t6)
        csrrw   t6, mscratch, t6
        mret
died:   addi    a0, t3, 128
exited: li      t3, POWER
        sw      a0, 0(t3)
1:      j       1b
        .size   trap, . - trap

        .bss
        .balign 16
saved:  .space  16
        .space  4096
stack:  .space  16                              /* argc, argv and the end of the environment: all 0 */
