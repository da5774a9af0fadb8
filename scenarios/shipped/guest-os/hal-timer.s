# hal-timer.s - the hardware layer, the timer.

        .equ    PORT_NOW,       16              # low word of the clock

        .text
# hal_next_tick(): ask for a timer interrupt one quantum from now; this takes a pending one back.
hal_next_tick:
        li      t0, PORT_NOW
        in      t1, t0
        li      t0, QUANTUM
        add     t1, t1, t0
        seqz    t0, t1                  # 0 would mean never: then one tick later
        add     t1, t1, t0
        csrw    timer, t1
        ret
