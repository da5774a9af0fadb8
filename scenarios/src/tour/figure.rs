//! Figures: what a text says of a run, and a claim compares. They are taken of runs, never typed.

use std::fmt;

use toy_isa::hart::{Csrs, Hart};
use vmm_core::counts::Counts;
use vmm_core::event::{Event, Record};
use vmm_core::mode::{End, ModeName};
use vmm_core::numbers::{exact, percent};
use vmm_core::price::PriceList;
use vmm_core::run::Run;

use super::wholes::{Whole, Wholes};
use super::{Mark, Tour};

/// What a run has come to, at a stop or at its end.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Instructions of the guest that have retired.
    pub retired: u64,
    /// The guest's clock.
    pub clock: u64,
    /// What was counted.
    pub counts: Counts,
    /// The processor as the guest sees it.
    pub guest: Hart,
    /// The real one.
    pub real: Hart,
    /// The ring in which the processor really was when the guest last left to its monitor.
    pub left: Option<u32>,
    /// Bytes of console output.
    pub printed: u64,
    /// How the guest ended, if it has.
    pub end: Option<End>,
}

impl Reading {
    /// Of a run as it is; `events` are its last ones.
    pub fn of<'a>(run: &Run, events: impl DoubleEndedIterator<Item = &'a Record>) -> Reading {
        let guest = run.guest();
        let left = |record: &Record| match record.event {
            Event::Exit { real_ring, .. } => Some(real_ring),
            _ => None,
        };
        Reading {
            retired: guest.pace.retired(),
            clock: guest.pace.clock,
            counts: run.counts(),
            left: events.rev().find_map(left),
            printed: guest.devices.console.output().len() as u64,
            guest: guest.hart,
            real: run.machine().hart.clone(),
            end: run.ended(),
        }
    }
}

/// What can be told of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    Retired,
    Clock,
    Direct,
    Directly,
    Translated,
    Interpreted,
    Traps,
    Emulated,
    Hypercalls,
    Printed,
    Cycles,
    Slowdown,
    Ring,
    RealRing,
    Interrupts,
    ExitCode,
    Pc,
    Equivalence,
    ResourceControl,
    Efficiency,
    /// A control register as the guest sees it, by its place in [`Csrs::NAMES`].
    Csr(usize),
    /// The real one.
    RealCsr(usize),
    /// One of [`Counts::scalars`].
    Scalar(&'static str),
}

/// What stands before the name of a control register for the real one.
const REAL: &str = "real_";

/// Those that have a name of their own here.
const NAMED: [(&str, Quantity); 20] = [
    ("retired", Quantity::Retired),
    ("clock", Quantity::Clock),
    ("direct", Quantity::Direct),
    ("directly", Quantity::Directly),
    ("translated", Quantity::Translated),
    ("interpreted", Quantity::Interpreted),
    ("traps", Quantity::Traps),
    ("emulated", Quantity::Emulated),
    ("hypercalls", Quantity::Hypercalls),
    ("printed", Quantity::Printed),
    ("cycles", Quantity::Cycles),
    ("slowdown", Quantity::Slowdown),
    ("ring", Quantity::Ring),
    ("real_ring", Quantity::RealRing),
    ("interrupts", Quantity::Interrupts),
    ("exit_code", Quantity::ExitCode),
    ("pc", Quantity::Pc),
    ("equivalence", Quantity::Equivalence),
    ("resource_control", Quantity::ResourceControl),
    ("efficiency", Quantity::Efficiency),
];

impl Quantity {
    pub(super) fn from_name(name: &str) -> Option<Quantity> {
        let named = NAMED.into_iter().find(|(known, _)| *known == name);
        let scalars = || {
            let scalars = Counts::default().scalars().into_iter();
            scalars.map(|(known, _)| known).find(|known| *known == name)
        };
        let csr = |name: &str| Csrs::NAMES.iter().position(|known| *known == name);
        named
            .map(|(_, quantity)| quantity)
            .or_else(|| scalars().map(Quantity::Scalar))
            .or_else(|| csr(name).map(Quantity::Csr))
            .or_else(|| csr(name.strip_prefix(REAL)?).map(Quantity::RealCsr))
    }

