# boot.s - from reset to the first process, and from the last process to power-off.

# Each section starts on a page of its own, so that the page table can protect it as what it is. This is the
# first file with .rodata and .data, so these labels are the borders.
        .section .rodata
        .align  12
rodata_start:
        .data
        .align  12
data_start:

# The kernel as it boots is a process too: number 0, without a user half. It is the parent of the first
# program and the foster parent of every orphan, and it ends when it has no children left.

        .text
# boot(): called once, on the boot stack, paging and interrupts off. Does not return.
boot:
        call    frames_init
        la      a0, text_banner
        call    puts
        call    hal_disk_sectors
        call    put_decimal
        la      a0, text_sectors
        call    puts

        call    kernel_space            # from here on, paging is on
        la      tp, processes           # slot 0 is us
        li      t0, READY
        sw      t0, P_STATE(tp)
        get     t0, kernel_root
        sw      t0, P_ROOT(tp)
        get     s0, frames_free         # for the books: what is free now must be free at the end
        li      s1, 1                   # the exit code, until init has left a better one

        call    hal_start_interrupts
        irq_on
        li      a0, 0                   # program 0, init
        li      a1, 0
        call    process_new
        bltz    a0, 3f

# Collect the dead until none is left. The exit code of init becomes ours.
1:      call    process_wait            # a0 = pid, a1 = exit code
        bltz    a0, 2f
        li      t0, 1
        bne     a0, t0, 1b
        mv      s1, a1
        j       1b

2:      irq_off
        la      a0, text_before
        call    puts
        mv      a0, s0
        call    put_decimal
        la      a0, text_after
        call    puts
        get     a0, frames_free
        sub     s0, s0, a0
        call    put_decimal
        la      a0, text_off
        call    puts
        beqz    s0, 3f
        li      s1, 2                   # a frame was lost
3:      mv      a0, s1
        j       hal_power_off

        .section .rodata
text_banner:    .asciz  "Ring32 OS: 4 MiB of memory, a disk of "
text_sectors:   .asciz  " sectors.\n"
text_before:    .asciz  "Kernel: frames free before the first process: "
text_after:     .asciz  ", after the last: "
text_off:       .asciz  ". Power off.\n"

        .bss
        .align  4
        .space  1024
boot_stack_top:
