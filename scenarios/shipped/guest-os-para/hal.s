# hal.s - the hardware layer: the only file that touches control registers, ports, device registers, and the
# instructions that change the machine's state. This is its port to the paravirtual interface: what the kernel may
# not do it asks the monitor for, by hypercalls; what it wants to know, or to say, stands in memory that both can read.
#
# Nothing here, or anywhere else, asks which ring the kernel runs in. Processes run in ring 3; the kernel runs
# where the trap vector is entered, and `iret` brings it back there.

        .equ    CURRENT,        OURS            # in the shared page, so that `hal_swap_current` can reach them
        .equ    SAVED_TP,       OURS+4
        .equ    TO_USER,        19              # ring 3, and events may come: what `iret` to a process needs

        .macro  hypercall number, first         # with the first argument, if it is given
        .ifnb   \first
        li      a0, \first
        .endif
        li      t0, \number
        hcall
        .endm

# In reg, the number of a frame, which stands above so many bits, becomes what the table says: P2M makes it the
# machine's, M2P ours. May change t0 and t1.
        .macro  renumber reg, bits, table
        srli    t1, \reg, \bits
        slli    t1, t1, 2
        li      t0, \table
        add     t1, t1, t0
        lw      t1, 0(t1)
        slli    t1, t1, \bits
        slli    \reg, \reg, 32-\bits            # the bits below stay
        srli    \reg, \reg, 32-\bits
        or      \reg, \reg, t1
        .endm

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
        la      a0, traps
        li      a1, 13
        hypercall SET_TRAP_TABLE
        la      a0, trap_entry
        hypercall SET_CALLBACKS
        la      a1, console
        renumber a1, 12, P2M
        hypercall CONNECT_RING, CONSOLE
        la      a1, disk
        renumber a1, 12, P2M
        hypercall CONNECT_RING, DISK
        j       boot

traps:                                          # 13 causes, and their handler
        .irp    cause, 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 15, 24
        .word   \cause, trap_entry
        .endr

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
        # fall through

# hal_next_tick(): ask for a timer interrupt one quantum from now; this takes a pending one back.
hal_next_tick:
        hypercall SET_TIMER, QUANTUM
        ret

# ---- Address spaces ----------------------------------------------------------------------------------------
# The machine walks our tables, so they hold machine frames. We can read but not write them: what is to change is
# collected, and the monitor does it if it is lawful. A frame that becomes a table must not be writable any more.

# reg = the page-table entry at the place, such as 0(a0). May change t0 and t1.
        .macro  hal_entry reg, place
        lw      \reg, \place
        renumber \reg, 10, M2P
        .endm

# Let the kernel reach the devices, through its root table or through the table of the lowest 4 MiB.
        .macro  hal_map_devices root, table
        la      t0, low_table                   # there are none, but there is the shared page
        sw      \table, 0(t0)
        li      t0, INFO
        lw      a1, INFO_SHARED(t0)
        slli    a1, a1, 10
        ori     a1, a1, PTE_V|PTE_R|PTE_W
        mv      a0, \table
        call    enqueue
        srli    a0, \table, 12
        li      a1, PTE_V|PTE_R
        call    remap
        call    flush
        .endm

# Let another address space have them as well.
        .macro  hal_share_devices root, kernel
        .endm                                   # it has: the table is shared

# hal_use_space(root): from here on, translate by this page table.
hal_use_space:
        enter
        mv      s0, a0
        srli    t0, a0, 10                      # if we may still write it, it is new
        get     t1, low_table
        add     t0, t0, t1
        lw      s1, 0(t0)
        andi    s1, s1, PTE_W
        beqz    s1, 1f
        call    flush                           # so that what it holds can be read
        mv      a0, s0
        li      a1, PTE_V|PTE_R
        call    remap_space
1:      addi    a0, s0, COMMAND
        li      a1, NEW_BASE
        call    enqueue
        beqz    s1, 2f
        addi    a0, s0, COMMAND
        li      a1, PIN_ROOT                    # keep it valid while others are in use
        call    enqueue
2:      call    flush
        leave

# remap_space(root, bits): change what the kernel may do with a root table, and with its one table that is its own.
remap_space:
        enter
        hal_entry s0, USER_ENTRY(a0)
        mv      s1, a1
        srli    a0, a0, 12
        call    remap
        mv      a1, s1
        srli    a0, s0, 10
        andi    s0, s0, PTE_V
        beqz    s0, 1f
        call    remap
