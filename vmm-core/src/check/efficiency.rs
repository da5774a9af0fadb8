//! Efficiency: all innocuous instructions run directly on the hardware.

use crate::check::Verdict;
use crate::counts::Counts;
use crate::mode::ModeName;
use crate::numbers::{exact, percent};

/// Judges a run by what was counted. `retired` is the number of instructions that the guest retired.
///
/// For `trap` it is *strict*: no innocuous instruction needed the monitor. Memory traps (traced page-table stores,
/// shadow fills, devices) are excluded and counted.
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
