# hal-console.s - the hardware layer, the console.

        .equ    PORT_CONSOLE,   0               # DATA

# At the start, with a stack: nothing has to be done.
        .macro  hal_start_console
        .endm

        .text
# hal_put(byte): to the console.
hal_put:
        li      t0, PORT_CONSOLE
        out     t0, a0
        ret
