# basalt.s - Basalt: an operating system for one program at a time, as unlike `guest-os` as it can be on the same
# processor. It protects itself by base and limit, without page tables; it has files, but no processes; it waits
# for the disk; its calls, errors and texts follow conventions of its own, which program.s lists.
#
# A program lives in 16 KiB that begin at its address 0:
#
#   0            the program file, as it is
#   LIBRARY      the system's library
#   DATA         the program's data; the import table first
#   SIZE         the end: the stack begins here, and grows downwards

        .equ    SIZE,           0x4000          # of the program's memory
        .equ    LIBRARY,        0x2000
        .equ    DATA,           0x2800
        .equ    MEMORY,         0x20000         # where it really is

# ---- The machine -------------------------------------------------------------------------------------------
        .equ    TO_PROGRAM,     140             # of `status`: PRING = 3, and PRE = 1, relocation on after mret
        .equ    CAUSE_CALL,     8
        .equ    IRQ_DISK,       0x00020000      # line 1 can end a wait
        .equ    PORT_CONSOLE,   0
        .equ    PORT_SECTOR,    32
        .equ    PORT_ADDRESS,   33
        .equ    PORT_COUNT,     34
        .equ    PORT_COMMAND,   35
        .equ    PORT_STATUS,    36
        .equ    PORT_OFF,       48
        .equ    DISK_READ,      1
        .equ    DISK_FAILED,    4
        .equ    SECTOR_SIZE,    512

# ---- The header of a program -------------------------------------------------------------------------------
        .equ    H_SIZE,         4
        .equ    H_START,        8
        .equ    H_NAMES,        12
        .equ    H_IMPORTS,      16

# ---- System calls: number in a5, the address of the arguments in a4, result in a0 --------------------------
# Programs do not make them, and do not know their numbers: only the library does.
        .equ    CALL_CONSOLE,   1
        .equ    CALL_WRITE,     2
        .equ    CALL_OPEN,      3
        .equ    CALL_READ,      4
        .equ    CALL_CLOSE,     5
        .equ    CALL_ERROR,     6
        .equ    CALL_END,       7
        .equ    CALL_OFF,       8

        .equ    NO_SUCH_FILE,   2               # errors
        .equ    BAD_HANDLE,     6
        .equ    CANNOT_READ,    30
        .equ    END_OF_FILE,    38
        .equ    BAD_ADDRESS,    487

        .equ    CONSOLE_HANDLE, 4               # there is one console
        .equ    FILE_HANDLE,    8               # and one file at a time

        .macro  get reg, label
        la      \reg, \label
        lw      \reg, 0(\reg)
        .endm

        .macro  put reg, label, through         # `through` is lost
        la      \through, \label
        sw      \reg, 0(\through)
        .endm

# ---- The library: copied into the program's memory, and run there, in ring 3 -------------------------------
        .text
        .macro  stub number, arguments
        li      a5, \number
        mv      a4, sp
        ecall
        addi    sp, sp, 4*\arguments            # the function takes its arguments off
        ret
        .endm

library:
lib_console:    stub    CALL_CONSOLE, 0
lib_write:      stub    CALL_WRITE, 2
lib_open:       stub    CALL_OPEN, 1
lib_read:       stub    CALL_READ, 2
lib_close:      stub    CALL_CLOSE, 1
lib_error:      stub    CALL_ERROR, 0
lib_end:        stub    CALL_END, 1
lib_off:        stub    CALL_OFF, 0
library_end:

# ---- Start: the loader -------------------------------------------------------------------------------------
        .globl  _start
_start:
        la      sp, stack_top
        la      t0, on_trap
        csrw    tvec, t0
        csrw    scratch, sp
        li      t0, IRQ_DISK
        csrw    irq, t0

        li      a0, 0                           # the directory of the disk
        la      a1, directory
        call    disk_read
        bnez    a0, no_program

        la      t0, program                     # the program file and the library to their places
        la      t1, magic
        lw      t1, 0(t1)
        lw      t2, 0(t0)
        bne     t1, t2, no_program
        mv      a0, t0
        lw      a1, H_SIZE(t0)
        add     a1, a1, a0
        li      a2, MEMORY
        call    copy_words
        la      a0, library
        la      a1, library_end
        li      a2, MEMORY+LIBRARY
        call    copy_words

        la      a0, text_program
        call    say_text
        li      a0, MEMORY                      # the checksum: shift, and add the next word
        lw      a1, H_SIZE(a0)
        add     a1, a1, a0
        li      s0, 0
