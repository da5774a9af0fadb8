# Interrupts are masked by the lines that `irq` lets through, as by the task-priority register (TPR).

        .macro  mask
        csrw    irq, zero
        .endm

        .macro  unmask
        li      a1, TIMER_LINE
        csrw    irq, a1
        .endm
