# A system call and the return from it.
        in_user
turn:
        ecall
        again
