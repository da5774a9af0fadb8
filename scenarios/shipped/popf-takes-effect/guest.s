# A kernel in a critical section that is far too long: interrupts off, and a loop of more than 65,536
# instructions.

        .equ    STATUS_IE,      16
        .equ    TURNS,          50000           # of two instructions each

_start:
        csrci   status, STATUS_IE       # a deprivileged kernel means its own interrupts, not the monitor's
        li      t1, TURNS
1:      addi    t1, t1, -1
        bnez    t1, 1b
        li      t0, 48
        out     t0, zero                # power off, exit code 0
