# program.s - a program for Basalt, which is another operating system for the same processor. This is the whole
# program file, byte for byte as Basalt keeps it. It is assembled into two scenarios, and the loader in
# each prints its checksum: it is the same, so the program is the same. It names nothing outside itself but the
# functions that it wants, and does not care where it stands: addresses are relative to the pc.
#
# The conventions of Basalt, none of which the guest system `guest-os` shares:
#
#   A call      goes to a function of the system's library, whose address is in the import table: one word for
#               each function that the program has named. There the loader has put it. The table is at gp, and
#               the program's data behind it.
#   Arguments   are pushed, the last one first. The function takes them off. It keeps s0, s1 and gp.
#   Results     come in a0. 0 means failure: then LastError() says why.
#   Texts       begin with a byte that is their length.
#   Handles     are what files and the console are known by: multiples of 4.

# ---- The header --------------------------------------------------------------------------------------------
        .section .basalt, "ax"
        .align  4
program:
        .ascii  "BSLT"
        .word   program_end-program             # bytes in the file
        .word   program_start-program           # where it begins
        .word   program_names-program           # the names of the functions that it wants
        .word   IMPORTS                         #   and how many
        .word   DATA_SIZE                       # bytes of data that it wants; the import table is the first

# ---- Imports, in the order of the table --------------------------------------------------------------------
        .equ    CONSOLE,        0               # Console() -> handle
        .equ    WRITE_TEXT,     1               # WriteText(handle, text) -> 1
        .equ    OPEN_FILE,      2               # OpenFile(name) -> handle
        .equ    READ_LINE,      3               # ReadLine(handle, buffer) -> 1; the buffer becomes a text
        .equ    CLOSE,          4               # Close(handle) -> 1
        .equ    LAST_ERROR,     5               # LastError() -> why the last failure
        .equ    END_PROGRAM,    6               # EndProgram(code)
        .equ    POWER_OFF,      7               # PowerOff()
        .equ    IMPORTS,        8

# A text, as Basalt has it.
        .macro  text characters
        .byte   9f-8f
8:      .ascii  "\characters"
9:
        .endm

program_names:
        text    "Console"
        text    "WriteText"
        text    "OpenFile"
        text    "ReadLine"
        text    "Close"
        text    "LastError"
        text    "EndProgram"
        text    "PowerOff"

# ---- Data, at gp -------------------------------------------------------------------------------------------
        .equ    D_CONSOLE,      4*IMPORTS       # the handle of the console
        .equ    D_FILE,         4*IMPORTS+4     # the handle of the file
        .equ    D_LINE,         4*IMPORTS+8     # a line that has been read
        .equ    DATA_SIZE,      4*IMPORTS+8+256

# ---- Calls -------------------------------------------------------------------------------------------------
        .macro  push reg
        addi    sp, sp, -4
        sw      \reg, 0(sp)
        .endm

        .macro  api function
        lw      t0, 4*\function(gp)
        jalr    t0
        .endm

        .align  2
program_start:
        api     CONSOLE
        bnez    a0, 1f
        api     POWER_OFF                       # no console: what else can be done?
1:      sw      a0, D_CONSOLE(gp)
        la      a0, say_hello
        call    say

        la      a0, name_there                  # read a file line by line, and number the lines
        push    a0
        api     OPEN_FILE
        beqz    a0, failed
        sw      a0, D_FILE(gp)
        li      s0, 0
2:      addi    t0, gp, D_LINE
        push    t0
        lw      t0, D_FILE(gp)
        push    t0
        api     READ_LINE
        beqz    a0, 3f
        addi    s0, s0, 1
        la      a0, say_line
        call    say
        mv      a0, s0
        call    say_number
        la      a0, say_colon
        call    say
        addi    a0, gp, D_LINE
        call    say
        la      a0, say_newline
        call    say
        j       2b
3:      la      a0, say_end
        call    complain

        lw      t0, D_FILE(gp)                  # a handle is good until it is closed
        push    t0
        api     CLOSE
        beqz    a0, failed
        addi    t0, gp, D_LINE
        push    t0
        lw      t0, D_FILE(gp)
        push    t0
        api     READ_LINE
        bnez    a0, failed
        la      a0, say_closed
        call    complain

        la      a0, name_not_there              # and a file that there is not
        push    a0
        api     OPEN_FILE
        bnez    a0, failed
        la      a0, say_not_there
        call    complain

        push    s0                              # the exit code is the number of lines
        api     END_PROGRAM
failed: li      s0, 99
        push    s0
        api     END_PROGRAM

# say(text)
say:
        addi    sp, sp, -4
        sw      ra, 0(sp)
        push    a0
        lw      t0, D_CONSOLE(gp)
        push    t0
        api     WRITE_TEXT
        lw      ra, 0(sp)
        addi    sp, sp, 4
        ret

# complain(text): say it, and then the number of the last error.
complain:
        addi    sp, sp, -4
        sw      ra, 0(sp)
        call    say
        api     LAST_ERROR
        call    say_number
        la      a0, say_newline
        call    say
        lw      ra, 0(sp)
        addi    sp, sp, 4
        ret

# say_number(n), 0 to 99: a blank and the digits. The text is made on the stack, its length in the first byte.
say_number:
        addi    sp, sp, -8
        sw      ra, 4(sp)
        li      t0, ' '
        sb      t0, 1(sp)
        li      t1, 10
        divu    t0, a0, t1
        remu    t1, a0, t1
        addi    t1, t1, '0'
        beqz    t0, 1f
        addi    t0, t0, '0'
        sb      t0, 2(sp)
        sb      t1, 3(sp)
        li      t0, 3
        j       2f
1:      sb      t1, 2(sp)
        li      t0, 2
2:      sb      t0, 0(sp)
        mv      a0, sp
        call    say
        lw      ra, 4(sp)
        addi    sp, sp, 8
        ret

name_there:     text    "walrus.txt"
name_not_there: text    "oysters.txt"
say_hello:      text    "| I am a program for Basalt. I know of no other system.\n"
say_line:       text    "| line"
say_colon:      text    ": "
say_end:        text    "| the line after that: error"
say_closed:     text    "| a line of the file, when it is closed: error"
say_not_there:  text    "| a file that there is not: error"
say_newline:    text    "\n"
        .align  2
program_end:
