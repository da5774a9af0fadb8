# hal-pages.s - the hardware layer, address spaces. This is its port to a monitor that validates page tables.
#
# The machine walks our tables, so they hold machine frames. We can read but not write them: what is to change is
# collected, and the monitor does it if it is lawful. A frame that becomes a table must not be writable any more.

        .equ    VALIDATED,      1

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

        .bss
        .align  3
queue:          .space  2048*8                  # requests: pairs of words
queued:         .space  4                       # how many
low_table:      .space  4                       # where the kernel sees all memory
        .text
