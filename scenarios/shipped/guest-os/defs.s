# defs.s - every number that more than one file needs, and three macros. Nothing here makes code by itself.

# ---- Memory ------------------------------------------------------------------------------------------------
# Physical memory is 4 MiB. The image (this program) lies at the bottom; all the rest is frames, handed out
# and taken back one page at a time. The kernel sees physical memory at the same virtual addresses, in every
# address space; a process has a region of its own above it.

        .equ    PAGE_SIZE,      4096
        .equ    FRAMES_START,   0x00040000      # the image ends below this address
        .equ    RAM_END,        0x00400000
        .equ    DEVICES,        0xf0000000      # device registers, as the machine places them

        .equ    USER_REGION,    0x01000000      # 4 MiB for the process: one entry of the root table
        .equ    USER_PAGES,     16              # so many pages of them may be in use
        .equ    USER_DATA,      0x01000000      # a page of data
        .equ    USER_GUARD,     0x0100e000      # never mapped: the stack ends here
        .equ    USER_STACK,     0x0100f000      # a page of stack
        .equ    USER_STACK_TOP, 0x01010000

        .equ    USER_ENTRY,     USER_REGION>>22<<2      # where the root table has the entry of an address
        .equ    DEVICES_ENTRY,  DEVICES>>22<<2

# ---- Page-table entries, as the machine defines them -------------------------------------------------------
        .equ    PTE_V,          1               # valid
        .equ    PTE_R,          2
        .equ    PTE_W,          4
        .equ    PTE_X,          8
        .equ    PTE_U,          16              # the process may use it
        .equ    PTE_LEAF,       14              # R, W or X: a page and not a table

# ---- Trap causes -------------------------------------------------------------------------------------------
        .equ    CAUSE_ECALL,    8               # a system call from a process
        .equ    CAUSE_TIMER,    0x80000007

# ---- A process ---------------------------------------------------------------------------------------------
# One slot of the process table. It begins with the registers as they were at the last trap out of the
# process: the program counter in the place of x0, then x1 to x15 by number.

        .equ    P_PC,           0
        .equ    P_RA,           4
        .equ    P_SP,           8
        .equ    P_GP,           12
        .equ    P_TP,           16
        .equ    P_T0,           20
        .equ    P_T1,           24
        .equ    P_T2,           28
        .equ    P_S0,           32
        .equ    P_S1,           36
        .equ    P_A0,           40
        .equ    P_A1,           44
        .equ    P_A2,           48
        .equ    P_A3,           52
        .equ    P_A4,           56
        .equ    P_A5,           60
        .equ    P_REGS_END,     64

        .equ    P_STATE,        64              # FREE, READY, WAITING or ZOMBIE
        .equ    P_PID,          68
        .equ    P_PARENT,       72              # the slot of its parent
        .equ    P_CODE,         76              # a zombie's exit code
        .equ    P_CHANNEL,      80              # what it waits for: an address, compared and never used
        .equ    P_ROOT,         84              # its page table
        .equ    P_KTOP,         88              # the end of its kernel stack, where that stack starts
        .equ    P_KSP,          92              # its kernel stack pointer while another process runs
        .equ    P_PREEMPTED,    96              # how often its turn was ended by the timer
        .equ    P_SIZE,         128

        .equ    PROCESSES,      12              # slots
        .equ    PROCESS_FRAMES, 5               # root table, table, data, stack, kernel stack

        .equ    FREE,           0
        .equ    READY,          1               # running, or wants to
        .equ    WAITING,        2
        .equ    ZOMBIE,         3               # over; its parent has not asked yet

        .equ    QUANTUM,        4000            # clock ticks from one timer interrupt to the next
        .equ    KILLED,         128             # exit code of a killed process: this plus the trap cause

# ---- The disk ----------------------------------------------------------------------------------------------
        .equ    SECTOR_SIZE,    512
        .equ    DISK_READ,      1               # commands of the device
        .equ    DISK_WRITE,     2
        .equ    DISK_FAILED,    4               # a bit of its status

# ---- System calls: number in t0, arguments in a0..a2, result in a0 -----------------------------------------
# Where Linux has a like call, its number is used. A negative result is an error.

        .equ    SYS_WRITE,      64              # write(1, address, length) -> length
        .equ    SYS_EXIT,       93              # exit(code)
        .equ    SYS_SLEEP,      101             # sleep(timer interrupts)
        .equ    SYS_YIELD,      124             # yield()
        .equ    SYS_GETPID,     172             # getpid() -> pid
        .equ    SYS_SPAWN,      220             # spawn(program, argument) -> pid
        .equ    SYS_WAIT,       260             # wait(address for the exit code) -> pid
        .equ    SYS_READ_BLOCK, 1000            # read_block(sector, address)
        .equ    SYS_WRITE_BLOCK,1001            # write_block(sector, address)
        .equ    SYS_PREEMPTED,  1002            # preempted() -> how often the caller was

        .equ    EIO,            -5              # the disk says no
        .equ    EBADF,          -9              # not a file that can be written
        .equ    ECHILD,         -10             # no children to wait for
        .equ    EAGAIN,         -11             # the process table is full
        .equ    ENOMEM,         -12             # not enough frames
        .equ    EFAULT,         -14             # a pointer that the process may not use
        .equ    EINVAL,         -22             # no such program
        .equ    ENOSYS,         -38             # no such system call

# ---- How the routines of the kernel are written ------------------------------------------------------------
# Arguments in a0..a3, result in a0. A routine may change ra, t0..t2 and a0..a5, and keeps s0, s1 and sp; tp
# is always the running process. `enter` and `leave` save and restore what is kept, and make room for five
# words, at 0(sp) to 16(sp), of the routine's own. `leave` returns.

        .equ    FRAME,          32
        .equ    FRAME_RA,       28

        .macro  enter
        addi    sp, sp, -FRAME
        sw      ra, FRAME_RA(sp)
        sw      s0, 24(sp)
        sw      s1, 20(sp)
        .endm

        .macro  leave
        lw      s1, 20(sp)
        lw      s0, 24(sp)
        lw      ra, FRAME_RA(sp)
        addi    sp, sp, FRAME
        ret
        .endm

# reg = the word at a label
        .macro  get reg, label
        la      \reg, \label
        lw      \reg, 0(\reg)
        .endm
