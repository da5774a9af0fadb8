//! A whole checked run of one mode, and the comparison of several.

use serde::Serialize;
use toy_isa::disasm::disassemble;
use toy_isa::engine::Figures;
use toy_isa::image::Image;

use crate::check::equivalence::{Comparison, Difference, Divergence, Grain, Pair};
use crate::check::holes::{self, Findings};
use crate::check::streams::{Likeness, Outcome};
use crate::check::{UNDEFINED, Verdict, Verdicts, efficiency, resource};
use crate::counts::Counts;
use crate::engine::EngineName;
use crate::event::Log;
use crate::mode::{End, ModeName};
use crate::numbers::{counted, exact};
use crate::price::PriceList;
use crate::run::Run;
use crate::setup::{Setup, StartError};

/// How to run and check.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// What executes the guest's code.
    pub engine: EngineName,
    /// Attempts at an instruction, of either side, after which a run is ended.
    pub budget: u64,
    /// How finely states are compared.
    pub grain: Grain,
    /// What cycles are counted in.
    pub prices: &'a PriceList,
    /// A clock of the host in nanoseconds, from any beginning. What has no clock passes a constant.
    pub now: fn() -> u64,
}

/// What became of a guest under one mode.
pub struct Report {
    /// Which mode.
    pub mode: ModeName,
    /// How the guest ended.
    pub end: End,
    /// Instructions that retired, in the guest's own count.
    pub retired: u64,
    /// Of these, how many the hardware executed directly.
    pub direct: u64,
    /// Hardware entries into ring 0.
    pub traps: u64,
    /// Instructions that a monitor carried out.
    pub emulated: u64,
    /// Simulated cycles, on the price list; without those of the TLB's misses where nobody counted them
    /// ([`Counts::tlb`]).
    pub cycles: u64,
    /// Cycles relative to the bare machine's; `None` if the guest has no bare machine.
    pub slowdown: Option<f64>,
    /// Whether the misses of the TLB are missing in the cycles, or in those of the bare machine.
    pub without_tlb: bool,
    /// Host time that the run took, without the checks.
    pub wall_ns: u64,
    /// What the guest printed.
    pub console: Vec<u8>,
    /// Points at which states were compared and equal; of a ported guest, output streams.
    pub compared: u64,
    /// The three properties.
    pub verdict: Verdicts,
    /// Where the guest left the path of the bare machine, and through which holes.
    pub findings: Option<Findings>,
    /// Everything that was counted.
    pub counts: Counts,
    /// What the engine has to say about how it executed.
    pub figures: Figures,
    /// The last events.
    pub log: Log,
    /// The guest at its end, for expectations.
    pub last: Run,
}

impl Report {
    /// The guest's exit code, if it switched itself off.
    pub fn exit_code(&self) -> Option<u32> {
        match self.end {
            End::PowerOff(code) => Some(code),
            _ => None,
        }
    }
}

impl Serialize for Report {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("mode", self.mode.name())?;
        map.serialize_entry("exit_code", &self.exit_code())?;
        map.serialize_entry("end", &self.end.to_string())?;
        map.serialize_entry("retired", &self.retired)?;
        map.serialize_entry("direct", &self.direct)?;
        map.serialize_entry("traps", &self.traps)?;
        map.serialize_entry("emulated", &self.emulated)?;
        map.serialize_entry("cycles", &self.cycles)?;
        map.serialize_entry("slowdown", &self.slowdown)?;
        map.serialize_entry("without_tlb", &self.without_tlb)?;
        map.serialize_entry("wall_ns", &self.wall_ns)?;
        map.serialize_entry("console", &String::from_utf8_lossy(&self.console))?;
        map.serialize_entry("compared", &self.compared)?;
        map.serialize_entry("verdict", &self.verdict)?;
        map.serialize_entry("counts", &self.counts)?;
        if self.mode == ModeName::Kvm {
            map.serialize_entry("kvm", &Real(self))?;
        }
        map.end()
    }
}

/// What the real virtual machine did, for machines to read.
struct Real<'a>(&'a Report);

impl Serialize for Real<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let Figures {
            emitted,
            exits,
            failure,
        } = &self.0.figures;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("inside", emitted)?;
        for (name, times) in exits {
            map.serialize_entry(name, times)?;
        }
        map.serialize_entry("failure", failure)?;
        map.end()
    }
}

/// Runs a guest under each of these modes and checks each against the bare machine. A foreign guest, which no bare
/// machine can run, is compared with nothing.
///
/// # Errors
/// If the image does not fit the machine, or there is none that one of the modes can run.
pub fn compare(setup: &Setup, modes: &[ModeName], options: Options) -> Result<Vec<Report>, StartError> {
    let mut bare_counts = None;
    if has_hardware(setup) {
        let mut bare = Run::new(setup, ModeName::Bare, options.engine)?;
        bare.finish(options.budget);
        bare_counts = Some(bare.counts());
    }
    modes
        .iter()
        .map(|mode| run(setup, *mode, bare_counts.as_ref(), options))
        .collect()
}

