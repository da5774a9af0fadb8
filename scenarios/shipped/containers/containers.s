# containers.s - what the kernel needs for containers, beside the marked lines in syscall.s.
#
# A container is not a machine, and not a kernel either: it is a name space. A process says "process 2",
# "sector 0", "the console", and the kernel, on the way in and out of a system call, understands these names
# as the process's container means them. What a container has no name for, it cannot ask for. The rest of the
# kernel knows nothing of containers: it works with its own names, as before.
#
# Container 0 is the host. Its names are the kernel's own, so it sees everything.

# ---- A container -------------------------------------------------------------------------------------------
        .equ    C_FIRST,        0               # its area of the disk: first sector
        .equ    C_SECTORS,      4               #   and how many
        .equ    C_LIMIT,        8               # how many processes it may have at a time
        .equ    C_NAME,         12              # 8 bytes: a text that ends with 0
        .equ    C_DESCRIPTION,  20              # so far, it is described by whoever makes it
        .equ    C_LAST,         20              # the number that its youngest process got
        .equ    C_SIZE,         32
        .equ    CONTAINERS,     4

# ---- What a slot of the process table has in addition, where it had nothing --------------------------------
        .equ    P_CONTAINER,    100             # the number of its container
        .equ    P_NUMBER,       104             # its own number there; not used in the host

# ---- Two more system calls ---------------------------------------------------------------------------------
        .equ    SYS_KILL,       129             # kill(process, 0): is there such a process? kill(process, 9): end it
        .equ    SYS_CONTAIN,    1003            # contain(program, argument, description) -> pid

        .equ    EPERM,          -1              # only the host may do that
        .equ    ESRCH,          -3              # no such process
        .equ    SIGKILL,        9

        .text

# ---- The names of processes --------------------------------------------------------------------------------

# number_of(slot) -> the number by which the running process knows the one in this slot, or 0 if it has no
# name for it. All that makes processes invisible to each other is here. Changes a0, t0 and t1 only.
number_of:
        lw      t0, P_CONTAINER(tp)
        beqz    t0, 1f                  # the host knows each process by the kernel's number
        lw      t1, P_CONTAINER(a0)
        bne     t0, t1, 2f
        lw      a0, P_NUMBER(a0)
        ret
1:      lw      a0, P_PID(a0)
        ret
2:      li      a0, 0
        ret

# slot_of(pid) -> the slot that has, or had last, the process with this number of the kernel's. There is one.
slot_of:
        la      t0, processes
1:      lw      t1, P_PID(t0)
        beq     t1, a0, 2f
        addi    t0, t0, P_SIZE
        j       1b
2:      mv      a0, t0
        ret

# container(number) -> where it is described. Changes a0 and t0 only.
container:
        la      t0, containers
        slli    a0, a0, 5               # C_SIZE is 32
        add     a0, a0, t0
        ret

# ---- Birth -------------------------------------------------------------------------------------------------

# container_spawn(program, argument) -> the number of a new child, in the container of the caller
container_spawn:
        lw      a2, P_CONTAINER(tp)
        # fall through

# spawn_into(program, argument, container) -> its number as the caller knows it, or an error. The child is not
# yet seen by anybody when it gets its container: the kernel is not preempted.
spawn_into:
        enter
        sw      a0, 0(sp)
        sw      a1, 4(sp)
        mv      s1, a2
        mv      a0, s1
        call    container
        mv      s0, a0

        lw      t2, C_LIMIT(s0)         # has it as many as it may have?
        la      t0, processes
        la      t1, processes_end
1:      lw      a0, P_STATE(t0)
        beqz    a0, 2f
        lw      a0, P_CONTAINER(t0)
        bne     a0, s1, 2f
        addi    t2, t2, -1
2:      addi    t0, t0, P_SIZE
        bne     t0, t1, 1b
        li      a0, EAGAIN
        blez    t2, 3f

        lw      a0, 0(sp)
        lw      a1, 4(sp)
        call    process_new
        bltz    a0, 3f
        call    slot_of
        sw      s1, P_CONTAINER(a0)
        lw      t0, C_LAST(s0)          # numbers begin with 1 in each container
        addi    t0, t0, 1
        sw      t0, C_LAST(s0)
        sw      t0, P_NUMBER(a0)
        call    number_of
3:      leave

# container_new(program, argument, description) -> the number of the first process of a new container. Its
# creator stays outside, and stays its parent. Only the host may do this.
container_new:
        enter
        sw      a0, 0(sp)
        sw      a1, 4(sp)
        mv      s0, a2
        lw      t0, P_CONTAINER(tp)
        li      a0, EPERM
        bnez    t0, 2f
        andi    t0, s0, 3               # words
        li      a0, EFAULT
        bnez    t0, 2f
        mv      a0, s0
        li      a1, C_DESCRIPTION
        li      a2, PTE_R
        call    user_check
        bnez    a0, 2f

        la      s1, containers_count
        lw      a0, 0(s1)
        addi    a0, a0, -CONTAINERS
        beqz    a0, 3f
        addi    a0, a0, CONTAINERS      # the next one, from 1
        addi    t0, a0, 1
        sw      t0, 0(s1)
        mv      s1, a0
        call    container
        addi    t1, a0, C_DESCRIPTION
