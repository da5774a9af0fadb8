# user.s - the programs: what goes on in the host, and what in each container.

# ---- The programs, by number -------------------------------------------------------------------------------
        .equ    INSIDE,         1               # 0 is init
        .equ    LODGER,         2

        .section .rodata
        .align  2
programs:                               # where each begins
        .word   init, inside, lodger
programs_end:

# ---- The page of data: what each variable's address is -----------------------------------------------------
        .equ    CODE,           USER_DATA       # where wait() puts an exit code
        .equ    SEEN,           USER_DATA+64    # the processes that can be seen, as a text
        .equ    LINE,           USER_DATA+256   # where print() builds a line
        .equ    BLOCK,          USER_DATA+1024  # two disk buffers
        .equ    BLOCK_2,        USER_DATA+1536

        .data
        .align  2
user_data:                              # how every page of data begins: all zeros
        .word   0
user_data_end:

        .macro  system number
        li      t0, \number
        ecall
        .endm

        .text
        .align  12
user_code:

# ---- The host ----------------------------------------------------------------------------------------------

# init: make two containers, look around, wait for both, and look at what they have left on the disk. Exits with
# 0 if both left 0.
init:
        li      s1, 0                   # the exit codes, one or the other
        la      s0, gold
        call    make
        la      s0, blue
        call    make
        li      a0, 4
        system  SYS_SLEEP
        call    look

        call    collect
        or      s1, s1, a0
        li      a0, 2                   # until what it left behind is gone
        system  SYS_SLEEP
        call    look
        call    collect
        or      s1, s1, a0
        call    look

        la      s0, gold
        call    inspect
        la      s0, blue
        call    inspect
        mv      a0, s1
        # fall through

# exit: end with the code in a0.
exit:
        system  SYS_EXIT

# make: the container that s0 describes.
make:
        mv      t1, ra
        li      a0, INSIDE
        mv      a1, s0
        mv      a2, s0
        system  SYS_CONTAIN
        mv      a2, a0
        addi    a1, s0, C_NAME
        la      a0, text_made
        call    print
        jr      t1

# inspect: show what the container that s0 describes has left in its sector 0, by the host's number.
inspect:
        mv      t1, ra
        lw      a0, C_FIRST(s0)
        li      a1, BLOCK
        system  SYS_READ_BLOCK
        lw      a1, C_FIRST(s0)
        li      a2, BLOCK
        la      a0, text_sector
        call    print
        jr      t1

# ---- In a container ----------------------------------------------------------------------------------------

# inside(description): the first process of a container. Both containers run this, on the same kernel and at
# the same time. Exits with the number of attempts that were not answered as foreseen, and leaves a process
# behind.
inside:
        mv      s0, a0
        system  SYS_GETPID
        mv      a1, a0
        la      a0, text_am
        call    print

        li      s1, 3                   # one more than it may
1:      li      a0, LODGER
        li      a1, 0
        system  SYS_SPAWN
        mv      a1, a0
        la      a0, text_started
        bgtz    a1, 2f
        call    meaning
        la      a0, text_refused
2:      call    print
        addi    s1, s1, -1
        bnez    s1, 1b
        li      a0, 2                   # until the other one has come as far
        system  SYS_SLEEP
        call    look

        li      a0, BLOCK               # leave a note in sector 0: the word and the container's name
        la      a1, text_note
        call    copy
        addi    a1, s0, C_NAME
        call    copy
        sb      zero, 0(a0)
        li      a0, 0
        li      a1, BLOCK
        system  SYS_WRITE_BLOCK
        li      a0, 4                   # until the other one has written its own
        system  SYS_SLEEP
        li      a0, 0
        li      a1, BLOCK_2
        system  SYS_READ_BLOCK
        li      a1, 0
        li      a2, BLOCK_2
        la      a0, text_sector
        call    print

        la      s1, attempts            # and now for what is not its own
3:      lw      t0, 4(s1)
        lw      a0, 8(s1)
        lw      a1, 12(s1)
        lw      a2, 16(s1)
        ecall
        lw      t0, 20(s1)
        xor     t0, t0, a0              # not as foreseen?
        snez    t0, t0
        add     gp, gp, t0              # gp, as all registers, began as 0
        mv      a1, a0
        call    meaning
        mv      a2, a1
        lw      a1, 0(s1)
        la      a0, text_attempt
        call    print
        addi    s1, s1, 24
        lw      t0, 0(s1)
        bnez    t0, 3b

        call    collect                 # process 2
        call    look
        lw      a0, C_PATIENCE(s0)
        system  SYS_SLEEP
        la      a0, text_leaving
        call    print
        mv      a0, gp
        j       exit

# lodger: live for ever.
lodger:
        li      a0, 1
        system  SYS_SLEEP
        j       lodger

# killed: where a killed process comes out of the kernel.
killed:
        li      a0, KILLED+SIGKILL
        j       exit

# ---- What every program may call ---------------------------------------------------------------------------

# collect: wait for a child. Returns its exit code.
collect:
        mv      t1, ra
        li      a0, CODE
        system  SYS_WAIT
        mv      a1, a0
        li      t0, CODE
        lw      a2, 0(t0)
        la      a0, text_over
        call    print
        li      t0, CODE
        lw      a0, 0(t0)
        jr      t1

# look: try the numbers 1 to 9, and say which of them belong to a process.
look:
        mv      t1, ra
        li      a2, '1'
        li      a3, SEEN
1:      addi    a0, a2, -'0'
        li      a1, 0
        system  SYS_KILL
        bnez    a0, 2f
        li      t0, ' '
        sb      t0, 0(a3)
        sb      a2, 1(a3)
        addi    a3, a3, 2
