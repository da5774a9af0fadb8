# frame.s - what every random program begins with: a handler that writes down each trap, and goes on behind it.

        .equ    LOG,    16              # where the next record goes
        .equ    T0,     20
        .equ    T1,     24
        .equ    NEXT,   28              # where to go on when a block of instructions is over
random: j       random_start
        .word   RANDOM_ROOM, 0, 0
        .align  12
random_trap:
        sw      t0, T0(zero)
        sw      t1, T1(zero)
        lw      t0, LOG(zero)
        sw      a0, 24(t0)
        sw      a1, 28(t0)
        sw      a2, 32(t0)
        sw      a3, 36(t0)
        sw      a4, 40(t0)
        sw      a5, 44(t0)
        csrr    t1, tval
        sw      t1, 4(t0)
        csrr    t1, epc
        sw      t1, 8(t0)
        csrr    t1, status
        sw      t1, 12(t0)
        csrr    t1, instret
        sw      t1, 16(t0)
        csrr    t1, irq
        sw      t1, 20(t0)
        csrr    t1, cause
        sw      t1, 0(t0)
        addi    t0, t0, 48
        sw      t0, LOG(zero)
        bltz    t1, 3f
        bnez    s0, 4f                  # the block is over
        addi    t1, t1, -1
        beqz    t1, 2f
        csrr    t1, epc
        addi    t1, t1, 4
1:      csrw    epc, t1
        lw      t0, T0(zero)
        lw      t1, T1(zero)
        mret
2:      mv      t1, ra                  # a jump to nowhere: back to where it came from
        j       1b
3:      csrr    t0, instret             # the timer: again, after a while
        andi    t1, t0, 127
        add     t0, t0, t1
        addi    t0, t0, 40
        csrw    timer, t0
        lw      t0, T0(zero)
        lw      t1, T1(zero)
        mret
4:      lw      t0, NEXT(zero)
        jr      t0
random_start:
        csrr    a0, bound               # as at power-on
        csrr    a1, xbound
        csrr    a2, status
        csrr    a3, irq
        csrr    a4, instret
        csrr    a5, timer
        la      t0, random_trap
        csrw    tvec, t0
        la      t0, random_log
        sw      t0, LOG(zero)
        ebreak
        sw      t0, WORK+64(zero)       # where a relocated load of WORK finds something
