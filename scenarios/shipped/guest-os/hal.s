# hal.s - the hardware layer: the only file that touches control registers, ports, device registers, and the
# instructions that change the machine's state. To bring this system to another platform, port this file.
#
# Nothing here, or anywhere else, asks which ring the kernel runs in. Processes run in ring 3; the kernel runs
# where the trap vector is entered, and `mret` brings it back there.

# ---- Control registers' bits and device addresses ----------------------------------------------------------
        .equ    STATUS_IE,      16              # interrupts are taken while it is 1
        .equ    STATUS_TO_USER, 44              # PRING = 3 and PIE = 1: what `mret` to a process needs
        .equ    PTBR_ON,        1
        .equ    IRQ_ENABLE,     0x00030000      # lines 0 (timer) and 1 (disk)

        .equ    PORT_CONSOLE,   0               # console DATA
        .equ    PORT_NOW,       16              # low word of the clock
        .equ    PORT_OFF,       48              # power

        .equ    DISK,           0xf0002000      # the disk, unlike the rest, is reached as memory
        .equ    DISK_SECTOR,    0
        .equ    DISK_ADDRESS,   4
        .equ    DISK_COUNT,     8
        .equ    DISK_COMMAND,   12
        .equ    DISK_STATUS,    16
        .equ    DISK_CAPACITY,  20

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
        j       boot

# hal_start_interrupts(): let the timer and the disk interrupt, and start the timer. irq_on does the rest.
hal_start_interrupts:
        li      t0, IRQ_ENABLE
        csrw    irq, t0
        # fall through

# hal_next_tick(): ask for a timer interrupt one quantum from now; this takes a pending one back.
hal_next_tick:
        li      t0, PORT_NOW
        in      t1, t0
        li      t0, QUANTUM
        add     t1, t1, t0
        seqz    t0, t1                  # 0 would mean never: then one tick later
        add     t1, t1, t0
        csrw    timer, t1
        ret

# ---- Address spaces ----------------------------------------------------------------------------------------

# reg = the page-table entry at the place, such as 0(a0). May change t0 and t1.
        .macro  hal_entry reg, place
        lw      \reg, \place
        .endm

# Let the kernel reach the devices, through its root table or through the table of the lowest 4 MiB.
        .macro  hal_map_devices root, table
        li      a0, DEVICES_ENTRY               # one page of 4 MiB
        add     a0, \root, a0
        li      a1, (DEVICES>>2)|PTE_V|PTE_R|PTE_W
        call    hal_set_entry
        .endm

# Let another address space have them as well.
        .macro  hal_share_devices root, kernel
        li      t0, DEVICES_ENTRY
        add     a0, \root, t0
        add     a1, \kernel, t0
        lw      a1, 0(a1)
        call    hal_set_entry
        .endm

# hal_use_space(root): from here on, translate by this page table.
hal_use_space:
        ori     a0, a0, PTBR_ON
        csrw    ptbr, a0
        sfence.vma zero, zero
        ret

# hal_set_entry(address of a page-table entry, new entry). It counts, and can be read back, at the latest
# from the next hal_use_space: here at once, elsewhere perhaps in a batch.
hal_set_entry:
        sw      a1, 0(a0)
        ret

# hal_drop_space(root): this page table and its tables will be ordinary memory again. It is not the one in
# use.
hal_drop_space:
        sfence.vma zero, zero
        ret

# ---- Devices -----------------------------------------------------------------------------------------------

# hal_put(byte): to the console.
hal_put:
        li      t0, PORT_CONSOLE
        out     t0, a0
        ret

# hal_disk_start(sector, physical address, command): start to move one sector. An interrupt tells the end.
hal_disk_start:
        li      t0, DISK
        sw      a0, DISK_SECTOR(t0)
        sw      a1, DISK_ADDRESS(t0)
        li      t1, 1
        sw      t1, DISK_COUNT(t0)
        sw      a2, DISK_COMMAND(t0)
        ret

# hal_disk_finish() -> status bits. Takes the disk's interrupt back.
hal_disk_finish:
        li      t0, DISK
        lw      a0, DISK_STATUS(t0)
        sw      zero, DISK_STATUS(t0)
        ret

# hal_disk_sectors() -> how many there are.
hal_disk_sectors:
        li      t0, DISK
        lw      a0, DISK_CAPACITY(t0)
        ret

# hal_power_off(exit code): the end.
hal_power_off:
        li      t0, PORT_OFF
        out     t0, a0
        j       hal_power_off
