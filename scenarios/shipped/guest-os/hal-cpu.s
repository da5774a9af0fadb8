# hal-cpu.s - the hardware layer, the processor: its control registers and the instructions that change its state; on and
# off. The five files hal-*.s are the only ones that know the machine. To bring this system to another platform, port
# them, or those of the things that are different there.
#
# Nothing here, or anywhere else, asks which ring the kernel runs in. Processes run in ring 3; the kernel runs
# where the trap vector is entered, and `mret` brings it back there.

        .equ    STATUS_IE,      16              # interrupts are taken while it is 1
        .equ    STATUS_TO_USER, 44              # PRING = 3 and PIE = 1: what `mret` to a process needs
        .equ    IRQ_ENABLE,     0x00030000      # lines 0 (timer) and 1 (disk)
        .equ    PORT_OFF,       48              # power

# ---- Interrupts on and off ---------------------------------------------------------------------------------
# A critical section stands between these two. On a machine with one processor that is the whole lock: what no
# interrupt can enter, nobody can. irq_on may change t0 and a0, as any routine.

        .macro  irq_off
        csrci   status, STATUS_IE
        .endm

        .macro  irq_on
        csrsi   status, STATUS_IE
        .endm

# Stand still until an interrupt is pending. Used with interrupts off: a pending one ends the wait without
# being taken, so an interrupt that comes just before the wait cannot be slept through.
        .macro  hal_wait
        wfi
        .endm

# ---- Into and out of the kernel ----------------------------------------------------------------------------
# `scratch` holds the running process's slot while the process runs, and 0 while the kernel does. So one
# swap at the start of a trap tells where it came from and finds a place for the registers, before any is
# lost.

        .macro  hal_swap_current
        csrrw   tp, scratch, tp
        .endm

# reg = what the swap left in `scratch`; `scratch` = 0, which means: in the kernel.
        .macro  hal_enter_kernel reg
        csrrw   \reg, scratch, zero
        .endm

# Where the trap happened, why, and the address or instruction it is about. hal_trap_cause may change what a routine
# may change.
        .macro  hal_trap_pc reg
        csrr    \reg, epc
        .endm

        .macro  hal_trap_cause reg
        csrr    \reg, cause
        .endm

        .macro  hal_trap_value reg
        csrr    \reg, tval
        .endm

# Make ready to return to the process in tp at the address in reg (which is lost). Interrupts are off, and
# stay off until hal_trap_return: another trap would overwrite what is prepared here.
        .macro  hal_prepare_user reg
        csrw    epc, \reg
        li      \reg, STATUS_TO_USER
        csrs    status, \reg
        csrw    scratch, tp
        .endm

# Return to what was trapped: a process after hal_prepare_user; else the kernel itself, whose ring and
# interrupt flag the machine has kept.
        .macro  hal_trap_return
        mret
        .endm

# ---- Start -------------------------------------------------------------------------------------------------
        .text
        .globl  _start

# The machine starts here: paging off, interrupts off, no stack. It comes to `boot` with a stack and a trap
# vector.
_start:
        la      sp, boot_stack_top
        la      t0, trap_entry
        csrw    tvec, t0
        csrw    scratch, zero
        hal_start_console
        hal_start_disk
        j       boot

# hal_start_interrupts(): let the timer and the disk interrupt, and start the timer. irq_on does the rest.
hal_start_interrupts:
        li      t0, IRQ_ENABLE
        csrw    irq, t0
        j       hal_next_tick

# hal_power_off(exit code): the end.
hal_power_off:
        li      t0, PORT_OFF
        out     t0, a0
        j       hal_power_off
