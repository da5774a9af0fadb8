//! Fit and prediction: prices that the nano-benchmarks of Adams and Agesen (2006) determine, by the rule of ADR 9, and
//! what follows from them for what they measured else.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::mode::ModeName;
use crate::modes::assist::Paging;
use crate::modes::translate::Scope;
use crate::modes::trap::Layout;
use crate::price::PriceList;
use crate::tally::Tally;

const BARE: ModeName = ModeName::Bare;
const TRAP: ModeName = ModeName::Trap(Layout::RingDeprivileging);
const TRANSLATE: ModeName = ModeName::Translate(Scope::Kernel);
const CALLOUTS: ModeName = ModeName::Translate(Scope::Callouts);
/// Their hardware had no nested paging.
const HARDWARE: ModeName = ModeName::Assist(Paging::Shadow);

/// What is due for some turns of a scenario's loop under one mode.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Turns.
    pub turns: u64,
    /// What is due for all of them.
    pub tally: Tally,
}

impl Loop {
    /// Cycles for one turn.
    pub fn cycles(&self, list: &PriceList) -> f64 {
        self.tally.cycles(list) as f64 / self.turns as f64
    }
}

/// The loops that were run, by scenario and mode.
pub type Loops = BTreeMap<(&'static str, &'static str), Loop>;

fn find<'a>(loops: &'a Loops, scenario: &'static str, mode: ModeName) -> Option<&'a Loop> {
    loops.get(&(scenario, mode.name()))
}

/// A nano-benchmark that was measured on a real processor, in cycles.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its published name.
    pub benchmark: &'static str,
    /// The scenario that is like it.
    pub scenario: &'static str,
    /// The mode that is like the method.
    pub mode: ModeName,
    /// What they measured.
    pub published: u64,
}

/// The published names of the nano-benchmarks, and our scenarios.
pub const BENCHMARKS: [(&str, &str); 7] = [
    ("syscall", "nano-syscall"),
    ("in", "nano-in"),
    ("cr8wr", "nano-csrw"),
    ("call_ret", "nano-call"),
    ("pgfault", "nano-pgfault"),
    ("divzero", "nano-fault"),
    ("ptemod", "nano-ptemod"),
];

/// The same for one instruction by several mechanisms.
pub const CLOCK: (&str, &str) = ("rdtsc", "nano-instret");

/// Of the file of published figures, what is read here.
#[derive(Deserialize)]
struct Published {
    adams_agesen_2006: AdamsAgesen,
}

#[derive(Deserialize)]
struct AdamsAgesen {
    nanobench: BTreeMap<String, Three>,
    rdtsc: Mechanisms,
    r#macro: BTreeMap<String, Three>,
}

/// Native, binary translation, hardware.
#[derive(Clone, Copy, Deserialize)]
struct Three {
    native: f64,
    bt: f64,
    hw: f64,
}

#[derive(Deserialize)]
struct Mechanisms {
    trap_and_emulate: u64,
    callout: u64,
    in_translation_cache: u64,
}

static PUBLISHED: LazyLock<AdamsAgesen> = LazyLock::new(|| {
    let file: Published =
        toml::from_str(include_str!("../data/published.toml")).expect("a test reads the file");
    file.adams_agesen_2006
});

/// Everything that Adams and Agesen measured in cycles.
///
/// # Panics
/// Never: a test reads the file.
pub fn points() -> Vec<Point> {
    let seven = BENCHMARKS.iter().flat_map(|(benchmark, scenario)| {
        let measured = PUBLISHED.nanobench[*benchmark];
        [
            (BARE, measured.native),
            (TRANSLATE, measured.bt),
            (HARDWARE, measured.hw),
        ]
        .map(|(mode, cycles)| Point {
            benchmark,
            scenario,
            mode,
            published: cycles as u64,
        })
    });
    let rdtsc = &PUBLISHED.rdtsc;
    let (benchmark, scenario) = CLOCK;
    let three = [
        (TRAP, rdtsc.trap_and_emulate),
        (CALLOUTS, rdtsc.callout),
        (TRANSLATE, rdtsc.in_translation_cache),
    ]
    .map(|(mode, published)| Point {
        benchmark,
        scenario,
        mode,
        published,
    });
    seven.chain(three).collect()
}

/// The rule: which price which benchmark determines, in this order. ADR 9 says why.
const RULE: [(&str, &str, ModeName); 9] = [
    ("system_call", "syscall", BARE),
    ("trap", "divzero", BARE),
    ("io", "in", BARE),
    ("csr", "cr8wr", BARE),
    ("callout", "rdtsc", CALLOUTS),
    ("dispatch", "rdtsc", TRAP),
    ("reflect", "syscall", TRANSLATE),
    ("shadow_fill", "pgfault", TRANSLATE),
    ("emulate_access", "ptemod", HARDWARE),
];

/// A price as the rule finds it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fitted {
    /// Its name.
    pub price: &'static str,
    /// What determines it.
    pub benchmark: &'static str,
    /// Under this mode.
    #[serde(serialize_with = "by_name")]
    pub mode: ModeName,
    /// What was measured there.
    pub published: u64,
    /// The price; none if the loop does not pay it, so that the benchmark says nothing about it.
    pub cycles: Option<u64>,
}

fn by_name<S: serde::Serializer>(mode: &ModeName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(mode.name())
}

