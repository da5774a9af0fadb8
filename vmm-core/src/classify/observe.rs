//! Looking at one row: it is executed in paired states, and what becomes of them is compared.
//!
//! The definitions are those of Popek and Goldberg (1974), section 3, with one departure, ADR 5: an instruction that
//! traps, by whatever cause, does not count as executed.

use toy_isa::bus::Width;
use toy_isa::instruction::Instruction;
use toy_isa::trap::{Cause, Trap};

use super::domain::{PC, Situation};
use super::part::{Part, Parts, Reading, changes};
use super::region::Region;
use super::sample::Sample;
use super::state::State;
use super::witness::{Finding, Witness, Witnesses};
use crate::modes::trap::Layout;

/// What was seen of a row.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// How often it was executed, by ring.
    pub executed: [u64; 4],
    /// How often it trapped, by ring, other than for the memory it wanted.
    pub trapped: [u64; 4],
    /// How often it raised an illegal-instruction trap, by ring.
    pub illegal: [u64; 4],
    /// What it changed when it was executed, by ring.
    pub changed: [Parts; 4],
    /// On what its result depends when it is executed, by ring; the ring itself is not among them.
    pub depends: [Parts; 4],
    /// Whether its result differs between two rings.
    pub differs: [[bool; 4]; 4],
    /// Steps that were made.
    pub steps: u64,
    /// Pairs of states that were compared.
    pub pairs: u64,
    pub(crate) witnesses: Witnesses,
}

/// Which of the guest's rings is meant, by what they believe to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Virtual {
    /// Virtual rings 0 to 2: the guest's kernel.
    Supervisor,
    /// Virtual ring 3: the guest's programs.
    User,
}

/// By what a row is sensitive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sensitivity {
    /// It changes M, R or other control state: *control sensitive*.
    pub control: bool,
    /// What it does depends on where the program stands: *behaviour sensitive*, by location.
    pub location: bool,
    /// What it does depends on the ring: *behaviour sensitive*, by mode.
    pub mode: bool,
    /// What it does depends on state that only the extended reading knows: behaviour sensitive there.
    pub extended: bool,
}

impl Sensitivity {
    /// Whether by anything.
    pub fn any(self) -> bool {
        self != Sensitivity::default()
    }
}

/// The rings in which a layout runs the guest.
pub fn deprivileged(layout: Layout) -> &'static [usize] {
    match layout {
        Layout::RingDeprivileging => &[1, 3],
        Layout::RingCompression => &[3],
    }
}

/// The real ring for each virtual one.
fn real_rings(layout: Layout) -> [usize; 4] {
    match layout {
        Layout::RingDeprivileging => [1, 1, 1, 3],
        Layout::RingCompression => [3; 4],
    }
}

impl Observed {
    /// Whether it traps in every ring, so that by ADR 5 nobody ever sees it executed.
    pub fn never_executes(&self) -> bool {
        self.executed == [0; 4]
    }

    /// Whether it was an illegal instruction in every state that was tried.
    pub fn is_absent(&self) -> bool {
        self.never_executes() && self.illegal == self.trapped
    }

    /// *Privileged*: executed in ring 0, and always trapping in the rings in which a monitor runs a guest. Pairs of
    /// states in which ring 0 traps too say nothing of it (ADR 5).
    pub fn privileged(&self, layout: Layout) -> bool {
        let traps = |ring: &usize| self.executed[*ring] == 0 && self.trapped[*ring] > 0;
        self.executed[0] > 0 && deprivileged(layout).iter().all(traps)
    }

    /// By what it is sensitive to a guest in these virtual rings, run in this layout.
    ///
    /// A virtual supervisor is concerned in the ring that it believes to be in and in the one that it is in, and where
    /// the two differ; a virtual user in ring 3, which it is in and believes to be in.
    pub fn sensitivity(&self, layout: Layout, reading: Reading, who: Virtual) -> Sensitivity {
        let rings = match who {
            Virtual::Supervisor => 0..3,
            Virtual::User => 3..4,
        };
        let mut found = Sensitivity::default();
        for ring in rings {
            let real = real_rings(layout)[ring];
            let changed = self.changed[ring].or(self.changed[real]);
            let depends = self.depends[ring].or(self.depends[real]);
            found.control |= !changed.and(Part::CONTROL_1974).is_empty();
            found.location |= depends.iter().any(|part| part.reading() == Reading::Of1974);
            found.mode |= self.differs[ring][real];
            if reading == Reading::Extended {
                found.control |= !changed.and(Part::CONTROL_EXTENDED).is_empty();
                found.extended |= depends.iter().any(|part| part.reading() == Reading::Extended);
            }
        }
        found
    }

