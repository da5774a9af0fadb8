//! Instruction sets that nobody has described to the classifier: Ring32 with one row that does something else.

use std::sync::Arc;

use toy_isa::bus::Width;
use toy_isa::hart::Status;
use toy_isa::instruction::{Instruction, Registers, decode};
use toy_isa::mmu::PAGE;
use toy_isa::trap::Cause;

use super::*;

type Outcome = Result<State, Trap>;

/// What the row does: from the state before, what Ring32 makes of it, and the instruction.
type Change = fn(&State, Outcome, Instruction) -> Outcome;

/// A row that does something else, and what it then is.
struct Mutant {
    name: &'static str,
    row: &'static str,
    /// The class in layout {1,3}.
    class: &'static str,
    /// Whether it is a hole in layouts {1,3} and {3}.
    holes: [bool; 2],
    /// Whether a virtual user is concerned, in layout {1,3} and the extended reading.
    user: bool,
    change: Change,
}

/// The instruction at the program counter: the one word that is not in the image.
fn instruction(state: &State) -> Option<Instruction> {
    let (_, word) = state.memory.changed().next()?;
    decode(word, Registers::Sixteen)
}

/// The profile `classic`, but for one row.
fn mutated(mutant: &Mutant) -> impl Fn(&State) -> Outcome + use<> {
    let (name, change) = (row(mutant.row), mutant.change);
    move |before| {
        let profile = classic();
        let after = ring32(profile)(before);
        match instruction(before).filter(|insn| insn.row() == name) {
            Some(insn) => change(before, after, insn),
            None => after,
        }
    }
}

fn classic() -> &'static Profile {
    static CLASSIC: std::sync::LazyLock<Profile> =
        std::sync::LazyLock::new(|| Profile::new(ProfileName::Classic));
    &CLASSIC
}

/// What ring 0 would make of the state, with the ring that it really has put back where ring 0 left ring 0.
fn as_in_ring_0(before: &State) -> Outcome {
    let mut inside = before.clone();
    inside.hart.csr.status.0 &= !3;
    let mut after = ring32(classic())(&inside)?;
    if after.hart.ring() == 0 {
        after.hart.csr.status.0 |= before.hart.ring();
    }
    Ok(after)
}

/// Retires with no effect.
fn nothing(before: &State) -> Outcome {
    let mut after = before.clone();
    after.hart.pc += 4;
    after.clock += 1;
    Ok(after)
}

/// Adds something to the result.
fn reveal(after: Outcome, insn: Instruction, value: u32) -> Outcome {
    let mut after = after?;
    after.hart.x[usize::from(insn.rd)] ^= value;
    after.hart.x[0] = 0;
    Ok(after)
}

/// Does something to the state after.
fn and(after: Outcome, act: impl FnOnce(&mut State)) -> Outcome {
    let mut after = after?;
    act(&mut after);
    Ok(after)
}

fn illegal() -> Outcome {
    Err(Trap::illegal(0))
}

