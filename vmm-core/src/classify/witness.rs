//! Witnesses: two concrete states, an instruction, what each became, and which condition of which definition that
//! violates.

use serde::Serialize;
use toy_isa::disasm::{REGISTER_NAMES, disassemble};
use toy_isa::hart::Status;
use toy_isa::instruction::Instruction;
use toy_isa::trap::Trap;

use super::domain::PC;
use super::observe::{Parting, Run, Trial};
use super::part::{Part, Parts, Reading};
use super::state::State;

/// Two states in which a row shows that it is sensitive. Where a row does not trap outside ring 0, the state on the
/// right is one in which a monitor would run a guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// `control`, `mode`, `location` or `extended`.
    pub kind: &'static str,
    /// The reading in which it counts.
    pub reading: &'static str,
    /// The instruction, as text.
    pub instruction: String,
    /// Its word.
    pub word: u32,
    /// In what the two states differ before it.
    pub differ_in: &'static str,
    /// The parts of the two states that matter, before and after.
    pub state: Vec<Field>,
    /// What became of the instruction, on the left and on the right.
    pub outcome: [String; 2],
    /// Where the states part, in a sentence.
    pub parts: String,
    /// Which condition of which definition is met.
    pub condition: String,
}

/// A part of the two states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// What it is.
    pub name: String,
    /// In the state on the left.
    pub left: Values,
    /// In the state on the right.
    pub right: Values,
}

/// What a part of a state was and became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Values {
    /// Before the instruction.
    pub before: String,
    /// After it; `None` if it trapped.
    pub after: Option<String>,
}

/// What two executions show.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finding {
    /// One changes control state. The other is in this real ring, where a monitor runs a guest.
    Control { reading: Reading, changed: [Parts; 2] },
    /// The ring makes a difference.
    Mode { believed: usize, real: usize },
    /// Another part of the situation makes a difference.
    Situation { part: Part, ring: usize },
}

impl Finding {
    /// Where its kind is kept: those of 1974 first, the plainest of them first.
    fn slot(self) -> usize {
        match self {
            Finding::Control {
                reading: Reading::Of1974,
                ..
            } => 0,
            Finding::Mode { .. } => 1,
            Finding::Situation { part, .. } if part.reading() == Reading::Of1974 => 2,
            Finding::Control { .. } => 3,
            Finding::Situation { .. } => 4,
        }
    }
}

/// The best of each kind that was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witnesses([Option<Shown>; 5]);

#[derive(Clone, Debug)]
struct Shown {
    score: u32,
    /// Whether the right side was executed in a ring in which a monitor runs a guest.
    escapes: bool,
    finding: Finding,
    parting: Option<Parting>,
    insn: Instruction,
    sides: [(State, Result<State, Trap>); 2],
}

impl Witnesses {
    /// Looks at ring 0 and at a real ring of a guest in the same situation, for a change of control state.
    pub(crate) fn control(&mut self, trial: &Trial, changed: [Parts; 4], real: usize) {
        for (reading, mask) in [
            (Reading::Of1974, Part::CONTROL_1974),
            (Reading::Extended, Part::CONTROL_EXTENDED),
        ] {
            let [left, right] = [changed[0].and(mask), changed[real].and(mask)];
            if left.or(right).is_empty() {
                continue;
            }
            let escapes = trial.executed(real).is_some();
            // Best is what ring 0 does and the guest's ring drops in silence; then what it does in both.
            let score = 4 * u32::from(escapes) + 2 * u32::from(left != right);
            let finding = Finding::Control {
                reading,
                changed: [left, right],
            };
            self.offer(
                finding,
                score,
                escapes,
                None,
                [&trial.runs[0], &trial.runs[real]],
                trial.insn,
            );
        }
    }

    /// Two executions parted.
    pub(crate) fn behaviour(
        &mut self,
        finding: Finding,
        parting: Parting,
        left: (&Trial, usize),
        right: (&Trial, usize),
    ) {
        let score = match finding {
            Finding::Mode { believed: 0, real: 1 } => 4,
            Finding::Mode { real: 1, .. } => 3,
            Finding::Mode { believed: 0, .. } => 2,
            Finding::Situation { ring: 3, .. } => 3,
            Finding::Situation { ring: 1, .. } => 2,
            _ => 1,
        };
        let sides = [&left.0.runs[left.1], &right.0.runs[right.1]];
        let escapes = right.1 == 1 || right.1 == 3;
        self.offer(finding, score, escapes, Some(parting), sides, left.0.insn);
    }

