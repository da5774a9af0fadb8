# hal-pages.s - the hardware layer, address spaces. This is its port to a monitor that keeps shadows of page tables: they
# stay as they are on the bare machine, and are written as there; only which one is in use the monitor must be told.

# reg = the page-table entry at the place, such as 0(a0). May change t0 and t1.
        .macro  hal_entry reg, place
        lw      \reg, \place
        .endm

# Let the kernel reach the devices, through its root table or through the table of the lowest 4 MiB.
        .macro  hal_map_devices root, table
        mv      a0, \table                      # there are none, but there is the shared page: frame 0
        li      a1, PTE_V|PTE_R|PTE_W
        call    hal_set_entry
        .endm

# Let another address space have them as well.
        .macro  hal_share_devices root, kernel
        .endm                                   # it has: the table is shared

# hal_use_space(root): from here on, translate by this page table.
hal_use_space:
        li      t0, LOAD_TABLE
        hcall
        ret

# hal_set_entry(address of a page-table entry, new entry). It counts, and can be read back, at the latest
# from the next hal_use_space: here at once, elsewhere perhaps in a batch.
hal_set_entry:
        sw      a1, 0(a0)
        ret

# hal_drop_space(root): this page table and its tables will be ordinary memory again. It is not the one in
# use.
hal_drop_space:
        ret                                     # the monitor has seen each store
