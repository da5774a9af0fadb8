# layer.s - the API layer: a program of the guest system that loads a program of Basalt, and stands in for the
# library of Basalt. It runs in ring 3, in the same process as the program.
#
# The processor executes the program itself. What is replaced is only what is behind the program's calls: each
# function here takes its arguments as Basalt hands them over, does the like with one or a few system calls of
# the guest system, and answers as Basalt would.

        .section .rodata
        .align  2
programs:                               # the guest system has one program
        .word   layer
programs_end:

# ---- The page of data --------------------------------------------------------------------------------------
        .equ    ERROR,          USER_DATA       # why the last failure, as Basalt numbers it
        .equ    DIGITS,         USER_DATA+16    # where numbers become texts
        .equ    OBJECTS,        USER_DATA+64    # what handles stand for: four of these
        .equ    O_KIND,         0               #   NOTHING, CONSOLE_OBJECT or FILE_OBJECT
        .equ    O_AT,           4               #   a file: the byte that is read next
        .equ    O_LENGTH,       8               #           how many it has
        .equ    O_SIZE,         16
        .equ    OBJECTS_COUNT,  4
        .equ    BUFFERS,        USER_DATA+1024  # a sector for each
        .equ    PROGRAM_DATA,   USER_DATA+3072  # the program's data; its import table first
        .equ    PROGRAM_DATA_SIZE, 1024

        .equ    NOTHING,        0
        .equ    CONSOLE_OBJECT, 1
        .equ    FILE_OBJECT,    2
        .equ    FIRST_HANDLE,   16              # then 20, 24, 28

        .data
        .align  2
user_data:                              # how the page begins: all zeros
        .word   0
user_data_end:

# ---- Basalt's errors ---------------------------------------------------------------------------------------
        .equ    NO_SUCH_FILE,   2
        .equ    TOO_MANY_OPEN,  4
        .equ    BAD_HANDLE,     6
        .equ    CANNOT_READ,    30
        .equ    END_OF_FILE,    38

# ---- The header of a Basalt program ------------------------------------------------------------------------
        .equ    H_SIZE,         4
        .equ    H_START,        8
        .equ    H_NAMES,        12
        .equ    H_IMPORTS,      16
        .equ    H_DATA,         20

        .macro  system number
        li      t0, \number
        ecall
        .endm

        .text
        .align  12
user_code:

# ---- The loader --------------------------------------------------------------------------------------------

# layer: check the program, fill in its import table, and go there. s0 = the next name, s1 = the next entry of
# the table.
layer:
        la      t0, program
        lw      t1, 0(t0)
        la      t2, magic
        lw      t2, 0(t2)
        la      a0, text_stranger
        bne     t1, t2, give_up
        lw      t1, H_DATA(t0)
        li      t2, PROGRAM_DATA_SIZE
        bgtu    t1, t2, give_up

        la      a0, text_program
        call    say_text
        la      t0, program             # the checksum: shift, and add the next word
        lw      t1, H_SIZE(t0)
        add     t1, t1, t0
        li      s0, 0
1:      slli    t2, s0, 5
        sub     s0, t2, s0
        lw      t2, 0(t0)
        add     s0, s0, t2
        addi    t0, t0, 4
        bne     t0, t1, 1b
        mv      a0, s0
        call    say_hex

        la      s0, program
        lw      t0, H_NAMES(s0)
        add     s0, s0, t0
        li      s1, PROGRAM_DATA
2:      la      a0, text_import
        call    say_text
        lbu     a2, 0(s0)
        addi    a1, s0, 1
        call    say_bytes
        la      t1, library             # do we have it?
3:      lw      a0, 0(t1)
        beqz    a0, 4f
        mv      a1, s0
        call    same
        bnez    a0, 4f
        addi    t1, t1, 8
        j       3b
4:      lw      t0, 4(t1)
        sw      t0, 0(s1)
        lw      a0, 0(t1)
        la      a1, text_supplied
        bnez    a0, 5f
        la      a1, text_missing
5:      mv      a0, a1
        call    say_text
        lbu     t0, 0(s0)               # the next one
        add     s0, s0, t0
        addi    s0, s0, 1
        addi    s1, s1, 4
        la      t0, program
        lw      t1, H_IMPORTS(t0)
        slli    t1, t1, 2
        li      t2, PROGRAM_DATA
        add     t1, t1, t2
        bne     s1, t1, 2b

        lw      t1, H_START(t0)         # and off it goes
        add     t0, t0, t1
        mv      gp, t2
        jr      t0

