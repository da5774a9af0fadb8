//! The instructions of the Pentium that are sensitive and do not trap, and what stands for each on Ring32.

use toy_isa::row::Row;

/// An entry in the list of J. S. Robin and C. E. Irvine, "Analysis of the Intel Pentium's Ability to Support a Secure
/// Virtual Machine Monitor", 9th USENIX Security Symposium, 2000, section 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pentium {
    /// As they name it.
    pub name: &'static str,
    /// Why it is sensitive.
    pub why: &'static str,
    /// Why Ring32 has nothing like it; `None` where it has.
    pub missing: Option<&'static str>,
    /// What the table calls it where it names a cousin.
    cousins: &'static [&'static str],
}

/// All seventeen, in their order. VERR and VERW are one entry, as in Intel's manual.
pub const SEVENTEEN: [Pentium; 17] = [
    with("SGDT", "shows where the table of segments is", &["SGDT"]),
    with("SIDT", "shows where the table of trap vectors is", &["SIDT"]),
    without(
        "SLDT",
        "shows which local table of segments is in use",
        "one relocation register stands for both tables of segments; SGDT's cousin reads it",
    ),
    with(
        "SMSW",
        "shows the machine status word, with paging on or off",
        &["SMSW"],
    ),
    with("PUSHF", "shows the flags, with interrupts on or off", &["PUSHF"]),
    with("POPF", "drops the interrupt flag in silence", &["POPF"]),
    with("LAR", "shows what a segment allows", &["LAR"]),
    with("LSL", "shows the limit of a segment", &["LSL"]),
    with(
        "VERR/VERW",
        "tells whether a segment can be read or written",
        &["VERR", "VERW"],
    ),
    without(
        "POP",
        "into a segment register, checks the ring",
        "no segment registers, and no instruction that works on a stack",
    ),
    without(
        "PUSH",
        "of CS or SS, shows the ring",
        "no segment registers, and no instruction that works on a stack",
    ),
    without(
        "CALL",
        "through a gate, changes the ring",
        "no gates: only a trap leads to another ring, and always to ring 0",
    ),
    without(
        "JMP",
        "through a gate, changes the task",
        "no gates, and no tasks in hardware",
    ),
    with(
        "INT n",
        "goes through a gate that depends on the ring",
        &["INT n"],
    ),
    without(
        "RET",
        "to another segment, changes the ring",
        "only mret changes the ring downwards, and it is IRET's cousin",
    ),
    with("STR", "shows the task register", &["STR"]),
    with(
        "MOV",
        "of a segment register, shows the ring or checks it",
        &["MOV r, sreg", "MOV sreg, r"],
    ),
];

const fn with(name: &'static str, why: &'static str, cousins: &'static [&'static str]) -> Pentium {
    Pentium {
        name,
        why,
        missing: None,
        cousins,
    }
}

const fn without(name: &'static str, why: &'static str, missing: &'static str) -> Pentium {
    Pentium {
        name,
        why,
        missing: Some(missing),
        cousins: &[],
    }
}

impl Pentium {
    /// Its cousins: the rows whose entry in the table names it.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        Row::all().filter(|row| row.cousin().is_some_and(|name| self.cousins.contains(&name)))
    }
}