2:      addi    a2, a2, 1
        li      t0, '9'
        bleu    a2, t0, 1b
        sb      zero, 0(a3)
        li      a1, SEEN
        la      a0, text_see
        call    print
        jr      t1

# meaning(a1 = what a system call has answered) -> a1 = it in words
meaning:
        la      t0, meanings
1:      lw      t2, 0(t0)
        addi    t0, t0, 8
        bgtz    t2, 2f                  # the end of the list
        bne     t2, a1, 1b
2:      lw      a1, -4(t0)
        ret

# copy(to, text) -> the place behind the copy, which has no 0 at its end
copy:
1:      lbu     t0, 0(a1)
        beqz    t0, 2f
        sb      t0, 0(a0)
        addi    a0, a0, 1
        addi    a1, a1, 1
        j       1b
2:      ret

# print(format, a1, a2): a line in one piece. In the format, %d stands for the next argument as a decimal number
# from -99 to 99, %s for the text at its address. Keeps t1.
print:
        li      a3, LINE
1:      lbu     t0, 0(a0)
        addi    a0, a0, 1
        beqz    t0, 8f
        li      t2, '%'
        beq     t0, t2, 2f
        sb      t0, 0(a3)
        addi    a3, a3, 1
        j       1b

2:      lbu     t2, 0(a0)               # which letter?
        addi    a0, a0, 1
        mv      t0, a1                  # the next argument
        mv      a1, a2
        addi    t2, t2, -'d'
        beqz    t2, 4f
3:      lbu     t2, 0(t0)               # text
        beqz    t2, 1b
        sb      t2, 0(a3)
        addi    t0, t0, 1
        addi    a3, a3, 1
        j       3b

4:      bgez    t0, 5f                  # number
        li      t2, '-'
        sb      t2, 0(a3)
        addi    a3, a3, 1
        neg     t0, t0
5:      li      a4, 100                 # three digits at most
        li      a5, 10
6:      divu    t2, t0, a4              # but no zeros in front
        bnez    t2, 7f
        divu    a4, a4, a5
        li      t2, 1
        bne     a4, t2, 6b
7:      divu    t2, t0, a4
        remu    t0, t0, a4
        addi    t2, t2, '0'
        sb      t2, 0(a3)
        addi    a3, a3, 1
        divu    a4, a4, a5
        bnez    a4, 7b
        j       1b

8:      li      a0, 1
        li      a1, LINE
        sub     a2, a3, a1
        system  SYS_WRITE
        ret

# ---- Tables and texts --------------------------------------------------------------------------------------

# The containers. The kernel copies a description; the word behind it is for `inside` alone: how long it stays.
        .equ    C_PATIENCE,     C_DESCRIPTION

        .align  2
gold:
        .word   4, 4, 3                 # four sectors from sector 4, three processes
        .ascii  "gold\0\0\0\0"
        .word   1
blue:
        .word   8, 4, 3
        .ascii  "blue\0\0\0\0"
        .word   20

# An attempt: what it is, the number of the system call, three arguments, the answer foreseen. In the host, 4 to
# 7 are processes of both containers; the sector before an area and the one behind it are somebody else's.
attempts:
        .word   text_kill_4, SYS_KILL, 4, SIGKILL, 0, ESRCH
        .word   text_kill_5, SYS_KILL, 5, SIGKILL, 0, ESRCH
        .word   text_kill_6, SYS_KILL, 6, SIGKILL, 0, ESRCH
        .word   text_kill_7, SYS_KILL, 7, SIGKILL, 0, ESRCH
        .word   text_read_4, SYS_READ_BLOCK, 4, BLOCK, 0, EIO
        .word   text_read_minus, SYS_READ_BLOCK, -1, BLOCK, 0, EIO
        .word   text_write_4, SYS_WRITE_BLOCK, 4, BLOCK, 0, EIO
        .word   text_contain, SYS_CONTAIN, INSIDE, 0, gold, EPERM
        .word   text_kill_2, SYS_KILL, 2, SIGKILL, 0, 0
        .word   0

meanings:
        .word   0,      text_done
        .word   EPERM,  text_eperm
        .word   ESRCH,  text_esrch
        .word   EIO,    text_eio
        .word   EAGAIN, text_eagain
        .word   1,      text_unknown_answer

text_made:      .asciz  "made %s: its first process is %d\n"
text_over:      .asciz  "process %d is over, exit code %d\n"
text_am:        .asciz  "I am process %d\n"
text_started:   .asciz  "I started process %d\n"
text_refused:   .asciz  "start another one: %s\n"
text_see:       .asciz  "I see the processes%s\n"
text_note:      .asciz  "a note by "
text_sector:    .asciz  "sector %d: %s\n"
text_attempt:   .asciz  "%s: %s\n"
text_leaving:   .asciz  "I leave, and process 3 has to come with me\n"
text_done:      .asciz  "done"
text_eperm:     .asciz  "only the host may"
text_esrch:     .asciz  "no such process"
text_eio:       .asciz  "no such sector"
text_eagain:    .asciz  "no more processes"
text_unknown_answer:    .asciz  "an answer that means nothing"
text_kill_4:    .asciz  "kill process 4"
text_kill_5:    .asciz  "kill process 5"
text_kill_6:    .asciz  "kill process 6"
text_kill_7:    .asciz  "kill process 7"
text_read_4:    .asciz  "read sector 4"
text_read_minus:.asciz  "read sector -1"
text_write_4:   .asciz  "write sector 4"
text_contain:   .asciz  "make a container"
text_kill_2:    .asciz  "kill process 2"

        .align  12
user_code_end:
