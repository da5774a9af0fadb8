# hal-cpu.s - the hardware layer, the processor. This is its port to the paravirtual interface: what the kernel may not
# do it asks the monitor for, by hypercalls; what it wants to know, or to say, stands in memory that both can read.
#
# Nothing here, or anywhere else, asks which ring the kernel runs in. Processes run in ring 3; the kernel runs
# where the trap vector is entered, and `iret` brings it back there.

        .equ    CURRENT,        OURS            # in the shared page, so that `hal_swap_current` can reach them
        .equ    SAVED_TP,       OURS+4
        .equ    TO_USER,        19              # ring 3, and events may come: what `iret` to a process needs

# ---- Interrupts on and off ---------------------------------------------------------------------------------
# A critical section stands between these two. On a machine with one processor that is the whole lock: what no
# interrupt can enter, nobody can. irq_on may change t0 and a0, as any routine.

        .macro  irq_off
        sw      zero, ENABLED(zero)
        .endm

        .macro  irq_on
        sw      sp, ENABLED(zero)               # anything but 0
        lw      t0, PENDING(zero)               # an event that came meanwhile: any hypercall brings it
        beqz    t0, .Lnone\@
        hypercall SCHED, SCHED_YIELD
.Lnone\@:
        .endm

# Stand still until an interrupt is pending. Used with interrupts off: a pending one ends the wait without
# being taken, so an interrupt that comes just before the wait cannot be slept through.
        .macro  hal_wait
        hypercall SCHED, SCHED_BLOCK
        .endm

# ---- Into and out of the kernel ----------------------------------------------------------------------------
# `CURRENT` holds the running process's slot while the process runs, and 0 while the kernel does. So one
# swap at the start of a trap tells where it came from and finds a place for the registers, before any is
# lost.

        .macro  hal_swap_current
        sw      tp, SAVED_TP(zero)
        lw      tp, CURRENT(zero)
        .endm

# reg = what the swap has put aside; `CURRENT` = 0, which means: in the kernel.
        .macro  hal_enter_kernel reg
        lw      \reg, SAVED_TP(zero)
        sw      zero, CURRENT(zero)
        .endm

# Where the trap happened, why, and the address or instruction it is about. hal_trap_cause may change what a routine
# may change.
        .macro  hal_trap_pc reg
        lw      \reg, TRAP_PC(zero)
        .endm

        .macro  hal_trap_cause reg
        call    trap_cause
        mv      \reg, a0
        .endm

        .macro  hal_trap_value reg
        lw      \reg, TRAP_VALUE(zero)
        .endm

# Make ready to return to the process in tp at the address in reg (which is lost). Interrupts are off, and
# stay off until hal_trap_return: another trap would overwrite what is prepared here.
        .macro  hal_prepare_user reg
        sw      \reg, TRAP_PC(zero)
        li      \reg, TO_USER
        sw      \reg, PREVIOUS(zero)
        sw      tp, CURRENT(zero)
        .endm

# Return to what was trapped: a process after hal_prepare_user; else the kernel itself, whose ring and
# interrupt flag the monitor has kept.
        .macro  hal_trap_return
        sw      t0, SAVED_T0(zero)
        hypercall IRET
        .endm

# ---- Start -------------------------------------------------------------------------------------------------
        .text
        .globl  _start

# The machine starts here: each frame at its own address, interrupts off, no stack. It comes to `boot` with a stack and
# a trap vector.
_start:
        la      sp, boot_stack_top
        la      a0, trap_entry                  # for events, and for traps as well
        hypercall SET_CALLBACKS
        hal_start_console
        hal_start_disk
        j       boot

# trap_cause() -> the cause as the machine would tell it. All events have the same: look which is pending, and take it.
trap_cause:
        lw      a0, TRAP_CAUSE(zero)
        bgez    a0, 1f
        lbu     t0, PENDING+DISK(zero)
        beqz    t0, 2f
        sb      zero, PENDING+DISK(zero)        # only when it is seen: it may come between these lines
1:      ret
2:      sb      zero, PENDING+TIMER(zero)
        li      a0, CAUSE_TIMER
        ret

# hal_start_interrupts(): let the timer and the disk interrupt, and start the timer. irq_on does the rest.
hal_start_interrupts:
        sb      zero, MASK+TIMER(zero)
        sb      zero, MASK+DISK(zero)
        j       hal_next_tick

# hal_power_off(exit code): the end.
hal_power_off:
        mv      a1, a0
        hypercall SCHED, SCHED_SHUTDOWN
        j       hal_power_off