    pub(super) fn names() -> Vec<String> {
        let named = NAMED.into_iter().map(|(name, _)| name);
        let scalars = Counts::default().scalars();
        let scalars = scalars.into_iter().map(|(name, _)| name);
        let real = Csrs::NAMES.map(|name| format!("{REAL}{name}"));
        let names = named.chain(scalars).chain(Csrs::NAMES).map(str::to_string);
        names.chain(real).collect()
    }

    /// Whether only a check of the whole run tells.
    pub(super) fn is_verdict(self) -> bool {
        matches!(
            self,
            Quantity::Equivalence | Quantity::ResourceControl | Quantity::Efficiency
        )
    }

    /// Whether it can be told only of a run that is over.
    pub(super) fn is_of_whole_runs(self) -> bool {
        self.is_verdict() || self == Quantity::Slowdown
    }

    /// Whether it is a state, of which there is no more or less.
    pub(super) fn is_state(self) -> bool {
        matches!(
            self,
            Quantity::Ring
                | Quantity::RealRing
                | Quantity::Interrupts
                | Quantity::ExitCode
                | Quantity::Pc
                | Quantity::Csr(_)
                | Quantity::RealCsr(_)
        )
    }
}

/// What a figure is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// How often, or how much.
    Number(u64),
    /// So many times as much.
    Times(f64),
    /// A part of a whole.
    Share(u64, u64),
    /// What a register holds.
    Register(u32),
    /// A state, or a verdict.
    Word(&'static str),
}

impl Value {
    /// As a number that can be compared; a share in percent. A word is none.
    pub(super) fn amount(&self) -> Option<f64> {
        Some(match self {
            Value::Number(number) => *number as f64,
            Value::Times(times) => *times,
            Value::Share(part, whole) => 100.0 * *part as f64 / (*whole).max(1) as f64,
            Value::Register(value) => (*value).into(),
            Value::Word(_) => return None,
        })
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => f.write_str(&exact(*number)),
            Value::Times(times) => write!(f, "{times:.2}"),
            Value::Share(part, whole) => f.write_str(&percent(*part, *whole)),
            Value::Register(value) => write!(f, "{value:#010x}"),
            Value::Word(word) => f.write_str(word),
        }
    }
}

fn yes_or_no(yes: bool) -> Value {
    Value::Word(if yes { "yes" } else { "no" })
}

impl Quantity {
    /// Of a run as it is, or since another reading of it.
    pub(super) fn of(self, now: &Reading, since: Option<&Reading>, prices: &PriceList) -> Option<Value> {
        match self {
            Quantity::Directly => {
                let number = |quantity: Quantity| match quantity.of(now, since, prices) {
                    Some(Value::Number(number)) => number,
                    _ => 0,
                };
                Some(Value::Share(number(Quantity::Direct), number(Quantity::Retired)))
            }
            Quantity::Ring => Some(Value::Number(now.guest.ring().into())),
            Quantity::RealRing => Some(Value::Number(now.left?.into())),
            Quantity::Interrupts => {
                let on = now.guest.csr.status.interrupts();
                Some(Value::Word(if on { "on" } else { "off" }))
            }
            Quantity::Pc => Some(Value::Register(now.guest.pc)),
            Quantity::Csr(place) => Some(Value::Register(now.guest.csr.words()[place])),
            Quantity::RealCsr(place) => Some(Value::Register(now.real.csr.words()[place])),
            Quantity::ExitCode => match now.end {
                Some(End::PowerOff(code)) => Some(Value::Number(code.into())),
                _ => None,
            },
            _ => {
                let before = since.map_or(Some(0), |since| self.number(since, prices))?;
                Some(Value::Number(self.number(now, prices)?.saturating_sub(before)))
            }
        }
    }

