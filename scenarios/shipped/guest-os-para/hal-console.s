# hal-console.s - the hardware layer, the console: a ring in place of the device.

# At the start, with a stack.
        .macro  hal_start_console
        la      a1, console
        machine_address a1
        hypercall CONNECT_RING, CONSOLE
        .endm

        .text
# hal_put(byte): to the console. The monitor is told when a line is complete, or the ring is full.
hal_put:
        la      t0, console
        lw      t1, OUT_PRODUCED(t0)
        andi    t2, t1, OUT_SIZE-1
        add     t2, t2, t0
        sb      a0, OUT(t2)
        addi    t1, t1, 1
        sw      t1, OUT_PRODUCED(t0)
        li      a1, CONSOLE
        addi    a0, a0, -'\n'
        beqz    a0, 1f
        lw      t2, OUT_CONSUMED(t0)
        sub     t1, t1, t2
        li      t2, OUT_SIZE
        beq     t1, t2, 1f
        ret
1:      hypercall EVENT, EVENT_SEND
        ret

        .bss
        .align  12
console:        .space  PAGE_SIZE
        .text
