# A kernel that forgot where its trap handler is.

_start:
        li      t0, 0x00800000          # there is no memory
        csrw    tvec, t0
        ecall
