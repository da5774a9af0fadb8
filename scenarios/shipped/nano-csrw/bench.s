# A privileged register is written.
bench:
turn:
        csrw    scratch, s0
        again