1:      slli    t0, s0, 5
        sub     s0, t0, s0
        lw      t0, 0(a0)
        add     s0, s0, t0
        addi    a0, a0, 4
        bne     a0, a1, 1b
        mv      a0, s0
        call    say_hex

        li      t0, MEMORY                      # the import table: for each name, where the function is
        lw      s0, H_NAMES(t0)
        add     s0, s0, t0
        lw      s1, H_IMPORTS(t0)
        li      tp, MEMORY+DATA
2:      la      t1, names
3:      lw      a0, 0(t1)
        beqz    a0, no_program                  # Basalt starts no program that wants what there is not
        mv      a1, s0
        call    same
        bnez    a0, 4f
        addi    t1, t1, 8
        j       3b
4:      lw      t0, 4(t1)
        sw      t0, 0(tp)
        addi    tp, tp, 4
        lbu     t0, 0(s0)
        add     s0, s0, t0
        addi    s0, s0, 1
        addi    s1, s1, -1
        bnez    s1, 2b

        li      t0, MEMORY                      # and off it goes
        lw      t1, H_START(t0)
        csrw    epc, t1
        csrw    base, t0
        li      t0, SIZE
        csrw    bound, t0
        csrw    xbound, t0
        li      sp, SIZE-8                      # so that two arguments can always be read
        li      gp, DATA
        li      t0, TO_PROGRAM
        csrs    status, t0
        mret

no_program:
        la      a0, text_no_program
        j       die

# ---- System calls ------------------------------------------------------------------------------------------
# A call may change every register but sp, gp, ra, s0 and s1, so these are all that has to be saved. No handler
# touches gp.

        .align  2
on_trap:
        csrrw   sp, scratch, sp                 # the kernel's stack; the program's sp is in `scratch`
        addi    sp, sp, -16
        sw      ra, 0(sp)
        sw      s0, 4(sp)
        sw      s1, 8(sp)
        csrr    t0, cause
        li      t1, CAUSE_CALL
        bne     t0, t1, fault
        csrr    t0, epc                         # go on after the `ecall`
        addi    t0, t0, 4
        csrw    epc, t0

        addi    a5, a5, -CALL_CONSOLE
        li      t0, CALL_OFF
        bgeu    a5, t0, fault
        mv      a0, a4                          # no function has more than two arguments
        li      a1, 8
        call    pointer
        beqz    a0, fault
        lw      a1, 4(a0)
        lw      a0, 0(a0)
        la      t0, calls
        slli    a5, a5, 2
        add     t0, t0, a5
        lw      t0, 0(t0)
        jalr    t0
        lw      ra, 0(sp)
        lw      s0, 4(sp)
        lw      s1, 8(sp)
        addi    sp, sp, 16
        csrrw   sp, scratch, sp
        mret

# fault: the program did what it must not do.
fault:
        la      a0, text_fault
        # fall through

# die(text)
die:
        call    say_text
        li      a0, 255
        # fall through

# EndProgram(code), and PowerOff(): without a program, there is nothing left to do.
call_end:
        li      t0, PORT_OFF
        out     t0, a0
        j       call_end
call_off:
        li      a0, 0
        j       call_end

# Console() -> handle
call_console:
        li      a0, CONSOLE_HANDLE
        ret

# WriteText(handle, text) -> 1
call_write:
        mv      s1, ra
        li      t0, CONSOLE_HANDLE
        bne     a0, t0, fail_handle
        call    text_of_program
        beqz    a0, fail_address
        call    say_text
        j       succeed

