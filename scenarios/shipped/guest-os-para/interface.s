# interface.s - the paravirtual interface in the assembler's words: the monitor's own header, the same for every port.
# What each line means stands in vmm-core/src/modes/para/interface.rs; a test compares the numbers.

# Hypercalls: number in t0, arguments in a0 and a1, result in a0.
        .equ    SET_TRAP_TABLE, 0
        .equ    MMU_UPDATE,     1
        .equ    SET_CALLBACKS,  4
        .equ    SET_TIMER,      15
        .equ    IRET,           23
        .equ    SCHED,          29              # a0: yield, block or shut down
        .equ    SCHED_YIELD,    0
        .equ    SCHED_BLOCK,    1
        .equ    SCHED_SHUTDOWN, 2
        .equ    EVENT,          32
        .equ    EVENT_SEND,     4
        .equ    CONNECT_RING,   48
        .equ    LOAD_TABLE,     49

# Page-table updates: the address of an entry, or of a root table + COMMAND and one of the commands.
        .equ    COMMAND,        3
        .equ    PIN_ROOT,       1
        .equ    UNPIN,          4
        .equ    NEW_BASE,       5

# What the monitor tells, to be read.
        .equ    INFO,           0xff800000
        .equ    INFO_SHARED,    4               # the machine frame of the shared page
        .equ    INFO_BATCH,     16              # so many page-table updates should go together
        .equ    P2M,            0xff900000      # by frame: the machine frame that it is
        .equ    M2P,            0xffa00000      # and back

# The shared page, at address 0.
        .equ    ENABLED,        0               # not 0: events may come
        .equ    PENDING,        4               # a byte for each event channel
        .equ    MASK,           8               # a byte for each: not 0, and it is not heard
        .equ    TRAP_PC,        12              # what an event or a trap leaves
        .equ    TRAP_CAUSE,     16
        .equ    TRAP_VALUE,     20
        .equ    PREVIOUS,       24              # its ring, and in bit 4 whether events could come
        .equ    SAVED_T0,       28              # what a return puts into t0
        .equ    OURS,           32              # from here on the page is the guest's

# Event channels, and the rings of two of them.
        .equ    TIMER,          0
        .equ    DISK,           1
        .equ    CONSOLE,        2
        .equ    OUT_PRODUCED,   0               # console: bytes written, bytes taken, and where they are
        .equ    OUT_CONSUMED,   4
        .equ    OUT,            1024
        .equ    OUT_SIZE,       2048
        .equ    REQUESTS,       0               # disk: requests written
        .equ    REQUEST_EVENT,  8               # to be notified of when REQUESTS is this
        .equ    RESPONSE_EVENT, 12              # there is an event when so many responses are written
        .equ    SECTORS,        16
        .equ    INTERRUPT,      20              # not 0: the interrupt line is up, where events are interrupts
        .equ    ENTRIES,        64
        .equ    ENTRIES_COUNT,  32
        .equ    OPERATION,      4               # of an entry, which is four words
        .equ    SECTOR,         8
        .equ    ADDRESS,        12

        .macro  hypercall number, first         # with the first argument, if it is given
        .ifnb   \first
        li      a0, \first
        .endif
        li      t0, \number
        hcall
        .endm

# The address of a page of ours by which the monitor knows it: where it validates page tables, the machine's own.
        .macro  machine_address reg
        .ifdef  VALIDATED
        renumber \reg, 12, P2M
        .endif
        .endm
