# A fault that has to do with nothing that a monitor cares for.
        in_user
turn:
        lw      t1, 1(zero)
        again