fn mutants() -> Vec<Mutant> {
    const NO: [bool; 2] = [false, false];
    const BOTH: [bool; 2] = [true, true];
    let m = |name, row, class, holes, user, change: Change| Mutant {
        name,
        row,
        class,
        holes,
        user,
        change,
    };
    const LOCATION: &str = "location sensitive";
    const MODE: &str = "mode sensitive";
    const CONTROL: &str = "control sensitive";
    const EXTENDED: &str = "behaviour sensitive (extended)";
    const CONTROL_EXTENDED: &str = "control sensitive (extended)";
    vec![
        // ---- rows that reveal what is not the program's -------------------------------------------------
        m("reveals the ring", "add", MODE, BOTH, false, |b, a, i| {
            reveal(a, i, b.hart.ring())
        }),
        m("reveals base", "xor", LOCATION, BOTH, true, |b, a, i| {
            reveal(a, i, b.hart.csr.base)
        }),
        m(
            "reveals whether it is relocated",
            "or",
            LOCATION,
            BOTH,
            true,
            |b, a, i| reveal(a, i, b.hart.csr.status.0 & Status::RE),
        ),
        m("reveals bound", "and", LOCATION, BOTH, true, |b, a, i| {
            reveal(a, i, b.hart.csr.bound)
        }),
        m("reveals xbound", "sll", LOCATION, BOTH, true, |b, a, i| {
            reveal(a, i, b.hart.csr.xbound)
        }),
        m("reveals window", "srl", LOCATION, BOTH, true, |b, a, i| {
            reveal(a, i, b.hart.csr.window)
        }),
        m(
            "reveals the page-table root",
            "sra",
            LOCATION,
            BOTH,
            true,
            |b, a, i| reveal(a, i, b.hart.csr.ptbr & !1),
        ),
        m("reveals paging", "slt", LOCATION, BOTH, true, |b, a, i| {
            reveal(a, i, b.hart.csr.ptbr & 1)
        }),
        m(
            "reveals the trap vector",
            "sltu",
            LOCATION,
            BOTH,
            true,
            |b, a, i| reveal(a, i, b.hart.csr.tvec),
        ),
        m(
            "reveals why the last trap was",
            "mul",
            LOCATION,
            BOTH,
            true,
            |b, a, i| reveal(a, i, b.hart.csr.cause),
        ),
        m(
            "reveals the previous ring",
            "mulh",
            LOCATION,
            BOTH,
            true,
            |b, a, i| reveal(a, i, b.hart.csr.status.previous_ring()),
        ),
        m(
            "reveals a word of somebody else",
            "mulhu",
            LOCATION,
            BOTH,
            true,
            |b, a, i| reveal(a, i, b.memory.word(0xc000).unwrap_or(0)),
        ),
        m(
            "reveals the ring for one operand only",
            "divu",
            MODE,
            BOTH,
            false,
            |b, a, i| {
                let chosen = b.hart.x[usize::from(i.rs1)] == 3;
                reveal(a, i, if chosen { b.hart.ring() } else { 0 })
            },
        ),
        m(
            "reveals base only with paging",
            "remu",
            LOCATION,
            BOTH,
            true,
            |b, a, i| reveal(a, i, if b.hart.csr.paging() { b.hart.csr.base } else { 0 }),
        ),
        m("reveals scratch", "sub", EXTENDED, BOTH, true, |b, a, i| {
            reveal(a, i, b.hart.csr.scratch)
        }),
        m("reveals the clock", "addi", EXTENDED, BOTH, true, |b, a, i| {
            reveal(a, i, b.clock as u32)
        }),
        m("reveals the timer", "xori", EXTENDED, BOTH, true, |b, a, i| {
            reveal(a, i, b.devices.timer.value())
        }),
        m(
            "reveals the interrupt enables",
            "ori",
            EXTENDED,
            BOTH,
            true,
            |b, a, i| reveal(a, i, b.devices.enabled),
        ),
        m(
            "reveals whether interrupts are on",
            "andi",
            EXTENDED,
            BOTH,
            true,
            |b, a, i| reveal(a, i, b.hart.csr.status.0 & Status::IE),
        ),
        m("reveals the disk", "slti", EXTENDED, BOTH, true, |b, a, i| {
            reveal(a, i, b.devices.disk.data().len() as u32)
        }),
        m(
            "reveals what machine it is",
            "lui",
            EXTENDED,
            BOTH,
            true,
            |b, a, i| reveal(a, i, b.identity),
        ),
        m(
            "reveals the order of frames",
            "auipc",
            EXTENDED,
            BOTH,
            true,
            |b, a, i| {
                let csr = &b.hart.csr;
                let first = if csr.status.relocates() {
                    csr.base / PAGE
                } else {
                    0
                };
                let entry = |page: u32| b.memory.word((csr.ptbr & !0xfff) + PAGE + 4 * (first + page));
                let distance = entry(1).unwrap_or(0).wrapping_sub(entry(0).unwrap_or(0));
                reveal(a, i, if csr.paging() { distance } else { 0x400 })
            },
        ),
        m(
            "reveals base while interrupts are off",
            "andi",
            LOCATION,
            BOTH,
            true,
            |b, a, i| {
                let off = b.hart.csr.status.0 & Status::IE == 0;
                reveal(a, i, if off { b.hart.csr.base } else { 0 })
            },
        ),
        // ---- rows that change what is not the program's -------------------------------------------------
        m("changes base", "slli", CONTROL, BOTH, true, |_, a, _| {
            and(a, |s| s.hart.csr.base ^= PAGE)
        }),
        m("widens the limit", "srli", CONTROL, BOTH, true, |_, a, _| {
            and(a, |s| s.hart.csr.bound = u32::MAX)
        }),
        m(
            "turns relocation off in ring 3",
            "srai",
            CONTROL,
            BOTH,
            true,
            |b, a, _| {
                and(a, |s| {
                    if b.hart.ring() == 3 {
                        s.hart.csr.status.0 &= !Status::RE;
                    }
                })
            },
        ),
        m(
            "enters ring 0 without a trap",
            "sltiu",
            CONTROL,
            BOTH,
            true,
            |_, a, _| and(a, |s| s.hart.csr.status.0 &= !3),
        ),
        m(
            "moves the trap vector",
            "mulhsu",
            CONTROL,
            BOTH,
            true,
            |_, a, _| and(a, |s| s.hart.csr.tvec += 4),
        ),
        m(
            "forgets what the last trap left",
            "div",
            CONTROL,
            BOTH,
            true,
            |_, a, _| and(a, |s| s.hart.csr.epc = 0),
        ),
        m(
            "turns interrupts off",
            "rem",
            CONTROL_EXTENDED,
            BOTH,
            true,
            |_, a, _| and(a, |s| s.hart.csr.status.0 &= !Status::IE),
        ),
        m(
            "writes scratch",
            "bne",
            CONTROL_EXTENDED,
            BOTH,
            true,
            |_, a, _| and(a, |s| s.hart.csr.scratch += 1),
        ),
        m(
            "stops the clock",
            "blt",
            CONTROL_EXTENDED,
            BOTH,
            true,
            |b, a, _| and(a, |s| s.clock = b.clock),
        ),
        m("halts", "fence", CONTROL_EXTENDED, BOTH, true, |_, a, _| {
            and(a, |s| s.halted = true)
        }),
        m(
            "switches the power off",
            "fence.i",
            CONTROL_EXTENDED,
            BOTH,
            true,
            |_, a, _| and(a, |s| Arc::make_mut(&mut s.devices).power_off = Some(0)),
        ),
        m(
            "takes the ring of a call gate",
            "ecall",
            CONTROL,
            BOTH,
            true,
            |b, _, _| and(nothing(b), |s| s.hart.csr.status.0 &= !3),
        ),
        // ---- memory and jumps ---------------------------------------------------------------------------
        m(
            "loads from real addresses",
            "lw",
            LOCATION,
            BOTH,
            true,
            |b, a, i| {
                let address = b.hart.x[usize::from(i.rs1)].wrapping_add(i.imm as u32);
                and(a, |s| {
                    s.hart.x[usize::from(i.rd)] = b.memory.word(address & !3).unwrap_or(0);
                    s.hart.x[0] = 0;
                })
            },
        ),
        m(
            "loads beyond the limit in ring 3",
            "lb",
            LOCATION,
            BOTH,
            true,
            |b, a, i| {
                let address = b.hart.x[usize::from(i.rs1)].wrapping_add(i.imm as u32);
                let base = if b.hart.csr.status.relocates() {
                    b.hart.csr.base
                } else {
                    0
                };
                let real = address.wrapping_add(base);
                match b.memory.read(real, Width::Byte) {
                    Some(byte) if a.is_err() && b.hart.ring() == 3 && !b.hart.csr.paging() => {
                        reveal(nothing(b), i, byte)
                    }
                    _ => a,
                }
            },
        ),
        m(
            "stores to real addresses",
            "sw",
            LOCATION,
            BOTH,
            true,
            |b, a, i| {
                let address = b.hart.x[usize::from(i.rs1)].wrapping_add(i.imm as u32) & !3;
                a?;
                and(nothing(b), |s| {
                    s.memory.write(address, Width::Word, b.hart.x[usize::from(i.rs2)]);
                })
            },
        ),
        m(
            "leaves a mark in the monitor's memory",
            "sb",
            LOCATION,
            BOTH,
            true,
            |_, a, _| {
                and(a, |s| {
                    s.memory.write(0xc0c0, Width::Byte, 7);
                })
            },
        ),
        m(
            "jumps to the relocated address",
            "jal",
            LOCATION,
            BOTH,
            true,
            |b, a, _| and(a, |s| s.hart.pc = s.hart.pc.wrapping_add(b.hart.csr.base)),
        ),
        m(
            "is always taken outside ring 0",
            "beq",
            MODE,
            BOTH,
            false,
            |b, a, i| {
                let target = b.hart.pc.wrapping_add(i.imm as u32);
                and(a, |s| {
                    if b.hart.ring() != 0 && target % 4 == 0 {
                        s.hart.pc = target;
                    }
                })
            },
        ),
        // ---- rows that do something else in some rings --------------------------------------------------
        m(
            "does nothing in ring 3",
            "lh",
            "innocuous",
            [false, true],
            false,
            |b, a, _| {
                if b.hart.ring() == 3 {
                    a.and_then(|_| nothing(b))
                } else {
                    a
                }
            },
        ),
        m("traps in ring 3", "lhu", "innocuous", NO, false, |b, a, _| {
            if b.hart.ring() == 3 {
                a.and_then(|_| illegal())
            } else {
                a
            }
        }),
        m(
            "takes effect in ring 1",
            "csrw base",
            "control sensitive, location sensitive",
            [true, false],
            false,
            |b, a, _| {
                if b.hart.ring() == 1 { as_in_ring_0(b) } else { a }
            },
        ),
        m(
            "takes effect in ring 3",
            "csrw tvec",
            "control sensitive, location sensitive",
            BOTH,
            true,
            |b, a, _| {
                if b.hart.ring() == 3 { as_in_ring_0(b) } else { a }
            },
        ),
        m(
            "takes effect in rings 1 to 3",
            "mret",
            "control sensitive, location sensitive",
            BOTH,
            true,
            |b, _, _| as_in_ring_0(b),
        ),
        m(
            "is ignored in ring 3 and traps in ring 1",
            "csrw status",
            "control sensitive, location sensitive",
            BOTH,
            false,
            |b, a, _| {
                if b.hart.ring() == 3 { nothing(b) } else { a }
            },
        ),
        m(
            "is ignored outside ring 0",
            "csrw ptbr",
            "control sensitive, location sensitive, mode sensitive",
            BOTH,
            false,
            |b, a, _| {
                if b.hart.ring() == 0 { a } else { nothing(b) }
            },
        ),
        m(
            "takes the limit for loads only",
            "csrw bound",
            "control sensitive, location sensitive, mode sensitive",
            BOTH,
            true,
            |b, a, i| {
                if b.hart.ring() == 0 {
                    a
                } else {
                    and(nothing(b), |s| s.hart.csr.bound = b.hart.x[usize::from(i.rs1)])
                }
            },
        ),
        m(
            "lies outside ring 0",
            "csrr tvec",
            "location sensitive, mode sensitive",
            BOTH,
            false,
            |b, a, i| {
                if b.hart.ring() == 0 {
                    a
                } else {
                    and(nothing(b), |s| s.hart.x[usize::from(i.rd)] = 0)
                }
            },
        ),
        m(
            "halts in ring 3",
            "wfi",
            CONTROL_EXTENDED,
            BOTH,
            true,
            |b, _, _| as_in_ring_0(b),
        ),
        m(
            "reaches the ports from ring 3",
            "out",
            CONTROL_EXTENDED,
            BOTH,
            true,
            |b, _, _| as_in_ring_0(b),
        ),
        m(
            "tells where the window is",
            "wlw",
            "location sensitive",
            BOTH,
            true,
            |b, _, i| reveal(nothing(b), i, b.hart.csr.window),
        ),
        m(
            "probes with its own ring's rights",
            "prober",
            "location sensitive, mode sensitive",
            BOTH,
            true,
            |b, _, i| {
                and(as_in_ring_0(b), |s| {
                    if b.hart.ring() == 0 && i.rd != 0 {
                        s.hart.x[usize::from(i.rd)] = 1;
                    }
                })
            },
        ),
        m(
            "traps in ring 0 too",
            "csrr window",
            "illegal in every state",
            NO,
            false,
            |_, _, _| illegal(),
        ),
        m("exists", "vmon", CONTROL, BOTH, true, |b, _, _| {
            and(nothing(b), |s| s.hart.csr.base += 1)
        }),
        // ---- rows that are not what they seem, and harm nobody ------------------------------------------
        m("retires", "ecall", "innocuous", NO, false, |b, _, _| nothing(b)),
        m(
            "says the same to everybody",
            "csrr cpuid",
            "innocuous",
            NO,
            false,
            |b, _, i| {
                and(nothing(b), |s| {
                    s.hart.x[usize::from(i.rd)] = 42;
                    s.hart.x[0] = 0;
                })
            },
        ),
        m("is the complement", "lbu", "innocuous", NO, false, |_, a, i| {
            reveal(a, i, u32::MAX)
        }),
        m("links elsewhere", "jalr", "innocuous", NO, false, |b, a, _| {
            and(a, |s| s.hart.x[5] = b.hart.pc)
        }),
        m(
            "faults on what is high",
            "sh",
            "innocuous",
            NO,
            false,
            |b, a, i| {
                let address = b.hart.x[usize::from(i.rs1)].wrapping_add(i.imm as u32);
                if address >= PAGE {
                    Err(Trap {
                        cause: Cause::StoreAccess,
                        tval: address,
                    })
                } else {
                    a
                }
            },
        ),
        m(
            "is privileged without need",
            "bge",
            "privileged, innocuous",
            NO,
            false,
            |b, a, _| {
                if b.hart.ring() == 0 {
                    a
                } else {
                    a.and_then(|_| illegal())
                }
            },
        ),
        m(
            "reveals the ring, and is privileged",
            "bltu",
            "privileged, innocuous",
            NO,
            false,
            |b, a, _| {
                if b.hart.ring() == 0 {
                    and(a, |s| s.hart.x[5] = b.hart.ring())
                } else {
                    illegal()
                }
            },
        ),
        m(
            "changes R, and is privileged",
            "bgeu",
            "privileged, control sensitive",
            NO,
            false,
            |b, a, _| {
                if b.hart.ring() == 0 {
                    and(a, |s| s.hart.csr.base += 4)
                } else {
                    illegal()
                }
            },
        ),
    ]
}

