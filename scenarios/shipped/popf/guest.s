# A kernel that lets the timer interrupt it, and waits for that. It turns interrupts on with a write to
# `status`, as an x86 kernel does with POPF.

        .equ    STATUS_IE,      16
        .equ    TIMER_LINE,     0x00010000      # irq: line 0 may interrupt
        .equ    PATIENCE,       1000            # turns of the waiting loop; the tick is due long before

_start:
        la      t0, on_tick
        csrw    tvec, t0
        li      t0, TIMER_LINE
        csrw    irq, t0
        li      t0, 200
        csrw    timer, t0
        csrsi   status, STATUS_IE       # the hole: outside ring 0 it may drop the bit, and say nothing

        li      s0, 0                   # set by the handler
        li      t1, PATIENCE
wait:   bnez    s0, ticked
        addi    t1, t1, -1
        bnez    t1, wait

        la      a0, text_silence
        li      s1, 1
        j       say
ticked: la      a0, text_tick
        li      s1, 0

say:    lbu     t1, 0(a0)               # print what a0 points to, and switch off with s1
        beqz    t1, off
        out     zero, t1
        addi    a0, a0, 1
        j       say
off:    li      t0, 48
        out     t0, s1

on_tick:
        csrw    timer, zero             # takes the interrupt back
        li      s0, 1
        mret

        .section .rodata
text_tick:      .asciz  "tick\n"
text_silence:   .asciz  "no interrupt came: are they on?\n"