/// Whether there is hardware on which the guest could run as it is: without, there is nothing to hold a mode to.
fn has_hardware(setup: &Setup) -> bool {
    ModeName::Bare.runs_with(setup.image.registers)
}

/// A guest that was run and compared with the bare machine.
struct Compared {
    run: Run,
    wall_ns: u64,
    compared: u64,
    equivalence: Verdict,
    findings: Option<Findings>,
}

/// Runs a guest under one mode beside the bare machine, and compares their states as they go.
fn beside(setup: &Setup, mode: ModeName, options: Options) -> Result<Compared, StartError> {
    let mut pair = Pair::new(setup, mode, options.engine)?;
    resource::guard(&mut pair.guest);
    let mut wall_ns = 0;
    let comparison = pair.compare(options.grain, options.budget, |advance| {
        let start = (options.now)();
        advance();
        wall_ns += (options.now)() - start;
    });
    let failure = pair.guest.figures().failure;
    let findings = match &comparison.difference {
        None => None,
        Some(_) if failure.is_some() => None,
        Some(_) => {
            // The guest goes on alone, so that one sees what becomes of it.
            let start = (options.now)();
            pair.guest.finish(options.budget);
            wall_ns += (options.now)() - start;
            Some(holes::find(setup, mode, options.engine, options.budget)?)
        }
    };
    let end = pair.guest.ended().unwrap_or(End::Budget);
    let equivalence = match failure {
        Some(failure) => Verdict::unknown(format!("not compared to the end: {failure}")),
        None => equivalence(
            mode,
            options.grain,
            end,
            &comparison,
            findings.as_ref(),
            &setup.image,
        ),
    };
    Ok(Compared {
        run: pair.guest,
        wall_ns,
        compared: comparison.compared,
        equivalence,
        findings,
    })
}

/// Runs a guest for which there is no bare machine to compare with.
fn alone(setup: &Setup, mode: ModeName, options: Options) -> Result<Compared, StartError> {
    let mut run = Run::new(setup, mode, options.engine)?;
    resource::guard(&mut run);
    let start = (options.now)();
    run.finish(options.budget);
    Ok(Compared {
        run,
        wall_ns: (options.now)() - start,
        compared: 0,
        equivalence: Verdict::unknown(format!(
            "not compared: the guest is compiled for {} registers, and no hardware here has them",
            setup.image.registers.count()
        )),
        findings: None,
    })
}

/// Runs the port of a guest, and compares what came of it with what comes of the original on the bare machine.
fn port(setup: &Setup, mode: ModeName, options: Options) -> Result<Compared, StartError> {
    let port = setup.port.as_ref().ok_or(StartError::NoPort)?;
    let names = &port.streams;
    let mut bare = Run::new(setup, ModeName::Bare, options.engine)?;
    let original = Outcome::of(&mut bare, names, options.budget, |advance| advance());
    let mut run = Run::new(setup, mode, options.engine)?;
    resource::guard(&mut run);
    let mut wall_ns = 0;
    let outcome = Outcome::of(&mut run, names, options.budget, |advance| {
        let start = (options.now)();
        advance();
        wall_ns += (options.now)() - start;
    });
    let likeness = outcome.likeness(&original, port.process.as_deref());
    let streams = outcome.streams.len() as u64;
    let what =
        "its kernel is another one, so neither states nor the order of the processes' turns are compared";
    let but = match &likeness {
        Likeness::Renumbered => {
            ", but for the numbers of processes, which come from the order of their births"
        }
        _ => "",
    };
    let equivalence = match (&likeness, outcome.end) {
        (Likeness::Different(Difference { what, bare, guest }), _) => {
            Verdict::no(format!("{what}: {bare} on the bare machine, {guest} here"))
        }
        (_, End::Budget) => Verdict::yes(format!(
            "{} output streams begin as on the bare machine{but}, until the budget was used up; {what}",
            exact(streams)
        )),
        _ => Verdict::yes(format!(
            "equal in {} output streams{but}, {} exit codes of processes, the disk and the end; {what}",
            exact(streams),
            outcome.exits.len()
        )),
    };
    Ok(Compared {
        run,
        wall_ns,
        compared: match likeness {
            Likeness::Different(_) => 0,
            Likeness::Equal | Likeness::Renumbered => streams,
        },
        equivalence,
        findings: None,
    })
}

