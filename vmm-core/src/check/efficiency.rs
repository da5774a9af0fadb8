//! Efficiency: all innocuous instructions run directly on the hardware.

use crate::check::Verdict;
use crate::counts::Counts;
use crate::mode::ModeName;

/// Judges a run by what was counted. `retired` is the number of instructions that the guest retired.
///
/// For `trap` it is *strict*: no innocuous instruction needed the monitor. Memory traps (traced page-table stores,
/// shadow fills, devices) are excluded and counted.
pub fn judge(mode: ModeName, counts: &Counts, retired: u64) -> Verdict {
    let direct = counts.direct_total();
    let share = format!(
        "{direct} of {retired} instructions ran directly ({})",
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
                counts.shadow_fills, counts.traced_writes, counts.device_accesses, counts.above_limit
            );
            match counts.deadline_steps {
                0 => Verdict::yes(format!(
                    "strict: {share}; no innocuous one needed the monitor; {memory}"
                )),
                steps => Verdict::no(format!(
                    "{share}; {steps} innocuous instructions were interpreted because the timer could not be armed; \
                     {memory}"
                )),
            }
        }
    }
}

/// A share as a percentage, for people.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".to_string();
    }
    // Rounded down, so that 100 % means all.
    let hundredths = u128::from(part) * 10_000 / u128::from(whole);
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}
