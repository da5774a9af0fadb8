# hal-timer.s - the hardware layer, the timer. This is its port to the paravirtual interface.

        .text
# hal_next_tick(): ask for a timer interrupt one quantum from now; this takes a pending one back.
hal_next_tick:
        hypercall SET_TIMER, QUANTUM
        ret
