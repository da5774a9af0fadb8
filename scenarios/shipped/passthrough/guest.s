# Prints a letter, and looks at the time three times.

_start: li      t0, 'A'
        out     zero, t0
        csrr    s0, instret
        csrr    s1, instret
        csrr    a0, instret
        sub     a0, a0, s0
        li      t0, 48
        out     t0, a0                  # 2
