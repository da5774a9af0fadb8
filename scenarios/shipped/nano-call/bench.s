# A routine is called, and returns.
bench:
turn:
        call    routine
        again

routine:
        ret
