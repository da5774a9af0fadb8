# The clock is read.
bench:
turn:
        csrr    t1, instret
        again