# OpenFile(name) -> handle. The directory is a sector of eight lines: a name of at most 15 characters, at 16 the
# number of its sector, and at 21 its length, both with four digits. A file has one sector at most. Who opens a
# file closes the one before.
call_open:
        mv      s1, ra
        mv      a1, a0
        call    text_of_program
        beqz    a0, fail_address
        la      s0, directory
1:      lbu     t0, 0(a0)                       # compare the name with that of the line
        li      t1, 0
2:      add     t2, s0, t1
        lbu     a1, 0(t2)
        beq     t1, t0, 3f
        addi    t1, t1, 1
        add     t2, a0, t1
        lbu     t2, 0(t2)
        beq     a1, t2, 2b
        j       4f
3:      addi    a1, a1, -' '                    # equal, and here the other one ends too
        beqz    a1, 5f
4:      addi    s0, s0, 64
        la      t0, directory+SECTOR_SIZE
        bne     s0, t0, 1b
        li      a0, NO_SUCH_FILE
        j       fail

5:      la      t0, file_open
        sw      zero, 0(t0)
        addi    a0, s0, 16
        call    decimal
        la      a1, file
        call    disk_read
        bnez    a0, 6f
        addi    a0, s0, 21
        call    decimal
        li      t0, SECTOR_SIZE
        bgtu    a0, t0, 6f
        put     a0, file_length, t0
        put     zero, file_at, t0
        li      a0, FILE_HANDLE
        put     a0, file_open, t0
        jr      s1
6:      li      a0, CANNOT_READ
        j       fail

# ReadLine(handle, buffer) -> 1
call_read:
        mv      s1, ra
        get     t0, file_open
        beqz    t0, fail_handle
        bne     a0, t0, fail_handle
        get     t1, file_at
        get     t2, file_length
        li      a0, END_OF_FILE
        beq     t1, t2, fail
        mv      a0, a1
        li      a1, 256
        call    pointer
        beqz    a0, fail_address
        get     t1, file_at
        li      a2, 0                           # length of the text
1:      la      t0, file
        add     t0, t0, t1
        lbu     t0, 0(t0)
        addi    t1, t1, 1
        addi    a3, t0, -'\n'
        beqz    a3, 2f
        addi    a2, a2, 1
        add     a3, a0, a2
        sb      t0, 0(a3)
        beq     t1, t2, 2f
        li      t0, 255
        bne     a2, t0, 1b
2:      sb      a2, 0(a0)
        put     t1, file_at, t0
        j       succeed

# Close(handle) -> 1. The console cannot be closed, and says nothing about it.
call_close:
        mv      s1, ra
        li      t0, CONSOLE_HANDLE
        beq     a0, t0, succeed
        get     t0, file_open
        beqz    t0, fail_handle
        bne     a0, t0, fail_handle
        put     zero, file_open, t0
        # fall through

# succeed and fail(error): how calls end that have their way back in s1.
succeed:
        li      a0, 1
        jr      s1
fail_handle:
        li      a0, BAD_HANDLE
        j       fail
fail_address:
        li      a0, BAD_ADDRESS
fail:
        put     a0, error, t0
        li      a0, 0
        jr      s1

# LastError() -> why the last failure
call_error:
        get     a0, error
        ret

# ---- What a program may hand to the kernel -----------------------------------------------------------------

# pointer(address of the program's, length) -> the same in the kernel's, or 0 if it is not in its memory
pointer:
        li      t0, SIZE
        bgtu    a0, t0, 1f
        sub     t0, t0, a0
        bgtu    a1, t0, 1f
        li      t0, MEMORY
        add     a0, a0, t0
        ret
1:      li      a0, 0
        ret

# text_of_program(-, address) -> the text at this address of the program's, or 0. Changes a0 to a2, t0 and t1.
text_of_program:
        mv      t1, ra
        mv      a0, a1
        li      a1, 1
        call    pointer
        beqz    a0, 1f
        lbu     a1, 0(a0)
        addi    a1, a1, 1
        li      t0, MEMORY
        sub     a0, a0, t0
        call    pointer
1:      jr      t1

# ---- The disk, and the console -----------------------------------------------------------------------------