    /// By what it is sensitive to anybody.
    pub fn sensitive(&self, layout: Layout, reading: Reading) -> Sensitivity {
        let [a, b] = [Virtual::Supervisor, Virtual::User].map(|who| self.sensitivity(layout, reading, who));
        Sensitivity {
            control: a.control || b.control,
            location: a.location || b.location,
            mode: a.mode || b.mode,
            extended: a.extended || b.extended,
        }
    }

    /// A *hole*: sensitive in the extended reading, and not privileged.
    pub fn is_hole(&self, layout: Layout) -> bool {
        self.region(layout, Reading::Extended) == Region::Hole
    }

    /// In a sentence, what a guest is shown, or does, or fails to do; empty if it is not sensitive.
    pub fn reason(&self) -> String {
        let control = Part::CONTROL_1974.or(Part::CONTROL_EXTENDED);
        let inside = self.changed[0].and(control);
        let mut changed = Parts::default();
        let mut shown = Parts::default();
        let escapes: Vec<usize> = [1, 3]
            .into_iter()
            .filter(|ring| self.executed[*ring] > 0)
            .collect();
        for ring in if escapes.is_empty() { &[0][..] } else { &escapes } {
            changed = changed.or(self.changed[*ring].and(control));
            shown = shown.or(self.depends[*ring]);
        }
        if self.differs[0][1] || self.differs[0][3] {
            shown.insert(Part::Ring);
        }
        let clause = |verb: &str, parts: Parts| (!parts.is_empty()).then(|| format!("{verb} {parts}"));
        let dropped = inside.without(changed);
        let clauses = [
            clause("changes", changed),
            clause("drops in silence a change of", dropped),
            clause("depends on", shown),
        ];
        clauses.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// Two states that show it best, if it is sensitive.
    pub fn witness(&self) -> Option<Witness> {
        self.witnesses().into_iter().next()
    }

    /// All pairs of states that were kept to show it, the best first: one for each way in which it is sensitive.
    pub fn witnesses(&self) -> Vec<Witness> {
        self.witnesses.all()
    }
}

/// Rings that some layout pairs: the one that a guest believes to be in, and the one that it is in.
const MODE_PAIRS: [(usize, usize); 5] = [(0, 1), (0, 3), (2, 1), (1, 3), (2, 3)];

/// Whether a trap is for the memory that an instruction wanted: Popek and Goldberg's *memory trap*.
pub fn is_memory_trap(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::FetchMisaligned
            | Cause::FetchAccess
            | Cause::LoadMisaligned
            | Cause::LoadAccess
            | Cause::StoreMisaligned
            | Cause::StoreAccess
            | Cause::FetchPage
            | Cause::LoadPage
            | Cause::StorePage
    )
}

/// One execution: the state before, and what became of it.
pub(crate) struct Run {
    pub(crate) before: State,
    pub(crate) after: Result<State, Trap>,
}

impl Run {
    fn memory_trap(&self) -> bool {
        matches!(self.after, Err(trap) if is_memory_trap(trap.cause))
    }
}

/// A situation in which a sample was executed in every ring.
pub(crate) struct Trial<'a> {
    pub(crate) situation: &'a Situation,
    pub(crate) insn: Instruction,
    pub(crate) runs: [Run; 4],
}

impl<'a> Trial<'a> {
    pub(super) fn new(
        step: &impl Fn(&State) -> Result<State, Trap>,
        situation: &'a Situation,
        sample: &Sample,
    ) -> Trial<'a> {
        let runs = std::array::from_fn(|ring| {
            let mut before = situation.state.clone();
            before.hart.csr.status.0 |= ring as u32;
            before.hart.x[10] = sample.a0;
            before.hart.x[11] = sample.a1;
            let written = situation
                .real(PC)
                .and_then(|real| before.memory.write(real, Width::Word, sample.insn.encode()));
            debug_assert!(written.is_some(), "the instruction stands in memory");
            let after = step(&before);
            Run { before, after }
        });
        Trial {
            situation,
            insn: sample.insn,
            runs,
        }
    }

    /// Whether what happened in this ring counts: the definitions exclude memory traps. Ring 0 knows no limit; it
    /// counts where the limit, in the rings that have one, would have let the instruction through.
    fn counts(&self, ring: usize) -> bool {
        let guards: &[usize] = if ring == 0 { &[0, 1, 3] } else { &[ring] };
        guards.iter().all(|ring| !self.runs[*ring].memory_trap())
    }

    /// The state after, if the instruction was executed in this ring.
    pub(crate) fn executed(&self, ring: usize) -> Option<&State> {
        self.runs[ring].after.as_ref().ok().filter(|_| self.counts(ring))
    }

    fn changes(&self, ring: usize) -> Parts {
        self.executed(ring).map_or(Parts::default(), |after| {
            changes(&self.runs[ring].before, after, |real| {
                self.situation.own(real).is_some()
            })
        })
    }
}