/// What computes something else, alike in every ring, is none of the table's business here.
const UNSEEN: [&str; 3] = ["is the complement", "links elsewhere", "faults on what is high"];

#[test]
fn mutated_rows_are_classified_right() {
    let mutants = mutants();
    assert!(mutants.len() >= 40);
    for mutant in &mutants {
        let step = mutated(mutant);
        let declared = |row| Declaration::of(row, classic());
        let found = classify(&step, [row(mutant.row)], declared);
        let report = &found.rows[0];
        let name = format!("{} {}", mutant.row, mutant.name);
        assert_eq!(report.observed.class().to_string(), mutant.class, "{name}");
        let holes = LAYOUTS.map(|layout| report.observed.is_hole(layout));
        assert_eq!(holes, mutant.holes, "{name}");
        let layout = Layout::RingDeprivileging;
        let user = report
            .observed
            .sensitivity(layout, Reading::Extended, Virtual::User);
        assert_eq!(user.any(), mutant.user, "{name}: {user:?}");
        let told = !report.disagreements().is_empty();
        assert_eq!(told, !UNSEEN.contains(&mutant.name), "{name}");
        let theorems = found.theorems(Reading::Extended, layout);
        assert_eq!(theorems.virtualizable.holds, !mutant.holes[0], "{name}");
        assert_eq!(theorems.hybrid.holds, !mutant.user, "{name}");
        if holes[0] {
            let witness = report.observed.witness().expect("it is sensitive");
            assert_eq!(witness.outcome[1], "executed", "{name}: {witness:?}");
        }
    }
}