1:      leave

# remap(number of a frame, bits)
remap:
        slli    t0, a0, 10
        or      a1, a1, t0
        slli    a0, a0, 2
        get     t0, low_table
        add     a0, a0, t0
        # fall through

# hal_set_entry(address of a page-table entry, new entry). It counts, and can be read back, at the latest
# from the next hal_use_space: here at once, elsewhere perhaps in a batch.
hal_set_entry:
        renumber a1, 10, P2M
        # fall through

# enqueue(address, value): a request for the monitor.
enqueue:
        renumber a0, 12, P2M
        la      t0, queued
        lw      t1, 0(t0)
        addi    t2, t1, 1
        sw      t2, 0(t0)
        slli    t1, t1, 3
        la      t0, queue
        add     t0, t0, t1
        sw      a0, 0(t0)
        sw      a1, 4(t0)
        li      t0, INFO
        lw      t0, INFO_BATCH(t0)
        beq     t0, t2, flush
        ret

# flush(): let the monitor do all that is collected.
flush:
        la      a0, queue
        la      t0, queued
        lw      a1, 0(t0)
        beqz    a1, 1f
        sw      zero, 0(t0)
        hypercall MMU_UPDATE
        bnez    a0, hal_power_off               # refused: a mistake of ours
1:      ret

# hal_drop_space(root): this page table and its tables will be ordinary memory again. It is not the one in
# use.
hal_drop_space:
        enter
        mv      s0, a0
        addi    a0, a0, COMMAND
        li      a1, UNPIN
        call    enqueue
        mv      a0, s0
        li      a1, PTE_V|PTE_R|PTE_W
        call    remap_space
        call    flush
        leave

# ---- Devices -----------------------------------------------------------------------------------------------

# hal_put(byte): to the console. The monitor is told when a line is complete, or the ring is full.
hal_put:
        la      t0, console
        lw      t1, OUT_PRODUCED(t0)
        andi    t2, t1, OUT_SIZE-1
        add     t2, t2, t0
        sb      a0, OUT(t2)
        addi    t1, t1, 1
        sw      t1, OUT_PRODUCED(t0)
        li      a1, CONSOLE
        addi    a0, a0, -'\n'
        beqz    a0, notify
        lw      t2, OUT_CONSUMED(t0)
        sub     t1, t1, t2
        li      t2, OUT_SIZE
        beq     t1, t2, notify
        ret

# notify(event channel): there is something in its ring.
notify:
        hypercall EVENT, EVENT_SEND
        ret

# hal_disk_start(sector, physical address, command): start to move one sector. An interrupt tells the end.
hal_disk_start:
        la      a3, disk
        lw      a4, REQUESTS(a3)
        andi    t2, a4, ENTRIES_COUNT-1
        slli    t2, t2, 4
        add     t2, t2, a3
        sw      a0, ENTRIES+SECTOR(t2)
        sw      a2, ENTRIES+OPERATION(t2)
        renumber a1, 12, P2M
        sw      a1, ENTRIES+ADDRESS(t2)
        addi    a4, a4, 1
        sw      a4, RESPONSE_EVENT(a3)
        sw      a4, REQUESTS(a3)                # last: now it is complete
        li      a1, DISK
        lw      t1, REQUEST_EVENT(a3)
        beq     t1, a4, notify
        ret

# hal_disk_finish() -> status bits. Takes the disk's interrupt back.
hal_disk_finish:
        la      t0, disk
        lw      t1, REQUESTS(t0)                # there is never more than one: the last
        addi    t1, t1, -1
        andi    t1, t1, ENTRIES_COUNT-1
        slli    t1, t1, 4
        add     t1, t1, t0
        lw      a0, ENTRIES+OPERATION(t1)       # the answer: 0 or -1
        andi    a0, a0, DISK_FAILED
        ori     a0, a0, 1
        ret

# hal_disk_sectors() -> how many there are.
hal_disk_sectors:
        li      t0, INFO
        lw      a0, INFO_SECTORS(t0)
        ret

# hal_power_off(exit code): the end.
hal_power_off:
        mv      a1, a0
        hypercall SCHED, SCHED_SHUTDOWN
        j       hal_power_off

        .bss
        .align  12
console:        .space  PAGE_SIZE
disk:           .space  PAGE_SIZE
queue:          .space  2048*8                  # requests: pairs of words
queued:         .space  4                       # how many
low_table:      .space  4                       # where the kernel sees all memory
