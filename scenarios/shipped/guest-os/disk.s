# disk.s - the disk driver: one sector at a time, by direct memory access, with an interrupt at the end.
#
# The processor does not wait for the disk; the process does. Two channels: `disk_owner` for those who wait
# for their turn, `disk_status` for the one whose transfer is running.

        .text

# disk_transfer(sector, physical address, command) -> 0, or EIO. Waits.
disk_transfer:
        enter
        sw      a0, 0(sp)
        sw      a1, 4(sp)
        sw      a2, 8(sp)
        la      s0, disk_owner
        la      s1, disk_status
        irq_off

1:      lw      t0, 0(s0)               # wait until the disk is nobody's, and take it
        beqz    t0, 2f
        mv      a0, s0
        call    sleep_on
        j       1b
2:      sw      tp, 0(s0)

        sw      zero, 0(s1)
        lw      a0, 0(sp)
        lw      a1, 4(sp)
        lw      a2, 8(sp)
        call    hal_disk_start
3:      mv      a0, s1                  # wait until the interrupt has left a status
        call    sleep_on
        lw      t0, 0(s1)
        beqz    t0, 3b
        sw      t0, 0(sp)

        sw      zero, 0(s0)             # the next one
        mv      a0, s0
        call    wake
        irq_on
        lw      a0, 0(sp)
        andi    a0, a0, DISK_FAILED
        beqz    a0, 4f
        li      a0, EIO
4:      leave

# disk_interrupt(): the transfer is over.
disk_interrupt:
        enter
        call    hal_disk_finish
        mv      t1, a0
        la      a0, disk_status
        sw      t1, 0(a0)
        call    wake
        leave

        .data
        .align  2
disk_owner:
        .word   0                       # the process whose turn it is
disk_status:
        .word   0                       # what the disk said at the end; 0 while it is at work