# give_up(text): say it, and end.
give_up:
        call    say_text
        li      a0, 255
        system  SYS_EXIT

# missing: in the import table for every function that there is not. A program may name it; only a call is the
# end.
missing:
        la      a0, text_called
        j       give_up

# ---- Basalt's library --------------------------------------------------------------------------------------
# Arguments are at sp, and have to be taken off. s0, s1 and gp are the program's; a5 keeps ra. No address is
# checked: whoever hands over a wrong one can only harm his own process.

# Console() -> handle
basalt_console:
        mv      a5, ra
        li      a0, CONSOLE_OBJECT
        call    handle_new
        jr      a5

# WriteText(handle, text) -> 1
basalt_write_text:
        mv      a5, ra
        lw      a0, 0(sp)
        li      a1, CONSOLE_OBJECT
        call    object
        beqz    a0, 1f
        lw      a1, 4(sp)
        lbu     a2, 0(a1)               # a length in front becomes a length in a2
        addi    a1, a1, 1
        call    say_bytes
        li      a0, 1
1:      addi    sp, sp, 8
        jr      a5

# OpenFile(name) -> handle. The guest system has no files. We have a list of what Basalt's names are to mean.
basalt_open_file:
        mv      a5, ra
        la      t1, files
1:      lw      a0, 0(t1)
        li      a1, NO_SUCH_FILE
        beqz    a0, 3f
        lw      a1, 0(sp)
        call    same
        bnez    a0, 2f
        addi    t1, t1, 12
        j       1b
2:      li      a0, FILE_OBJECT
        call    handle_new
        beqz    a0, 4f
        mv      a4, a0                  # the handle
        lw      t2, 8(t1)
        sw      t2, O_LENGTH(a2)        # handle_new has left the object in a2
        sw      zero, O_AT(a2)
        mv      a0, a2
        call    buffer
        mv      a1, a0
        mv      a3, a2
        lw      a0, 4(t1)               # a file becomes a sector
        system  SYS_READ_BLOCK
        mv      t2, a0
        mv      a0, a4
        beqz    t2, 4f
        sw      zero, O_KIND(a3)
        li      a1, CANNOT_READ         # whatever the number was in the guest system
3:      li      t0, ERROR
        sw      a1, 0(t0)
        li      a0, 0
4:      addi    sp, sp, 4
        jr      a5

# ReadLine(handle, buffer) -> 1. A line without its end becomes a text.
basalt_read_line:
        mv      a5, ra
        lw      a0, 0(sp)
        li      a1, FILE_OBJECT
        call    object
        beqz    a0, 4f
        mv      a3, a0
        call    buffer
        lw      t1, O_AT(a3)
        lw      t2, O_LENGTH(a3)
        bne     t1, t2, 1f
        li      t0, ERROR
        li      a0, END_OF_FILE
        sw      a0, 0(t0)
        li      a0, 0
        j       4f
1:      lw      a1, 4(sp)
        li      a2, 0                   # length of the text
2:      add     t0, a0, t1
        lbu     t0, 0(t0)
        addi    t1, t1, 1
        sw      t1, O_AT(a3)
        addi    a4, t0, -'\n'
        beqz    a4, 3f
        addi    a2, a2, 1
        add     a4, a1, a2
        sb      t0, 0(a4)
        beq     t1, t2, 3f
        li      t0, 255
        bne     a2, t0, 2b
3:      sb      a2, 0(a1)
        li      a0, 1
4:      addi    sp, sp, 8
        jr      a5

# Close(handle) -> 1
basalt_close:
        mv      a5, ra
        lw      a0, 0(sp)
        li      a1, NOTHING             # of any kind
        call    object
        beqz    a0, 1f
        sw      zero, O_KIND(a0)
        li      a0, 1
1:      addi    sp, sp, 4
        jr      a5

# LastError() -> why the last failure
basalt_last_error:
        li      t0, ERROR
        lw      a0, 0(t0)
        ret

# EndProgram(code)
basalt_end_program:
        lw      a0, 0(sp)
        system  SYS_EXIT