/// Where two executions part, as the program sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parting {
    /// A register.
    Register(usize),
    /// The program counter.
    Pc,
    /// A word of the program's own memory.
    Memory {
        /// Its virtual address.
        address: u32,
        /// What it became in both.
        words: [u32; 2],
    },
    /// Real memory that is not the program's, at this real address.
    Others(u32),
}

/// Where two executions part; `None` if they are the same but for relocation: e1 | r = e2 | r', and p1 = p2.
fn parting(a: (&Trial, usize), b: (&Trial, usize)) -> Option<Parting> {
    let (from, to) = (a.0.executed(a.1)?, b.0.executed(b.1)?);
    if from.hart.pc != to.hart.pc {
        return Some(Parting::Pc);
    }
    if from.hart.x != to.hart.x {
        let differs = |number: &usize| from.hart.x[*number] != to.hart.x[*number];
        return (0..32).find(differs).map(Parting::Register);
    }
    let sides = [(a.0.situation, from), (b.0.situation, to)];
    for here in [0, 1] {
        let (situation, state) = sides[here];
        let (other_situation, other) = sides[1 - here];
        for (real, word) in state.memory.changed() {
            let Some(address) = situation.own(real) else {
                // Out of bounds by its real address. If the program moved, that is not the same place seen from there.
                if !situation.stands_as(other_situation) || other.memory.word(real) != Some(word) {
                    return Some(Parting::Others(real));
                }
                continue;
            };
            let there = other_situation
                .real(address)
                .and_then(|real| other.memory.word(real))?;
            if there != word {
                let words = if here == 0 { [word, there] } else { [there, word] };
                return Some(Parting::Memory { address, words });
            }
        }
    }
    None
}

impl Observed {
    /// What it does in each ring, and whether the ring makes a difference.
    pub(super) fn one_situation(&mut self, trial: &Trial) {
        let changed: [Parts; 4] = std::array::from_fn(|ring| trial.changes(ring));
        for (ring, run) in trial
            .runs
            .iter()
            .enumerate()
            .filter(|(ring, _)| trial.counts(*ring))
        {
            match run.after {
                Ok(_) => self.executed[ring] += 1,
                Err(trap) => {
                    self.trapped[ring] += 1;
                    self.illegal[ring] += u64::from(trap.cause == Cause::Illegal);
                }
            }
            self.changed[ring] = self.changed[ring].or(changed[ring]);
        }
        for real in [1, 3] {
            self.witnesses.control(trial, changed, real);
        }
        for (believed, real) in MODE_PAIRS {
            self.pairs += 1;
            if let Some(parting) = parting((trial, believed), (trial, real)) {
                self.differs[believed][real] = true;
                let finding = Finding::Mode { believed, real };
                self.witnesses
                    .behaviour(finding, parting, (trial, believed), (trial, real));
            }
        }
    }

    /// Whether anything else makes a difference in this ring.
    pub(super) fn across_situations(&mut self, trials: &[Trial], ring: usize) {
        let counts =
            |trial: &&Trial| trial.situation.is_of(Reading::Of1974) && trial.executed(ring).is_some();
        let Some(first) = trials.iter().find(counts) else {
            return;
        };
        for trial in trials {
            let Some(part) = trial.situation.part.filter(|_| !std::ptr::eq(trial, first)) else {
                continue;
            };
            self.pairs += 1;
            if let Some(parting) = parting((first, ring), (trial, ring)) {
                self.depends[ring].insert(part);
                let finding = Finding::Situation { part, ring };
                self.witnesses
                    .behaviour(finding, parting, (first, ring), (trial, ring));
            }
        }
    }
}
