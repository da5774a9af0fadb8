# hal-disk.s - the hardware layer, the disk. Unlike the other devices it is reached as memory.

        .equ    DISK,           0xf0002000
        .equ    DISK_SECTOR,    0
        .equ    DISK_ADDRESS,   4
        .equ    DISK_COUNT,     8
        .equ    DISK_COMMAND,   12
        .equ    DISK_STATUS,    16
        .equ    DISK_CAPACITY,  20

# At the start, with a stack: nothing has to be done.
        .macro  hal_start_disk
        .endm

        .text
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
