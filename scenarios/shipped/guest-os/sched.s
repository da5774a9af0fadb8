# sched.s - processes: the table, waiting and waking, birth and death.
#
# A process that must wait names a channel, which is just an address that means the thing waited for, and
# gives the processor away. Whoever makes the thing happen wakes the channel. A woken process looks again
# whether what it wants is true, for another may have been quicker.

        .text

# schedule(): interrupts off, before and after. Give the processor to the next ready process in turn.
# Returns when the turn is the caller's again, which may be at once.
schedule:
        mv      t0, tp
        la      t1, processes_end
        li      t2, PROCESSES
        li      a1, READY
1:      addi    t0, t0, P_SIZE          # the next slot, after the last the first
        bne     t0, t1, 2f
        la      t0, processes
2:      lw      a0, P_STATE(t0)
        beq     a0, a1, 3f
        addi    t2, t2, -1
        bnez    t2, 1b

        hal_wait                        # nobody is ready: wait for an interrupt,
        irq_on                          # let it be taken, here,
        irq_off
        j       schedule                # and look what it has changed

3:      la      t1, time_over           # whoever runs now has the rest of this quantum
        sw      zero, 0(t1)
        beq     t0, tp, 4f
        enter                           # what a routine keeps is now on its stack; the stack pointer is all
        sw      sp, P_KSP(tp)           # there is to remember
        mv      tp, t0
        lw      a0, P_ROOT(tp)
        call    hal_use_space
        lw      sp, P_KSP(tp)
        leave
4:      ret

# sleep_on(channel): interrupts off, before and after. Give the processor away until the channel is woken.
# Because interrupts are off from the caller's look at the thing to the change of state here, no wake is
# lost in between.
sleep_on:
        sw      a0, P_CHANNEL(tp)
        li      t0, WAITING
        sw      t0, P_STATE(tp)
        j       schedule

# wake(channel): interrupts off. Make every process ready that waits for it.
wake:
        la      t0, processes
        la      t1, processes_end
1:      lw      t2, P_STATE(t0)
        addi    t2, t2, -WAITING
        bnez    t2, 2f
        lw      t2, P_CHANNEL(t0)
        bne     t2, a0, 2f
        li      t2, READY
        sw      t2, P_STATE(t0)
2:      addi    t0, t0, P_SIZE
        bne     t0, t1, 1b
        ret

# process_new(program, argument) -> the pid of a new child of the caller, or an error. It starts at the
# program's first instruction with the argument in a0, the rest of its registers 0.
process_new:
        enter
        sw      a1, 0(sp)

        la      t0, programs            # the program's first instruction
        la      t1, programs_end
        sub     t1, t1, t0
        srli    t1, t1, 2
        li      a5, EINVAL
        bgeu    a0, t1, 4f
        slli    a0, a0, 2
        add     t0, t0, a0
        lw      s1, 0(t0)

        la      s0, processes           # a free slot
        la      t1, processes_end
        li      a5, EAGAIN
1:      lw      t0, P_STATE(s0)
        beqz    t0, 2f
        addi    s0, s0, P_SIZE
        bne     s0, t1, 1b
        j       4f

2:      get     t0, frames_free         # enough memory for all of it
        li      t1, PROCESS_FRAMES
        li      a5, ENOMEM
        bltu    t0, t1, 4f

        addi    t0, s0, P_REGS_END      # nothing to fail from here on
        mv      t1, s0
3:      sw      zero, 0(t1)
        addi    t1, t1, 4
        bne     t1, t0, 3b
        sw      s1, P_PC(s0)
        li      t0, USER_STACK_TOP
        sw      t0, P_SP(s0)
        lw      t0, 0(sp)
        sw      t0, P_A0(s0)
        sw      tp, P_PARENT(s0)
        sw      zero, P_PREEMPTED(s0)
        la      t0, last_pid
        lw      a5, 0(t0)
        addi    a5, a5, 1
        sw      a5, 0(t0)
        sw      a5, P_PID(s0)

        call    space_new
        sw      a0, P_ROOT(s0)
        call    frame_alloc             # its kernel stack, as `schedule` would have left it, to come out at
        li      t0, PAGE_SIZE           # user_return
        add     a0, a0, t0
        sw      a0, P_KTOP(s0)
        addi    a0, a0, -FRAME
        sw      a0, P_KSP(s0)
        la      t0, user_return
        sw      t0, FRAME_RA(a0)
        li      t0, READY               # last: now it is complete
        sw      t0, P_STATE(s0)
        lw      a5, P_PID(s0)
4:      mv      a0, a5
        leave

# process_exit(code): end the running process. Does not return. Its memory stays until its parent asks for the
# code, for it is still standing on its own kernel stack.
process_exit:
        irq_off
        sw      a0, P_CODE(tp)
        li      t0, ZOMBIE
        sw      t0, P_STATE(tp)
        la      t0, processes           # its children go to process 0
        la      t1, processes_end
        mv      a0, t0
1:      lw      t2, P_PARENT(t0)
        bne     t2, tp, 2f
        sw      a0, P_PARENT(t0)
2:      addi    t0, t0, P_SIZE
        bne     t0, t1, 1b
        call    wake                    # who may have to bury one of them now
        lw      a0, P_PARENT(tp)
        call    wake
        j       schedule

# process_wait() -> a0 = pid of a child that has ended, a1 = its exit code, or a0 = ECHILD if there are no
# children. Waits for a child to end; then gives back all that it had. A parent waits on its own slot as
# channel.
process_wait:
        enter
1:      irq_off
        la      s0, processes
        la      t0, processes_end
        li      s1, ECHILD
2:      lw      t1, P_STATE(s0)
        beqz    t1, 3f
        lw      t2, P_PARENT(s0)
        bne     t2, tp, 3f
        li      s1, 0                   # a child
        addi    t1, t1, -ZOMBIE
        beqz    t1, 4f
3:      addi    s0, s0, P_SIZE
        bne     s0, t0, 2b
        bnez    s1, 5f
        mv      a0, tp
        call    sleep_on
        j       1b

4:      irq_on                          # nobody else knows this child
        lw      a0, P_ROOT(s0)
        call    space_free
        lw      a0, P_KTOP(s0)
        li      t0, PAGE_SIZE
        sub     a0, a0, t0
        call    frame_free
        lw      s1, P_PID(s0)
        lw      a1, P_CODE(s0)
        sw      zero, P_PARENT(s0)
        sw      zero, P_STATE(s0)       # FREE: last
5:      irq_on
        mv      a0, s1
        leave

        .data
        .align  2
last_pid:
        .word   0

        .bss
        .align  2
processes:
        .space  PROCESSES*P_SIZE
processes_end:
