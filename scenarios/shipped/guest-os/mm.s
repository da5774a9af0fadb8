# mm.s - frames, page tables, address spaces.
#
# Physical memory is seen by the kernel at its own addresses, so a frame's address is also the pointer to it.
#
# Every address space is the same in its lowest 4 MiB (the kernel, and the user programs' code) and at the
# devices: the entries are copied from one root table, so all share the tables behind them. What a process
# has alone is the one table for the user region, with a page of data and a page of stack.

        .text

# ---- Frames: a list of free ones, each holding the address of the next -------------------------------------

# frames_init(): put every frame on the list. The lowest is handed out first.
frames_init:
        enter
        li      s0, RAM_END
        li      s1, FRAMES_START
1:      li      t0, PAGE_SIZE
        sub     s0, s0, t0
        mv      a0, s0
        call    frame_free
        bne     s0, s1, 1b
        leave

# frame_free(frame)
frame_free:
        la      t0, frame_list
        lw      t1, 0(t0)
        sw      t1, 0(a0)
        sw      a0, 0(t0)
        la      t0, frames_free
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
        ret

# frame_alloc() -> a frame full of zeros, so that no process finds what another left. There must be one:
# whoever begins something checks frames_free first.
frame_alloc:
        la      t0, frame_list
        lw      a0, 0(t0)
        lw      t1, 0(a0)
        sw      t1, 0(t0)
        la      t0, frames_free
        lw      t1, 0(t0)
        addi    t1, t1, -1
        sw      t1, 0(t0)
        li      t1, PAGE_SIZE
        add     t1, a0, t1
        mv      t0, a0
1:      sw      zero, 0(t0)
        sw      zero, 4(t0)
        sw      zero, 8(t0)
        sw      zero, 12(t0)
        sw      zero, 16(t0)
        sw      zero, 20(t0)
        sw      zero, 24(t0)
        sw      zero, 28(t0)
        addi    t0, t0, 32
        bne     t0, t1, 1b
        ret

# ---- Page tables -------------------------------------------------------------------------------------------
# An address has three parts: 10 bits choose the entry of the root table, 10 the entry of the table it
# points to, and 12 the byte in the page. An entry is the frame's number shifted left by 10, and bits.

# map_page(table, address, frame, bits): in the table of the second level that is responsible for the
# address, let its page be this frame.
map_page:
        slli    t0, a1, 10
        srli    t0, t0, 22
        slli    t0, t0, 2
        add     a0, a0, t0
        srli    a1, a2, 2               # the frame's number is its address / 4096; times 1024
        or      a1, a1, a3
        j       hal_set_entry

# walk(root, address) -> the entry that maps the address, or 0. What the machine does on every access, by
# hand.
walk:
        srli    t0, a1, 22
        slli    t0, t0, 2
        add     t0, t0, a0
        hal_entry a0, 0(t0)
        andi    t0, a0, PTE_V
        beqz    t0, 1f
        andi    t0, a0, PTE_LEAF
        bnez    t0, 2f                  # a page of 4 MiB
        srli    a0, a0, 10
        slli    a0, a0, 12
        slli    t0, a1, 10
        srli    t0, t0, 22
        slli    t0, t0, 2
        add     t0, t0, a0
        hal_entry a0, 0(t0)
        andi    t0, a0, PTE_V
        bnez    t0, 2f
1:      li      a0, 0
2:      ret

# ---- What a process may hand to the kernel -----------------------------------------------------------------
# The kernel may touch pages that a process may not, so it must never follow a process's pointer unchecked.

# user_check(address, length, bits) -> 0 if every page of the range has all these bits and the process may
# use it, else EFAULT.
user_check:
        beqz    a1, 3f
        enter
        ori     a2, a2, PTE_U
        sw      a2, 0(sp)
        mv      s0, a0                  # an address in the page to look at
        add     s1, a0, a1
        addi    s1, s1, -1              # the last byte
        bltu    s1, s0, 4f              # the range wraps around
        srli    s1, s1, 12              # and its page
1:      lw      a0, P_ROOT(tp)
        mv      a1, s0
        call    walk
        lw      t0, 0(sp)
        and     a0, a0, t0
        bne     a0, t0, 4f
        srli    t0, s0, 12
        li      t1, PAGE_SIZE
        add     s0, s0, t1
        bne     t0, s1, 1b
        li      a0, 0
2:      leave
3:      li      a0, 0
        ret
4:      li      a0, EFAULT
        j       2b

