# hal-pages.s - the hardware layer, address spaces: how page tables are written, and which one is in use.

        .equ    PTBR_ON,        1

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