    /// Of a run that is over.
    pub(super) fn of_whole(self, whole: &Whole, prices: &PriceList) -> Option<Value> {
        let verdicts = whole.verdicts.as_ref();
        match self {
            Quantity::Slowdown => {
                let bare = prices.cycles(&whole.bare).max(1);
                let cycles = prices.cycles(&whole.reading.counts);
                Some(Value::Times(cycles as f64 / bare as f64))
            }
            Quantity::Equivalence => Some(yes_or_no(verdicts?.equivalence.holds)),
            Quantity::ResourceControl => Some(yes_or_no(verdicts?.resource_control.holds)),
            Quantity::Efficiency => Some(yes_or_no(verdicts?.efficiency.holds)),
            _ => self.of(&whole.reading, None, prices),
        }
    }

    fn number(self, reading: &Reading, prices: &PriceList) -> Option<u64> {
        let counts = &reading.counts;
        Some(match self {
            Quantity::Retired => reading.retired,
            Quantity::Clock => reading.clock,
            Quantity::Printed => reading.printed,
            Quantity::Direct => counts.direct_total(),
            Quantity::Translated => counts.translated.iter().sum(),
            Quantity::Interpreted => counts.interpreted_total() + counts.emitted_total(),
            Quantity::Traps => counts.traps_total(),
            Quantity::Emulated => counts.emulated_total(),
            Quantity::Hypercalls => counts.hypercalls_total(),
            Quantity::Cycles => prices.cycles(counts),
            Quantity::Scalar(name) => counts.scalars().into_iter().find(|(known, _)| *known == name)?.1,
            Quantity::Directly
            | Quantity::Slowdown
            | Quantity::Ring
            | Quantity::RealRing
            | Quantity::Interrupts
            | Quantity::ExitCode
            | Quantity::Pc
            | Quantity::Csr(_)
            | Quantity::RealCsr(_)
            | Quantity::Equivalence
            | Quantity::ResourceControl
            | Quantity::Efficiency => return None,
        })
    }
}

/// Of which run, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// The run at this stop (by its place in the tour), or at the one where the text is; up to there, or since the stop
    /// before.
    Stop { at: Option<usize>, since: bool },
    /// The guest under this mode, from power-on to its end.
    Whole(ModeName),
}

/// A figure: a quantity of a run, on a list of prices.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) quantity: Quantity,
    pub(super) of: Of,
    /// The stop's own list, if none is named.
    pub(super) prices: Option<PriceList>,
}

/// What is known of the runs of a tour: figures are read of it.
pub struct Known<'a> {
    pub(super) tour: &'a Tour,
    /// The stop whose text is read.
    pub(super) stop: usize,
    /// Where the stops were found, as far as they were reached.
    pub(super) marks: &'a [Option<Mark>],
    /// What whole runs came to, as far as that is known.
    pub(super) wholes: &'a Wholes,
}

impl Figure {
    /// Its value; `None` as long as that is not known.
    pub(super) fn value(&self, known: &Known) -> Option<Value> {
        let stop = known.tour.stops.get(known.stop)?;
        let prices = self.prices.as_ref().unwrap_or(&stop.prices);
        match self.of {
            Of::Whole(mode) => {
                let whole = known.wholes.of(stop.scene, mode)?;
                self.quantity.of_whole(whole, prices)
            }
            Of::Stop { at, since } => {
                let at = at.unwrap_or(known.stop);
                let reading = |stop: usize| Some(&known.marks.get(stop)?.as_ref()?.reading);
                let before = match since.then(|| known.tour.before(at)) {
                    Some(Some(before)) => Some(reading(before)?),
                    _ => None,
                };
                self.quantity.of(reading(at)?, before, prices)
            }
        }
    }
}
