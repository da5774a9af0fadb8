# hal-disk.s - the hardware layer, the disk: a ring in place of the device.

# At the start, with a stack.
        .macro  hal_start_disk
        la      a1, disk
        machine_address a1
        hypercall CONNECT_RING, DISK
        .endm

        .text
# hal_disk_start(sector, physical address, command): start to move one sector. An interrupt tells the end.
hal_disk_start:
        la      a3, disk
        lw      a4, REQUESTS(a3)
        andi    t2, a4, ENTRIES_COUNT-1
        slli    t2, t2, 4
        add     t2, t2, a3
        sw      a0, ENTRIES+SECTOR(t2)
        sw      a2, ENTRIES+OPERATION(t2)
        machine_address a1
        sw      a1, ENTRIES+ADDRESS(t2)
        addi    a4, a4, 1
        sw      a4, RESPONSE_EVENT(a3)
        sw      a4, REQUESTS(a3)                # last: now it is complete
        li      a1, DISK
        lw      t1, REQUEST_EVENT(a3)
        beq     t1, a4, 1f
        ret
1:      hypercall EVENT, EVENT_SEND
        ret

# hal_disk_finish() -> status bits. Takes the disk's interrupt back.
hal_disk_finish:
        la      t0, disk
        sw      zero, INTERRUPT(t0)
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
        la      t0, disk
        lw      a0, SECTORS(t0)
        ret

        .bss
        .align  12
disk:           .space  PAGE_SIZE
        .text