# disk_read(sector, address) -> 0, or 1 if the disk says no. The processor waits.
disk_read:
        li      t0, PORT_SECTOR
        out     t0, a0
        li      t0, PORT_ADDRESS
        out     t0, a1
        li      t0, PORT_COUNT
        li      t1, 1
        out     t0, t1
        li      t0, PORT_COMMAND
        li      t1, DISK_READ
        out     t0, t1
        wfi                                     # interrupts are off: it ends the wait, and nothing else
        li      t0, PORT_STATUS
        in      a0, t0
        out     t0, zero
        andi    a0, a0, DISK_FAILED
        snez    a0, a0
        ret

# say_text(text): changes a0, t0, t1.
say_text:
        lbu     t1, 0(a0)
        add     t1, t1, a0                      # its last character
1:      beq     a0, t1, 2f
        addi    a0, a0, 1
        lbu     t0, 0(a0)
        out     zero, t0                        # the console is port 0
        j       1b
2:      ret

# say_hex(number): eight digits and the end of the line.
say_hex:
        li      a1, 8
1:      srli    t0, a0, 28
        slli    a0, a0, 4
        li      t1, 10
        bltu    t0, t1, 2f
        addi    t0, t0, 'a'-'0'-10
2:      addi    t0, t0, '0'
        out     zero, t0
        addi    a1, a1, -1
        bnez    a1, 1b
        li      t0, '\n'
        out     zero, t0
        ret

# ---- Small things ------------------------------------------------------------------------------------------

# decimal(address) -> the number that four digits are
decimal:
        mv      t1, a0
        li      a0, 0
        li      t2, 10
        addi    a2, t1, 4
1:      mul     a0, a0, t2
        lbu     t0, 0(t1)
        addi    t0, t0, -'0'
        add     a0, a0, t0
        addi    t1, t1, 1
        bne     t1, a2, 1b
        ret

# same(text, text) -> 1 if both are the same, else 0. Changes a0 to a4.
same:
        lbu     a2, 0(a0)                       # the lengths are compared like characters
        addi    a2, a2, 1
1:      lbu     a3, 0(a0)
        lbu     a4, 0(a1)
        bne     a3, a4, 2f
        addi    a0, a0, 1
        addi    a1, a1, 1
        addi    a2, a2, -1
        bnez    a2, 1b
        li      a0, 1
        ret
2:      li      a0, 0
        ret

# copy_words(from, end, to)
copy_words:
        lw      t0, 0(a0)
        sw      t0, 0(a2)
        addi    a0, a0, 4
        addi    a2, a2, 4
        bne     a0, a1, copy_words
        ret

        .section .rodata
        .align  2
calls:                                          # by number, from 1
        .word   call_console, call_write, call_open, call_read, call_close, call_error, call_end, call_off

names:                                          # what the library has: a name, and where it is for the program
        .word   name_console, lib_console-library+LIBRARY
        .word   name_write,   lib_write-library+LIBRARY
        .word   name_open,    lib_open-library+LIBRARY
        .word   name_read,    lib_read-library+LIBRARY
        .word   name_close,   lib_close-library+LIBRARY
        .word   name_error,   lib_error-library+LIBRARY
        .word   name_end,     lib_end-library+LIBRARY
        .word   name_off,     lib_off-library+LIBRARY
        .word   0

magic:          .ascii  "BSLT"
name_console:   text    "Console"
name_write:     text    "WriteText"
name_open:      text    "OpenFile"
name_read:      text    "ReadLine"
name_close:     text    "Close"
name_error:     text    "LastError"
name_end:       text    "EndProgram"
name_off:       text    "PowerOff"
text_program:   text    "Basalt: a program, checksum "
text_no_program:text    "Basalt: no disk, or no program that can be loaded\n"
text_fault:     text    "Basalt: the program did what it must not do\n"

        .bss
        .align  4
directory:
        .space  SECTOR_SIZE
file:                                           # the sector of the open file
        .space  SECTOR_SIZE
file_open:
        .space  4                               # its handle, or 0
file_at:
        .space  4                               # the byte that is read next
file_length:
        .space  4
error:
        .space  4                               # why the last failure
        .space  512
stack_top:
