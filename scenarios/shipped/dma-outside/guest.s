# Transfers that lie outside memory or outside the disk, wholly or in part. None may move anything.

        .equ    DISK,           0xf0002000
        .equ    SECTOR,         0
        .equ    ADDRESS,        4
        .equ    COUNT,          8
        .equ    COMMAND,        12
        .equ    STATUS,         16

        .equ    MEMORY,         0x00010000      # 64 KiB
        .equ    GUARD,          0x5a5a5a5a

_start:
        li      t0, MEMORY - 4          # what would be overwritten
        li      t1, GUARD
        sw      t1, 0(t0)
        li      s1, DISK
        la      s0, requests
        la      a5, requests_end
        li      a3, 0                   # which request
1:      beq     s0, a5, 3f
        addi    a3, a3, 1
        lw      t0, 0(s0)
        sw      t0, SECTOR(s1)
        lw      t0, 4(s0)
        sw      t0, ADDRESS(s1)
        lw      t0, 8(s0)
        sw      t0, COUNT(s1)
        lw      t0, 12(s0)
        sw      t0, COMMAND(s1)
2:      lw      t0, STATUS(s1)          # until it is no longer busy
        andi    t1, t0, 1
        bnez    t1, 2b
        lw      t1, 16(s0)
        bne     t0, t1, bad
        sw      zero, STATUS(s1)
        addi    s0, s0, 20
        j       1b

3:      li      a3, 0
bad:    li      t0, 48
        out     t0, a3                  # the number of the request that came out otherwise, or 0

# Sector, address, count, command (1 reads into memory, 2 writes to the disk), and the status that is due:
# 2 done, 6 done and failed.
        .data
requests:
        .word   0, MEMORY - 256, 1, 1, 6        # half of it behind the end
        .word   0, MEMORY, 1, 1, 6              # just behind the end
        .word   0, 0xfffffe00, 1, 1, 6          # the last bytes of the address space
        .word   0, 0xffffff00, 1, 1, 6          # around the end of the address space
        .word   0, DISK, 1, 1, 6                # into the disk's own registers
        .word   0, MEMORY - 512, 2, 2, 6        # from memory, half of it
        .word   0, 0x8000, 0, 1, 6              # nothing
        .word   1, 0x8000, 1, 1, 6              # behind the end of the disk
        .word   0, 0x8000, 2, 1, 6              # over the end of the disk
        .word   0, 0x8000, 256, 1, 6            # more than there is of either
        .word   0xffffffff, 0x8000, 1, 1, 6     # sector and count together are 2^32
        .word   0x00800000, 0x8000, 1, 1, 6     # its first byte would be byte 2^32
        .word   0, 0x8000, 1, 1, 2              # and one that is right
requests_end:
