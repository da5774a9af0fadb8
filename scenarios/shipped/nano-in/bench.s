# A port of a device is read: the clock's low word, which waits for nothing.
bench:
        li      t0, 16
turn:
        in      t1, t0
        again
