//! What the process tells whoever started it. All of the program's own codes are below 100.

/// How the process ends. `exec` ends with the exit code of the program that it has run instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitCode {
    /// All is as expected.
    AsExpected = 0,
    /// An expectation of the scenario was not met.
    NotAsExpected = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A file, a scenario or a program cannot be used.
    BadInput = 10,
    /// The budget was used up, and the scenario did not expect it.
    Budget = 20,
    /// The guest waits for ever, and the scenario did not expect it.
    Deadlock = 21,
    /// The guest's trap handler cannot be fetched, and the scenario did not expect it.
    DoubleFault = 22,
    /// A program in ring 3 died of a trap.
    Killed = 23,
    /// An error of Trapeze itself.
    Internal = 70,
}

impl ExitCode {
    /// All of them, with what `--help` says about each.
    const ALL: [(ExitCode, &str); 9] = [
        (ExitCode::AsExpected, "as expected"),
        (
            ExitCode::NotAsExpected,
            "an expectation of the scenario was not met",
        ),
        (ExitCode::Usage, "the command line makes no sense"),
        (
            ExitCode::BadInput,
            "a file, a scenario or a program cannot be used",
        ),
        (ExitCode::Budget, "the budget was used up"),
        (ExitCode::Deadlock, "deadlock: the guest waits for ever"),
        (
            ExitCode::DoubleFault,
            "double fault: the guest's trap handler cannot be fetched",
        ),
        (ExitCode::Killed, "exec: the program died of a trap"),
        (ExitCode::Internal, "an error of Trapeze itself"),
    ];
}

/// The part of `--help` that documents them.
pub(crate) fn help() -> String {
    let mut text = "Exit codes:\n".to_string();
    for (code, meaning) in ExitCode::ALL {
        text += &format!("  {:>2}  {meaning}\n", code as u8);
    }
    text + "  `exec` ends with the program's own exit code, modulo 256.\n  \
            20, 21 and 22 are for ends that the scenario does not expect."
}
