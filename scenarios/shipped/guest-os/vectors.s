# vectors.s - where every trap and interrupt enters the kernel, and the way back.
#
# tp is the running process's slot everywhere in the kernel. A trap out of a process saves its registers in
# that slot and starts with an empty kernel stack. A trap out of the kernel can only be an interrupt; it
# saves a few registers on the stack in use and returns to where it was.
#
# Each process has a kernel stack of its own. A system call that must wait can then simply stop where it is,
# in the middle of a routine, and go on there later; with one stack for all it would have to be written as
# two halves.
#
# The kernel takes interrupts but is not preempted: the timer only notes that the time is over, and the
# process is changed on the way back to user code. So kernel data needs a critical section only if
# interrupts use it as well: process states, and what the disk driver shares with its interrupt.

# The registers that a routine may change, to and from the slot (or the stack) that base points to.
        .macro  save_temporaries base
        sw      ra, P_RA(\base)
        sw      t0, P_T0(\base)
        sw      t1, P_T1(\base)
        sw      t2, P_T2(\base)
        sw      a0, P_A0(\base)
        sw      a1, P_A1(\base)
        sw      a2, P_A2(\base)
        sw      a3, P_A3(\base)
        sw      a4, P_A4(\base)
        sw      a5, P_A5(\base)
        .endm

        .macro  restore_temporaries base
        lw      ra, P_RA(\base)
        lw      t0, P_T0(\base)
        lw      t1, P_T1(\base)
        lw      t2, P_T2(\base)
        lw      a0, P_A0(\base)
        lw      a1, P_A1(\base)
        lw      a2, P_A2(\base)
        lw      a3, P_A3(\base)
        lw      a4, P_A4(\base)
        lw      a5, P_A5(\base)
        .endm

        .text
        .align  2
trap_entry:
        hal_swap_current
        beqz    tp, kernel_trap

        save_temporaries tp
        sw      sp, P_SP(tp)
        sw      gp, P_GP(tp)
        sw      s0, P_S0(tp)
        sw      s1, P_S1(tp)
        hal_enter_kernel t0             # the process's own tp
        sw      t0, P_TP(tp)
        hal_trap_pc t0
        sw      t0, P_PC(tp)
        lw      sp, P_KTOP(tp)

        hal_trap_cause a0
        li      t0, CAUSE_ECALL
        beq     a0, t0, 1f
        hal_trap_value a1
        bgez    a0, process_fault
        call    interrupt
        j       user_return

1:      lw      t0, P_PC(tp)            # go on after the `ecall`
        addi    t0, t0, 4
        sw      t0, P_PC(tp)
        irq_on
        call    system_call
        # fall through

# user_return: back to the process in tp, or to another if the time of this one is over. Also where a new
# process begins its life.
user_return:
        irq_off
        get     t0, time_over
        beqz    t0, 1f
        lw      t1, P_PREEMPTED(tp)
        addi    t1, t1, 1
        sw      t1, P_PREEMPTED(tp)
        call    schedule

1:      lw      t0, P_PC(tp)
        hal_prepare_user t0
        restore_temporaries tp
        lw      sp, P_SP(tp)
        lw      gp, P_GP(tp)
        lw      s0, P_S0(tp)
        lw      s1, P_S1(tp)
        lw      tp, P_TP(tp)            # last: it is the way to all others
        hal_trap_return

# A trap out of the kernel. What a routine may change is saved, on the stack, in the same places as in a
# slot; what a routine must keep, it keeps.
kernel_trap:
        hal_enter_kernel tp
        addi    sp, sp, -P_REGS_END
        save_temporaries sp
        hal_trap_cause a0
        bgez    a0, panic
        call    interrupt
        restore_temporaries sp
        addi    sp, sp, P_REGS_END
        hal_trap_return

# interrupt(cause): interrupts off. The timer counts and wakes the sleepers; of the devices, only the disk may
# interrupt.
interrupt:
        li      t0, CAUSE_TIMER
        bne     a0, t0, disk_interrupt
        enter
        call    hal_next_tick
        la      t0, time_over
        sw      sp, 0(t0)               # anything but 0
        la      a0, ticks
        lw      t1, 0(a0)
        addi    t1, t1, 1
        sw      t1, 0(a0)
        call    wake
        leave

# process_fault(cause, value): the process did what it must not do. Say so, and end it; nobody else is
# touched.
process_fault:
        mv      s0, a0
        mv      s1, a1
        la      a0, text_killed
        call    puts
        lw      a0, P_PID(tp)
        call    put_decimal
        la      a0, text_why
        call    puts
        la      t0, fault_names
        slli    t1, s0, 2
        add     t0, t0, t1
        li      t1, 16
        la      a0, text_unknown
        bgeu    s0, t1, 1f
        lw      a0, 0(t0)
1:      call    puts
        la      a0, text_pc
        call    puts
        lw      a0, P_PC(tp)
        call    put_hex
        la      a0, text_value
        call    puts
        mv      a0, s1
        call    put_hex
        li      t0, USER_GUARD          # the page below the stack tells what went wrong
        sub     t0, s1, t0
        li      t1, PAGE_SIZE
        bgeu    t0, t1, 2f
        la      a0, text_overflow
        call    puts
2:      li      a0, '\n'
        call    hal_put
        addi    a0, s0, KILLED
        j       process_exit

# panic(cause): the kernel itself trapped. That is a mistake in the kernel, so stop.
panic:
        mv      s0, a0
        la      a0, text_panic
        call    puts
        mv      a0, s0
        call    put_decimal
        la      a0, text_pc
        call    puts
        hal_trap_pc a0
        call    put_hex
        li      a0, '\n'
        call    hal_put
        li      a0, 3
        j       hal_power_off

        .section .rodata
        .align  2
fault_names:                            # by cause
        .word   text_0, text_1, text_2, text_3, text_4, text_5, text_6, text_7
        .word   text_unknown, text_unknown, text_unknown, text_unknown
        .word   text_12, text_13, text_unknown, text_15
text_0:         .asciz  "misaligned jump"
text_1:         .asciz  "access fault of a fetch"
text_2:         .asciz  "illegal instruction"
text_3:         .asciz  "breakpoint"
text_4:         .asciz  "misaligned load"
text_5:         .asciz  "access fault of a load"
text_6:         .asciz  "misaligned store"
text_7:         .asciz  "access fault of a store"
text_12:        .asciz  "page fault of a fetch"
text_13:        .asciz  "page fault of a load"
text_15:        .asciz  "page fault of a store"
text_unknown:   .asciz  "unknown trap"
text_killed:    .asciz  "  kernel: killed pid "
text_why:       .asciz  ": "
text_pc:        .asciz  ", pc "
text_value:     .asciz  ", value "
text_overflow:  .asciz  " (stack overflow)"
text_panic:     .asciz  "PANIC: trap in the kernel, cause "

        .data
        .align  2
ticks:
        .word   0                       # timer interrupts so far; also the channel of the sleepers
time_over:
        .word   0                       # not 0: change the process on the way back to user code