    fn offer(
        &mut self,
        finding: Finding,
        score: u32,
        escapes: bool,
        parting: Option<Parting>,
        sides: [&Run; 2],
        insn: Instruction,
    ) {
        let slot = &mut self.0[finding.slot()];
        if slot.as_ref().is_none_or(|kept| kept.score < score) {
            *slot = Some(Shown {
                score,
                escapes,
                finding,
                parting,
                insn,
                sides: sides.map(|run| (run.before.clone(), run.after.clone())),
            });
        }
    }

    /// All of them, the one that says most first: of a hole, one that shows the escape.
    pub(crate) fn all(&self) -> Vec<Witness> {
        let mut all: Vec<&Shown> = self.0.iter().flatten().collect();
        all.sort_by_key(|shown| !shown.escapes);
        all.into_iter().map(Shown::witness).collect()
    }
}

impl Shown {
    fn witness(&self) -> Witness {
        let word = self.insn.encode();
        let (kind, differ_in) = match self.finding {
            Finding::Control { .. } => ("control", Part::Ring.name()),
            Finding::Mode { .. } => ("mode", Part::Ring.name()),
            Finding::Situation { part, .. } => match part.reading() {
                Reading::Of1974 => ("location", part.name()),
                Reading::Extended => ("extended", part.name()),
            },
        };
        let reading = if self.finding.slot() < 3 {
            Reading::Of1974
        } else {
            Reading::Extended
        };
        let outcome = self.sides.each_ref().map(|(_, after)| match after {
            Ok(_) => "executed".to_string(),
            Err(trap) => format!("traps: {}", trap.cause),
        });
        let (parts, condition) = self.verdict();
        Witness {
            kind,
            reading: reading.name(),
            instruction: disassemble(word, PC),
            word,
            differ_in,
            state: self.fields(),
            outcome,
            parts,
            condition,
        }
    }

    /// Where the states part, and which condition that meets.
    fn verdict(&self) -> (String, String) {
        let ring = |side: usize| self.sides[side].0.hart.ring();
        if let Finding::Control { changed, .. } = self.finding {
            let did = |side: usize| match (&self.sides[side].1, changed[side]) {
                (Err(_), _) => format!("in ring {} it traps", ring(side)),
                (Ok(_), none) if none.is_empty() => {
                    format!(
                        "in ring {} it is executed and changes no control state",
                        ring(side)
                    )
                }
                (Ok(_), some) => format!("in ring {} it changes {some}", ring(side)),
            };
            let condition = format!(
                "control sensitive: {}",
                control_condition(changed[0].or(changed[1]))
            );
            return (format!("{}; {}", did(0), did(1)), condition);
        }
        let of = |value: &dyn Fn(&State) -> String| {
            self.sides
                .each_ref()
                .map(|(_, after)| after.as_ref().map_or(String::new(), value))
        };
        let (what, [left, right]) = match self.parting {
            Some(Parting::Register(number)) => (
                REGISTER_NAMES[number & 15].to_string(),
                of(&|state| hex(state.hart.x[number])),
            ),
            Some(Parting::Pc) => ("pc".to_string(), of(&|state| hex(state.hart.pc))),
            Some(Parting::Memory { address, words }) => {
                (format!("the program's word at {address:#x}"), words.map(hex))
            }
            Some(Parting::Others(real)) => {
                let what = format!("it stores to real address {real:#x}, which is not the program's");
                return (what, E_DIFFERS.to_string());
            }
            None => return (String::new(), String::new()),
        };
        let condition = if what == "pc" { P_DIFFERS } else { E_DIFFERS };
        (
            format!("{what} becomes {left} on the left, {right} on the right"),
            condition.to_string(),
        )
    }