/// The prices that the rule finds, with what else is on this list. Nothing is found where a loop was not run.
pub fn fit(list: &PriceList, loops: &Loops) -> Vec<Fitted> {
    let textbook = PriceList::textbook();
    let of_rule = |name: &str| RULE.iter().any(|(price, ..)| *price == name);
    // What is still to be determined is as assumed.
    let mut list = list.changed(|name, old| if of_rule(name) { textbook.price(name) } else { old });
    let points = points();
    let mut found = Vec::new();
    for (price, benchmark, mode) in RULE {
        let point = points
            .iter()
            .find(|point| (point.benchmark, point.mode) == (benchmark, mode));
        let Some((point, ran)) = point.and_then(|point| Some((point, find(loops, point.scenario, mode)?)))
        else {
            continue;
        };
        let due = ran.tally.due(price);
        let others = ran.tally.cycles(&list.changed_only(&[price], 0)) as f64;
        let wanted = point.published as f64 * ran.turns as f64 - others;
        let cycles = (due > 0).then(|| (wanted / due as f64).round().max(0.0) as u64);
        if let Some(cycles) = cycles {
            list = list.changed_only(&[price], cycles);
        }
        found.push(Fitted {
            price,
            benchmark,
            mode,
            published: point.published,
            cycles,
        });
    }
    found
}

/// Whether a point determined a price, or is a check.
pub fn determines(point: &Point) -> Option<&'static str> {
    let rule = RULE
        .iter()
        .find(|(_, benchmark, mode)| (*benchmark, *mode) == (point.benchmark, point.mode));
    rule.map(|(price, ..)| *price)
}

/// A slowdown that was measured on a real processor, and ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// What they ran.
    pub workload: &'static str,
    /// The method.
    pub mode: ModeName,
    /// Their slowdown against native.
    pub published: f64,
    /// Ours, or why there is none.
    pub predicted: Result<f64, &'static str>,
    /// What ours was made of.
    pub from: String,
}

impl Prediction {
    /// The error relative to what was measured.
    pub fn error(&self) -> Option<f64> {
        let predicted = self.predicted.as_ref().ok()?;
        Some(predicted / self.published - 1.0)
    }
}

/// Predictions of what Adams and Agesen measured with whole workloads, by the rule of ADR 9.
pub fn predict(list: &PriceList, loops: &Loops) -> Vec<Prediction> {
    let ratio = |scenario, mode| -> Option<f64> {
        let [own, bare] = [mode, BARE].map(|mode| find(loops, scenario, mode));
        Some(own?.cycles(list) / bare?.cycles(list))
    };
    let time = |name: &str| PUBLISHED.r#macro[name];
    let forkwait = time("forkwait_40k_s");
    let mut all: Vec<Prediction> = [(TRANSLATE, forkwait.bt), (HARDWARE, forkwait.hw)]
        .into_iter()
        .map(|(mode, seconds)| Prediction {
            workload: "forkwait",
            mode,
            published: seconds / forkwait.native,
            predicted: ratio("work-forkwait", mode).ok_or("its loop was not run"),
            from: "work-forkwait".to_string(),
        })
        .collect();
    let compile = time("kernel_compile_s");
    let apache = time("apache_linux_rps");
    for (workload, slow, other) in [
        (
            "compile",
            [compile.bt / compile.native, compile.hw / compile.native],
            "work-forkwait",
        ),
        (
            "apache",
            [apache.native / apache.bt, apache.native / apache.hw],
            "work-server",
        ),
    ] {
        let loops = (|| {
            let of = |mode| Some((ratio("work-compute", mode)?, ratio(other, mode)?));
            Some([of(TRANSLATE)?, of(HARDWARE)?])
        })();
        let share = loops.map(|[(compute, rest), _]| (rest - slow[0]) / (rest - compute));
        let (predicted, from) = match (loops, share) {
            (Some([_, (compute, rest)]), Some(share)) if (0.0..=1.0).contains(&share) => (
                Ok(share * compute + (1.0 - share) * rest),
                format!("{:.0} % work-compute, rest {other}", share * 100.0),
            ),
            (Some(_), _) => (
                Err("no mixture of our two workloads is slowed by translation as theirs is"),
                format!("work-compute, {other}"),
            ),
            (None, _) => (Err("its loops were not run"), String::new()),
        };
        all.push(Prediction {
            workload,
            mode: HARDWARE,
            published: slow[1],
            predicted,
            from,
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_figures_are_read() {
        let points = points();
        assert_eq!(points.len(), 24);
        let of = |benchmark, mode| points.iter().find(|p| (p.benchmark, p.mode) == (benchmark, mode));
        assert_eq!(of("in", HARDWARE).map(|point| point.published), Some(15_826));
        assert_eq!(of("rdtsc", CALLOUTS).map(|point| point.published), Some(1254));
        assert_eq!(
            points.iter().filter(|point| determines(point).is_some()).count(),
            RULE.len()
        );
    }

    #[test]
    fn each_price_makes_its_benchmark_exact_or_is_left_alone() {
        let ran = |due: &[(&'static str, i64)]| Loop {
            turns: 10,
            tally: Tally::new(due.iter().copied()),
        };
        let loops = Loops::from([
            (("nano-syscall", "bare"), ran(&[("system_call", 10), ("alu", 20)])),
            (("nano-fault", "bare"), ran(&[("trap", 10), ("system_call", 10)])),
            (("nano-in", "bare"), ran(&[("alu", 10)])),
            (("nano-csrw", "bare"), ran(&[("csr", 10), ("trap", 10)])),
        ]);
        let found = fit(&PriceList::textbook(), &loops);
        let cycles: Vec<_> = found.iter().map(|one| (one.price, one.cycles)).collect();
        assert_eq!(
            cycles,
            [
                ("system_call", Some(240)),
                ("trap", Some(649)),
                ("io", None),
                ("csr", Some(0))
            ]
        );
    }
}
