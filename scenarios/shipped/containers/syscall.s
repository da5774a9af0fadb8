# syscall.s - what a process may ask of the kernel: the guest system's file of this name, with containers. What
# has changed is marked with ##. `diff` shows the same.
#
# A handler gets the caller's a0, a1, a2 in the same registers and returns the result in a0. Interrupts are
# on. Every pointer is checked before it is followed.

        .text

# system_call(): the process in tp has trapped with a number in t0. Leaves the result in its a0.
system_call:
        enter
        lw      t0, P_T0(tp)
        la      t1, system_calls
        la      t2, system_calls_end
1:      lw      a0, 0(t1)
        beq     a0, t0, 2f
        addi    t1, t1, 8
        bne     t1, t2, 1b
        li      a0, ENOSYS
        j       3f
2:      lw      t1, 4(t1)
        lw      a0, P_A0(tp)
        lw      a1, P_A1(tp)
        lw      a2, P_A2(tp)
        jalr    t1
3:      sw      a0, P_A0(tp)
        leave

# write(file, address, length) -> length. There is one file: 1, the console.
sys_write:
        enter
        li      t0, 1
        beq     a0, t0, 1f
        li      a0, EBADF
        j       2f
1:      sw      a1, 0(sp)
        sw      a2, 4(sp)
        mv      a0, a1
        mv      a1, a2
        li      a2, PTE_R
        call    user_check
        bnez    a0, 2f
        lw      a0, 0(sp)
        lw      a1, 4(sp)
        call    container_write         ## with the container's name before each line
        lw      a0, 4(sp)
2:      leave

# sleep(n) -> 0, after n timer interrupts.
sys_sleep:
        enter
        irq_off
        get     s0, ticks
        add     s0, s0, a0              # until then
1:      la      a0, ticks
        lw      t0, 0(a0)
        sub     t0, t0, s0              # counters wrap: look at the sign of the difference
        bgez    t0, 2f
        call    sleep_on
        j       1b
2:      irq_on
        li      a0, 0
        leave

# yield() -> 0, after everybody else who wanted had a turn.
sys_yield:
        enter
        irq_off
        call    schedule
        irq_on
        li      a0, 0
        leave

# getpid() -> the caller's pid.
sys_getpid:
        mv      a0, tp                  ## as the caller's container numbers it
        j       number_of               ##

# preempted() -> how often the caller's turn was ended by the timer.
sys_preempted:
        lw      a0, P_PREEMPTED(tp)
        ret

# wait(address) -> the pid of a child that has ended; its exit code is stored at the address.
sys_wait:
        enter
        mv      s0, a0
        andi    t0, a0, 3               # a word
        bnez    t0, 1f
        li      a1, 4
        li      a2, PTE_W
        call    user_check
        bnez    a0, 2f
        call    process_wait
        bltz    a0, 2f
        sw      a1, 0(s0)
        call    container_collected     ## the child's number, as the caller knows it
        j       2f
1:      li      a0, EFAULT
2:      leave

# read_block(sector, address) -> 0. The address is aligned to the size of a sector.
sys_read_block:
        li      a2, DISK_READ
        li      t1, PTE_W               # what is read from the disk is written to memory
        j       block
# write_block(sector, address) -> 0
sys_write_block:
        li      a2, DISK_WRITE
        li      t1, PTE_R
block:
        enter
        call    container_sector        ## where on the disk the container's sector is
        bltz    a0, 1f                  ## beyond its area
        sw      a0, 0(sp)
        sw      a2, 4(sp)
        mv      a0, a1
        mv      a1, t1
        call    user_block
        bltz    a0, 1f
        mv      a1, a0
        lw      a0, 0(sp)
        lw      a2, 4(sp)
        call    disk_transfer
1:      leave

        .section .rodata
        .align  2
system_calls:
        .word   SYS_WRITE, sys_write
        .word   SYS_EXIT, process_exit
        .word   SYS_SLEEP, sys_sleep
        .word   SYS_YIELD, sys_yield
        .word   SYS_GETPID, sys_getpid
        .word   SYS_SPAWN, container_spawn      ##
        .word   SYS_WAIT, sys_wait
        .word   SYS_READ_BLOCK, sys_read_block
        .word   SYS_WRITE_BLOCK, sys_write_block
        .word   SYS_PREEMPTED, sys_preempted
        .word   SYS_KILL, container_kill        ##
        .word   SYS_CONTAIN, container_new      ##
system_calls_end:
