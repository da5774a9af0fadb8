# A page that the guest's table does not map is touched.
        in_user
turn:
        li      t0, WINDOW
        lw      t1, 0(t0)
        again