1:      lw      t0, 0(s0)
        sw      t0, 0(a0)
        addi    s0, s0, 4
        addi    a0, a0, 4
        bne     a0, t1, 1b
        sb      zero, -1(a0)            # a name ends, whatever was described

        lw      a0, 0(sp)
        lw      a1, 4(sp)
        mv      a2, s1
        call    spawn_into
2:      leave
3:      li      a0, EAGAIN
        j       2b

# ---- Death -------------------------------------------------------------------------------------------------

# container_kill(process, signal) -> 0, or ESRCH if the caller knows no such process
container_kill:
        beqz    a0, 3f                  # 0 is nobody's number
        enter
        mv      s0, a0
        mv      s1, a1
        la      t2, processes
1:      lw      t0, P_STATE(t2)
        beqz    t0, 2f
        mv      a0, t2
        call    number_of
        beq     a0, s0, 4f
2:      addi    t2, t2, P_SIZE
        la      t0, processes_end
        bne     t2, t0, 1b
        li      a0, ESRCH
        leave
3:      li      a0, ESRCH
        ret
4:      beqz    s1, 5f                  # it is there: nothing else was asked
        mv      a0, t2
        call    slot_kill
5:      li      a0, 0
        leave

# slot_kill(slot): when this process next comes out of the kernel it will find itself at a call of exit, which is
# among the programs. Until then it stays as it is: it may hold the disk, and must give it back. Changes t0 only.
slot_kill:
        la      t0, killed
        sw      t0, P_PC(a0)
        ret

# container_collected(pid) -> the number by which the caller knew the child, which has just been collected. If
# it was the first process of its container, the others there end as well. Changes a0, t0 to t2 and a1.
container_collected:
        enter
        call    slot_of                 # free by now, but nobody has used it since
        mv      s0, a0
        lw      t0, P_CONTAINER(s0)
        beqz    t0, 3f
        lw      t0, P_NUMBER(s0)
        li      t1, 1
        bne     t0, t1, 3f
        lw      t2, P_CONTAINER(s0)
        la      a0, processes
        la      a1, processes_end
1:      lw      t0, P_CONTAINER(a0)
        bne     t0, t2, 2f
        call    slot_kill               # a free slot has no use for its program counter, nor has a zombie
2:      addi    a0, a0, P_SIZE
        bne     a0, a1, 1b
3:      mv      a0, s0
        call    number_of
        leave

# ---- The names of sectors ----------------------------------------------------------------------------------

# container_sector(sector) -> where it is on the disk, or EIO if it is beyond the container's area. Changes a0,
# a4, a5 and t0 only.
container_sector:
        mv      a4, a0
        mv      a5, ra
        lw      a0, P_CONTAINER(tp)
        call    container
        lw      t0, C_SECTORS(a0)
        bgeu    a4, t0, 1f
        lw      a0, C_FIRST(a0)
        add     a0, a0, a4
        jr      a5
1:      li      a0, EIO
        jr      a5

# ---- The console -------------------------------------------------------------------------------------------

# container_write(address, length): each line begins with the name of the container that wrote it. If another
# one has left a line unfinished, that line ends here.
container_write:
        enter
        sw      a0, 0(sp)
        add     a1, a0, a1
        sw      a1, 4(sp)
        la      s0, line_of
        lw      a0, P_CONTAINER(tp)
        call    container
        mv      s1, a0
        lw      t0, 0(s0)
        beqz    t0, 1f
        beq     t0, s1, 1f
        sw      zero, 0(s0)
        li      a0, '\n'
        call    hal_put

1:      lw      t0, 0(sp)
        lw      t1, 4(sp)
        beq     t0, t1, 4f
        lw      t0, 0(s0)               # at the beginning of a line?
        bnez    t0, 2f
        sw      s1, 0(s0)
        addi    a0, s1, C_NAME
        call    puts
        la      a0, text_bar
        call    puts
2:      lw      t0, 0(sp)
        lbu     a0, 0(t0)
        addi    t0, t0, 1
        sw      t0, 0(sp)
        addi    t0, a0, -'\n'
        bnez    t0, 3f
        sw      zero, 0(s0)             # at the end of it
3:      call    hal_put
        j       1b
4:      leave

        .section .rodata
text_bar:       .asciz  " | "

        .data
        .align  2
containers:                             # the host: the whole disk, and as many processes as the table holds
        .word   0, 0x7fffffff, PROCESSES
        .ascii  "host\0\0\0\0"
        .word   0, 0, 0
        .space  (CONTAINERS-1)*C_SIZE
containers_count:
        .word   1
line_of:
        .word   0                       # whose line on the console is unfinished: its description, or 0