    /// The parts of the states that matter: the ring, P and R; operands; whatever differs or changes.
    fn fields(&self) -> Vec<Field> {
        let columns = self.sides.each_ref().map(|(before, after)| {
            let after = after.as_ref().ok();
            let after = after.map(|after| values(after, before, self.insn));
            (values(before, before, self.insn), after)
        });
        let [(left, left_after), (right, right_after)] = columns;
        let mut fields = Vec::new();
        for (number, (name, value, always)) in left.into_iter().enumerate() {
            let after = |values: &Option<Vec<(String, String, bool)>>| {
                values.as_ref().map(|values| values[number].1.clone())
            };
            let field = Field {
                name,
                left: Values {
                    before: value,
                    after: after(&left_after),
                },
                right: Values {
                    before: right[number].1.clone(),
                    after: after(&right_after),
                },
            };
            let still = |values: &Values| values.after.as_ref().is_none_or(|after| *after == values.before);
            let same = field.left.before == field.right.before && still(&field.left) && still(&field.right);
            if always || !same {
                fields.push(field);
            }
        }
        fields
    }
}

const E_DIFFERS: &str = "behaviour sensitive: e1 | r ≠ e2 | r⊕x";
const P_DIFFERS: &str = "behaviour sensitive: p1 ≠ p2";

/// Which conditions of control sensitivity these changes meet.
fn control_condition(changed: Parts) -> String {
    let mut conditions = Vec::new();
    let mut say = |condition: &'static str| {
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    };
    for part in changed.iter() {
        say(match part {
            Part::Ring | Part::Operation => "m1 ≠ m2",
            Part::Relocation | Part::Base | Part::Limits | Part::Window | Part::PageTable => "r1 ≠ r2",
            Part::TrapVector | Part::TrapFrame => "the words of the trap exchange change",
            _ => "control state of the extended reading changes",
        });
    }
    conditions.join(", ")
}

fn hex(word: u32) -> String {
    format!("{word:#010x}")
}

/// All parts of a state as text, and whether each is shown in any case. Memory is shown as what was stored since
/// `before`.
fn values(state: &State, before: &State, insn: Instruction) -> Vec<(String, String, bool)> {
    let (hart, csr, status) = (&state.hart, &state.hart.csr, state.hart.csr.status);
    let on = |bit: u32| if bit != 0 { "on" } else { "off" }.to_string();
    let mut all = vec![
        ("ring".to_string(), hart.ring().to_string(), true),
        ("pc".to_string(), hex(hart.pc), true),
    ];
    for (number, name) in REGISTER_NAMES.into_iter().enumerate().skip(1) {
        let named = [insn.rd, insn.rs1, insn.rs2].contains(&(number as u8));
        all.push((name.to_string(), hex(hart.x[number]), named));
    }
    let mut say = |name: &str, value: String, always: bool| all.push((name.to_string(), value, always));
    let new = |(address, word): &(u32, u32)| before.memory.word(*address) != Some(*word);
    let stores = state.memory.changed().filter(new);
    let stores: Vec<String> = stores
        .map(|(at, word)| format!("{at:#x}: {}", hex(word)))
        .collect();
    let stores = if stores.is_empty() {
        "none".to_string()
    } else {
        stores.join(", ")
    };
    say("real stores", stores, false);
    say("relocation", on(status.0 & Status::RE), true);
    say("base", hex(csr.base), true);
    say("bound", hex(csr.bound), true);
    say("xbound", hex(csr.xbound), false);
    say("window", hex(csr.window), false);
    say("ptbr", hex(csr.ptbr), false);
    say("tvec", hex(csr.tvec), false);
    say("epc", hex(csr.epc), false);
    say("cause", hex(csr.cause), false);
    say("tval", hex(csr.tval), false);
    say("old ring", status.previous_ring().to_string(), false);
    say("old relocation", on(status.0 & Status::PRE), false);
    say("interrupts", on(status.0 & Status::IE), false);
    say("old interrupts", on(status.0 & Status::PIE), false);
    say("I/O level", status.iopl().to_string(), false);
    say("scratch", hex(csr.scratch), false);
    say("clock", state.clock.to_string(), false);
    say(
        "halted",
        if state.halted { "yes" } else { "no" }.to_string(),
        false,
    );
    let devices = &state.devices;
    say("timer", devices.timer.value().to_string(), false);
    say("irq enables", hex(devices.enabled), false);
    let console = &devices.console;
    let waits = if console.waiting() { "input" } else { "no input" };
    say(
        "console",
        format!("{waits}, {} printed", console.output().len()),
        false,
    );
    say("disk", format!("{} bytes", devices.disk.data().len()), false);
    let power = devices
        .power_off
        .map_or("on".to_string(), |code| format!("off, code {code}"));
    say("power", power, false);
    say("identity", hex(state.identity), false);
    all
}
