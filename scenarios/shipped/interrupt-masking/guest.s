# N short critical sections, with a timer that ticks all the time. `mask` and `unmask`, macros of another file, say how
# interrupts are kept out of them. Within a section two words are changed; the handler must find them equal.

        .equ    TIMER_LINE,     0x00010000      # irq: line 0 may interrupt
        .equ    STATUS_ALLOW,   16              # IE
        .equ    PERIOD,         151
        .equ    PORT_OFF,       48

_start:
        la      t0, on_tick
        csrw    tvec, t0
        li      t0, PERIOD
        csrw    timer, t0
        li      s0, 0                           # ticks
        li      s1, N
        li      t1, 0                           # the two words
        li      t2, 0
        li      t0, TIMER_LINE
        csrw    irq, t0
        csrsi   status, STATUS_ALLOW

turn:   mask
        addi    t1, t1, 1
        addi    t2, t2, 1
        unmask
        addi    s1, s1, -1
        bnez    s1, turn

        csrci   status, STATUS_ALLOW
        li      a0, 1                           # no tick came: exit code 1
        beqz    s0, off
        li      a0, 0
off:    li      a4, PORT_OFF
        out     a4, a0

        .align  2
on_tick:
        li      a0, 2                           # a tick in a critical section: exit code 2
        bne     t1, t2, off
        addi    s0, s0, 1
        csrr    a4, timer
        addi    a4, a4, PERIOD
        csrw    timer, a4
        mret
