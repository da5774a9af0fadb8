# layout.s - DEPTH monitors and a kernel, each the guest of the one before it, and standing behind it.
#
#       0               level 1, which has the machine
#       MONITOR_SIZE    its guest: level 2, or the kernel if DEPTH is 1
#       ...             the guest of that guest
#
# What a level has memory for is itself and all the levels behind it. Of the monitors only level 1 is in the image: of
# the others, the header that asks for a copy.

        .equ    MEMORY,         DEPTH*MONITOR_SIZE + KERNEL_ROOM
        .org    MONITOR_SIZE

        .set    monitors, DEPTH-1               # from here on
        .rept   DEPTH-1
        .word   0, monitors*MONITOR_SIZE + KERNEL_ROOM, 0, 0
        .space  MONITOR_SIZE-HEADER
        .set    monitors, monitors-1
        .endr
