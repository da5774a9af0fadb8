# Interrupts are masked by the bit of `status`, as by CLI and STI.

        .equ    STATUS_IE,      16

        .macro  mask
        csrci   status, STATUS_IE
        .endm

        .macro  unmask
        csrsi   status, STATUS_IE
        .endm