/// Among all rows, only the one that is mutated is found, and its declaration is an error.
#[test]
fn a_leak_among_all_rows_is_named_and_contradicts_the_table() {
    let mutants = mutants();
    let mutant = mutants
        .iter()
        .find(|mutant| mutant.name == "reveals base")
        .expect("it is one");
    let found = classify(&mutated(mutant), Row::all(), |row| {
        Declaration::of(row, classic())
    });
    let theorems = found.theorems(Reading::Of1974, Layout::RingDeprivileging);
    assert!(!theorems.virtualizable.holds && !theorems.recursively.holds && !theorems.hybrid.holds);
    assert_eq!(
        found.holes(Reading::Of1974, Layout::RingDeprivileging),
        [row("xor")]
    );
    let wrong = found.disagreements();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0].0, row("xor"));
    assert!(
        wrong[0].1[0].contains("declared 'innocuous', observed 'location sensitive'"),
        "{wrong:?}"
    );
}

/// The instruction set is as it should be; what is said of it is not.
#[test]
fn wrong_declarations_are_told() {
    use Behaviour::*;
    use Sensitive::*;
    let wrong: &[(ProfileName, &str, &[Sensitive], Behaviour)] = &[
        (ProfileName::Classic, "add", &[Control], Innocuous),
        (ProfileName::Classic, "add", &[], Traps),
        (ProfileName::Classic, "lw", &[Location], Innocuous),
        (ProfileName::Classic, "ecall", &[Control], Traps),
        (ProfileName::Classic, "mret", &[Control], Traps),
        (ProfileName::Classic, "mret", &[], Traps),
        (ProfileName::Classic, "mret", &[Control, Location], Ignored),
        (ProfileName::Classic, "wfi", &[Control], Traps),
        (ProfileName::Classic, "sfence.vma", &[Control], Traps),
        (
            ProfileName::Classic,
            "csrw tvec",
            &[Control, Location],
            TakesEffect,
        ),
        (ProfileName::Classic, "csrr instret", &[Location], Traps),
        (ProfileName::Classic, "csrr instret", &[], Traps),
        (ProfileName::Classic, "csrr mhartid", &[Extended], Traps),
        (ProfileName::Leaky, "csrr base", &[Location], Traps),
        (ProfileName::Leaky, "csrr base", &[Location], Ignored),
        (ProfileName::Leaky, "csrr base", &[Location, Mode], Leaks),
        (ProfileName::Leaky, "csrr base", &[], Leaks),
        (ProfileName::Leaky, "csrr status", &[Location], Leaks),
        (
            ProfileName::Leaky,
            "csrw status",
            &[Control, Location, Mode],
            TakesEffect,
        ),
        (
            ProfileName::Leaky,
            "csrw status",
            &[Control, Location, Mode],
            Ignored,
        ),
        (ProfileName::Leaky, "csrr cpuid", &[Control, Extended], Leaks),
        (ProfileName::Hybrid, "mret", &[Control, Location], Traps),
        (ProfileName::Hybrid, "mret", &[Control, Location], TakesEffect),
    ];
    for (profile, name, sensitive, outside) in wrong {
        let profile = Profile::new(*profile);
        let found = classify(&ring32(&profile), [row(name)], |row| Declaration {
            sensitive: sensitive.to_vec(),
            outside: *outside,
            ..Declaration::of(row, &profile)
        });
        assert!(
            !found.disagreements().is_empty(),
            "{name} as {sensitive:?}, {outside:?}"
        );
        let right = classify(&ring32(&profile), [row(name)], |row| {
            Declaration::of(row, &profile)
        });
        assert_eq!(right.disagreements(), [], "{name}");
    }
}