# user_block(address, bits) -> the physical address of a process's disk buffer, or EFAULT. The disk knows
# nothing of page tables, so the buffer must lie in one page: it does if it is aligned to its size.
user_block:
        enter
        mv      s0, a0
        andi    t0, a0, SECTOR_SIZE-1
        bnez    t0, 1f
        mv      a2, a1
        li      a1, SECTOR_SIZE
        call    user_check
        bnez    a0, 2f
        lw      a0, P_ROOT(tp)
        mv      a1, s0
        call    walk
        srli    a0, a0, 10
        slli    a0, a0, 12
        slli    t0, s0, 20              # the byte in the page
        srli    t0, t0, 20
        or      a0, a0, t0
        j       2f
1:      li      a0, EFAULT
2:      leave

# ---- Address spaces ----------------------------------------------------------------------------------------

# map_range(table, from, to, bits): for the kernel, each address is itself.
map_range:
        enter
        sw      a0, 0(sp)
        sw      a3, 4(sp)
        mv      s0, a1
        mv      s1, a2
1:      bgeu    s0, s1, 2f
        lw      a0, 0(sp)
        mv      a1, s0
        mv      a2, s0
        lw      a3, 4(sp)
        call    map_page
        li      t0, PAGE_SIZE
        add     s0, s0, t0
        j       1b
2:      leave

# kernel_space(): make the kernel's own address space and turn paging on. Code cannot be written, data
# cannot be executed, and the user programs' code is the only part that a process may use.
kernel_space:
        enter
        call    frame_alloc
        mv      s0, a0
        la      t0, kernel_root
        sw      s0, 0(t0)
        call    frame_alloc             # the table of the lowest 4 MiB
        mv      s1, a0
        mv      a0, s0
        srli    a1, s1, 2
        ori     a1, a1, PTE_V
        call    hal_set_entry

        mv      a0, s1
        la      a1, _start
        la      a2, user_code
        li      a3, PTE_V|PTE_R|PTE_X
        call    map_range
        mv      a0, s1
        la      a1, user_code
        la      a2, user_code_end
        li      a3, PTE_V|PTE_R|PTE_X|PTE_U
        call    map_range
        mv      a0, s1
        la      a1, rodata_start
        la      a2, data_start
        li      a3, PTE_V|PTE_R
        call    map_range
        mv      a0, s1
        la      a1, data_start
        li      a2, RAM_END
        li      a3, PTE_V|PTE_R|PTE_W
        call    map_range

        hal_map_devices s0, s1

        mv      a0, s0
        call    hal_use_space
        leave

# space_new() -> the root of an address space for a new process, with a fresh copy of the data and an empty
# stack. Takes four frames.
space_new:
        enter
        call    frame_alloc
        mv      s0, a0

        get     s1, kernel_root         # what every space has: the entries of the kernel and the devices
        mv      a0, s0
        hal_entry a1, 0(s1)
        call    hal_set_entry
        hal_share_devices s0, s1

        call    frame_alloc             # the table of the user region
        mv      s1, a0
        addi    a0, s0, USER_ENTRY
        srli    a1, s1, 2
        ori     a1, a1, PTE_V
        call    hal_set_entry

        call    frame_alloc             # the data
        la      t0, user_data
        la      t1, user_data_end
        mv      t2, a0
1:      lw      a1, 0(t0)
        sw      a1, 0(t2)
        addi    t0, t0, 4
        addi    t2, t2, 4
        bne     t0, t1, 1b
        mv      a2, a0
        mv      a0, s1
        li      a1, USER_DATA
        li      a3, PTE_V|PTE_R|PTE_W|PTE_U
        call    map_page

        call    frame_alloc             # the stack
        mv      a2, a0
        mv      a0, s1
        li      a1, USER_STACK
        li      a3, PTE_V|PTE_R|PTE_W|PTE_U
        call    map_page

        mv      a0, s0
        leave

# space_free(root): give back the pages of the user region, the table that mapped them, and the root. The
# kernel's tables are shared and stay.
space_free:
        enter
        sw      a0, 0(sp)
        call    hal_drop_space
        lw      a0, 0(sp)
        hal_entry s0, USER_ENTRY(a0)
        srli    s0, s0, 10              # the table of the user region
        slli    s0, s0, 12
        li      s1, USER_PAGES
1:      addi    s1, s1, -1
        slli    t0, s1, 2
        add     t0, t0, s0
        hal_entry a0, 0(t0)
        andi    t0, a0, PTE_V
        beqz    t0, 2f
        srli    a0, a0, 10
        slli    a0, a0, 12
        call    frame_free
2:      bnez    s1, 1b
        mv      a0, s0
        call    frame_free
        lw      a0, 0(sp)
        call    frame_free
        leave

        .data
        .align  2
frame_list:
        .word   0                       # the first free frame
frames_free:
        .word   0                       # how many there are
kernel_root:
        .word   0                       # the root table of the kernel's own address space
