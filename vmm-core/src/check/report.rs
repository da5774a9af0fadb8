//! A whole checked run of one mode, and the comparison of several.

use serde::Serialize;
use toy_isa::engine::Figures;

use crate::check::Verdicts;
use crate::check::checked::{self, Checked, Judged, Terms};
use crate::check::equivalence::Grain;
use crate::check::holes::Findings;
use crate::counts::Counts;
use crate::engine::EngineName;
use crate::event::Log;
use crate::mode::{End, ModeName};
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
    if checked::has_hardware(setup) {
        let mut bare = Run::new(setup, ModeName::Bare, options.engine)?;
        bare.finish(options.budget);
        bare_counts = Some(bare.counts());
    }
    let reports = modes.iter().map(|mode| {
        let checked = Checked::new(setup, *mode, options.terms())?;
        Ok(checked.finish()?.report(bare_counts.as_ref(), options.prices))
    });
    reports.collect()
}

impl Options<'_> {
    fn terms(&self) -> Terms {
        Terms {
            engine: self.engine,
            budget: self.budget,
            grain: self.grain,
            now: self.now,
        }
    }
}

impl Judged {
    /// All that became of the guest, priced. What the bare machine has counted is known, if there is one.
    pub fn report(self, bare: Option<&Counts>, prices: &PriceList) -> Report {
        let counts = self.run.counts();
        let view = self.run.guest();
        let cycles = prices.cycles(&counts);
        Report {
            mode: self.run.mode_name,
            end: self.end,
            retired: view.pace.retired(),
            direct: counts.direct_total(),
            traps: counts.traps_total(),
            emulated: counts.emulated_total() + counts.interpreted_total() + counts.emitted_total(),
            cycles,
            slowdown: bare.map(|bare| match prices.cycles(bare) {
                0 => 1.0,
                bare => cycles as f64 / bare as f64,
            }),
            without_tlb: counts.tlb.is_none() || bare.is_some_and(|bare| bare.tlb.is_none()),
            wall_ns: self.wall_ns,
            console: view.devices.console.output().to_vec(),
            compared: self.compared,
            verdict: self.verdict,
            findings: self.findings,
            counts,
            figures: self.run.figures(),
            log: self.run.log.clone(),
            last: self.run,
        }
    }
}
