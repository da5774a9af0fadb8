//! Efficiency: all innocuous instructions run directly on the hardware.

use crate::check::Verdict;
use crate::counts::Counts;
use crate::mode::ModeName;
use crate::numbers::{exact, percent};

/// The share in percent of instructions that the real processor executes without the monitor, directly or translated,
/// from which on a method that translates is efficient; fixed before anything was measured.
const DOMINANT: u128 = 90;

/// Judges a run by what was counted. `retired` is the number of instructions that the guest retired.
///
/// For `trap` and `assist` it is *strict*: no innocuous instruction needed the monitor. Memory traps (traced
/// page-table stores, shadow and nested fills, devices) are excluded and counted.
pub fn judge(mode: ModeName, counts: &Counts, retired: u64) -> Verdict {
    let direct = counts.direct_total();
    let share = format!(
        "{} of {} instructions ran directly ({})",
        exact(direct),
        exact(retired),
        percent(direct, retired)
    );
    match mode {
        ModeName::Bare => Verdict::yes(format!("{share}; there is no monitor")),
        ModeName::Interpret => Verdict::no(format!(
            "{share}: pure emulation is no monitor in Popek and Goldberg's sense"
        )),
        ModeName::Hybrid => {
            let detail = format!(
                "{share}; {} of the kernel's were interpreted",
                exact(counts.interpreted_total())
            );
            match u128::from(direct) * 100 >= u128::from(retired) * DOMINANT {
                true => Verdict::yes(format!("dominant: {detail}")),
                false => Verdict::no(format!("not dominant (at least {DOMINANT} %): {detail}")),
            }
        }
        ModeName::Translate(_) => {
            // What neither ran directly nor was done by the monitor ran in the cache.
            let cached = retired.saturating_sub(direct + counts.emulated_total());
            let detail = format!(
                "{share}, {} from the translation cache without the monitor, {} of them identical ({})",
                exact(cached),
                exact(counts.identical),
                percent(counts.identical, retired),
            );
            match u128::from(direct + cached) * 100 >= u128::from(retired) * DOMINANT {
                true => Verdict::yes(format!("dominant: {detail}")),
                false => Verdict::no(format!("not dominant (at least {DOMINANT} %): {detail}")),
            }
        }
        // Strict for the ported kernel, which has no sensitive instruction left: the monitor is called and does nothing
        // of itself. But a port may call for anything, so a bound on that is asked for too.
        ModeName::Para => {
            let calls = counts.hypercalls_total();
            let detail = format!(
                "{share}, the others are its {} hypercalls; of the port, whose kernel is not the original's",
                exact(calls)
            );
            match u128::from(direct) * 100 >= u128::from(retired) * DOMINANT {
                true => Verdict::yes(format!("strict and dominant: {detail}")),
                false => Verdict::no(format!(
                    "strict, but not dominant (at least {DOMINANT} %): {detail}"
                )),
            }
        }
        ModeName::Assist(_) => Verdict::yes(format!(
            "strict: {share}; no innocuous one needed the monitor; memory exits, not counted against it: \
             {} nested fills, {} shadow fills, {} stores to page tables, {} device accesses",
            exact(counts.nested_fills),
            exact(counts.shadow_fills),
            exact(counts.traced_writes),
            exact(counts.device_accesses)
        )),
        ModeName::Trap(_) | ModeName::Hundred => {
            let memory = format!(
                "memory traps, not counted against it: {} shadow fills, {} stores to page tables, {} device accesses, \
                 {} beyond the limit",
                exact(counts.shadow_fills),
                exact(counts.traced_writes),
                exact(counts.device_accesses),
                exact(counts.above_limit)
            );
            match counts.deadline_steps {
                0 => Verdict::yes(format!(
                    "strict: {share}; no innocuous one needed the monitor; {memory}"
                )),
                steps => Verdict::no(format!(
                    "{share}; {} innocuous instructions were interpreted because the timer could not be armed; \
                     {memory}",
                    exact(steps)
                )),
            }
        }
    }
}