/// Runs a guest under one mode and judges it; what the bare machine did is known, if there is one.
fn run(
    setup: &Setup,
    mode: ModeName,
    bare_counts: Option<&Counts>,
    options: Options,
) -> Result<Report, StartError> {
    let Compared {
        run,
        wall_ns,
        compared,
        equivalence,
        findings,
    } = match mode {
        _ if !has_hardware(setup) => alone(setup, mode, options)?,
        mode if mode == ModeName::Para || setup.runs_port(mode) => port(setup, mode, options)?,
        _ => beside(setup, mode, options)?,
    };
    let counts = run.counts();
    let view = run.guest();
    let retired = view.pace.retired();
    let cycles = options.prices.cycles(&counts);
    let verdict = Verdicts {
        equivalence,
        resource_control: resource::judge(&run),
        efficiency: efficiency::judge(mode, &counts, retired),
    };
    Ok(Report {
        mode,
        end: run.ended().unwrap_or(End::Budget),
        retired,
        direct: counts.direct_total(),
        traps: counts.traps_total(),
        emulated: counts.emulated_total() + counts.interpreted_total() + counts.emitted_total(),
        cycles,
        slowdown: bare_counts.map(|bare| match options.prices.cycles(bare) {
            0 => 1.0,
            bare => cycles as f64 / bare as f64,
        }),
        without_tlb: counts.tlb.is_none() || bare_counts.is_some_and(|bare| bare.tlb.is_none()),
        wall_ns,
        console: view.devices.console.output().to_vec(),
        compared,
        verdict,
        findings,
        counts,
        figures: run.figures(),
        log: run.log.clone(),
        last: run,
    })
}

fn equivalence(
    mode: ModeName,
    grain: Grain,
    end: End,
    comparison: &Comparison,
    findings: Option<&Findings>,
    image: &Image,
) -> Verdict {
    let (one, many) = match grain {
        Grain::SyncPoints => ("sync point", "sync points"),
        Grain::Lockstep => ("instruction, in lockstep", "instructions, in lockstep"),
    };
    let compared = counted(comparison.compared, one, many);
    let Some(difference) = &comparison.difference else {
        return match (mode, end) {
            (ModeName::Bare, _) => Verdict::yes(format!(
                "{UNDEFINED}: this is the machine that all others are compared with"
            )),
            (_, End::Budget) => Verdict::yes(format!("equal at {compared}, until the budget was used up")),
            _ => Verdict::yes(format!("equal at {compared}, and at the end")),
        };
    };
    let found = findings.and_then(|findings| findings.first.as_ref());
    let place = found.map_or_else(
        || {
            let (what, bare, guest) = (&difference.what, &difference.bare, &difference.guest);
            format!("{what} is {bare} on the bare machine, {guest} here")
        },
        |divergence| sentence(divergence, image),
    );
    let holes = findings.map_or(String::new(), describe_holes);
    Verdict::no(format!("equal at {compared}, then: {place}{holes}"))
}

/// A divergence in a sentence.
fn sentence(divergence: &Divergence, image: &Image) -> String {
    let source = source(divergence, image).unwrap_or_default();
    let Divergence {
        clock,
        pc,
        ring,
        instruction,
        difference,
        ..
    } = divergence;
    format!(
        "after `{instruction}` at {pc:#010x} ({source}ring {ring}, clock {}), {} is {} on the bare machine, {} here",
        exact(*clock),
        difference.what,
        difference.bare,
        difference.guest
    )
}

/// The file and line of the instruction, if it stands in the image where the guest executed it.
fn source(divergence: &Divergence, image: &Image) -> Option<String> {
    let pc = divergence.pc;
    let same = disassemble(image.word(pc)?, pc) == divergence.instruction;
    let (file, line) = image.lines.find(pc).filter(|_| same)?;
    Some(format!("{file}:{line}, "))
}

fn describe_holes(findings: &Findings) -> String {
    if findings.lacks_root_operation() {
        return "; a virtual machine has no root operation: of the monitors, only pure emulation gives it to a guest"
            .to_string();
    }
    if findings.holes.is_empty() {
        return "; this instruction is no hole, the monitor itself is wrong".to_string();
    }
    let holes: Vec<String> = findings
        .holes
        .iter()
        .map(|hole| {
            let cousin = hole
                .row
                .cousin()
                .map_or(String::new(), |cousin| format!(", as x86's {cousin}"));
            let confirmed = if hole.confirmed {
                "confirmed"
            } else {
                "not confirmed"
            };
            format!(
                "`{}` {} outside ring 0{cousin} ({confirmed})",
                hole.row,
                verb(hole.behaviour)
            )
        })
        .collect();
    let cured = if findings.cured {
        "; with these trapping, the guest is equivalent"
    } else {
        ""
    };
    format!("; holes: {}{cured}", holes.join(", "))
}

fn verb(behaviour: toy_isa::profile::Behaviour) -> &'static str {
    use toy_isa::profile::Behaviour::*;
    match behaviour {
        Innocuous => "is innocuous",
        Traps => "traps",
        Leaks => "leaks",
        Ignored => "is ignored",
        Partial => "drops bits in silence",
        TakesEffect => "takes effect",
    }
}