# ---- What handles stand for --------------------------------------------------------------------------------

# handle_new(kind) -> a0 = a handle, a2 = its object; or a0 = 0
handle_new:
        li      a2, OBJECTS
        li      a1, FIRST_HANDLE
1:      lw      t0, O_KIND(a2)
        beqz    t0, 2f
        addi    a2, a2, O_SIZE
        addi    a1, a1, 4
        li      t0, FIRST_HANDLE+4*OBJECTS_COUNT
        bne     a1, t0, 1b
        li      t0, ERROR
        li      a0, TOO_MANY_OPEN
        sw      a0, 0(t0)
        li      a0, 0
        ret
2:      sw      a0, O_KIND(a2)
        mv      a0, a1
        ret

# object(handle, kind) -> its object if it is of this kind, and a kind NOTHING means any; or 0
object:
        addi    t0, a0, -FIRST_HANDLE
        andi    t1, t0, 3
        bnez    t1, 1f
        li      t1, 4*OBJECTS_COUNT
        bgeu    t0, t1, 1f
        slli    t0, t0, 2               # O_SIZE is 16, and handles are 4 apart
        li      a0, OBJECTS
        add     a0, a0, t0
        lw      t0, O_KIND(a0)
        beqz    t0, 1f
        beqz    a1, 2f
        beq     t0, a1, 2f
1:      li      t0, ERROR
        li      a0, BAD_HANDLE
        sw      a0, 0(t0)
        li      a0, 0
2:      ret

# buffer(object) -> its sector of memory
buffer:
        li      t0, OBJECTS
        sub     a0, a0, t0
        slli    a0, a0, 5               # 512 bytes for 16
        li      t0, BUFFERS
        add     a0, a0, t0
        ret

# ---- Texts -------------------------------------------------------------------------------------------------

# same(text, text) -> 1 if both are the same, else 0. Changes a0 to a4.
same:
        lbu     a2, 0(a0)               # the lengths are compared like characters
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

# say_text(text), in our own output. Changes a0 to a2 and t0.
say_text:
        lbu     a2, 0(a0)
        addi    a1, a0, 1
        # fall through

# say_bytes(-, address, length): the one place where something is written.
say_bytes:
        li      a0, 1
        system  SYS_WRITE
        ret

# say_hex(number): eight digits and a full stop.
say_hex:
        li      a1, DIGITS
        addi    a2, a1, 8
1:      srli    t0, a0, 28
        slli    a0, a0, 4
        li      t1, 10
        bltu    t0, t1, 2f
        addi    t0, t0, 'a'-'0'-10
2:      addi    t0, t0, '0'
        sb      t0, 0(a1)
        addi    a1, a1, 1
        bne     a1, a2, 1b
        li      t0, '\n'
        sb      t0, 0(a1)
        li      a1, DIGITS
        li      a2, 9
        j       say_bytes

# ---- Tables and texts --------------------------------------------------------------------------------------
        .align  2
library:                                # what we supply: a name, and the function
        .word   name_console,     basalt_console
        .word   name_write_text,  basalt_write_text
        .word   name_open_file,   basalt_open_file
        .word   name_read_line,   basalt_read_line
        .word   name_close,       basalt_close
        .word   name_last_error,  basalt_last_error
        .word   name_end_program, basalt_end_program
        .word   0,                missing

files:                                  # what Basalt's names mean here: a name, a sector, a length in bytes
        .word   name_walrus, 3, 193
        .word   0

magic:          .ascii  "BSLT"
name_console:   text    "Console"
name_write_text:text    "WriteText"
name_open_file: text    "OpenFile"
name_read_line: text    "ReadLine"
name_close:     text    "Close"
name_last_error:text    "LastError"
name_end_program:text   "EndProgram"
name_walrus:    text    "walrus.txt"
text_program:   text    "layer: a program for Basalt, checksum "
text_stranger:  text    "layer: not a program for Basalt, or too large\n"
text_import:    text    "layer: it imports "
text_supplied:  text    ": supplied\n"
text_missing:   text    ": not supplied\n"
text_called:    text    "layer: a function was called that is not supplied\n"

        .section .basalt, "ax"          # where the program is: a process may use that too, up to here
        .align  12
user_code_end:
