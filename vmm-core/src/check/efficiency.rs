//! Efficiency: all innocuous instructions run directly on the hardware.

use crate::check::{UNDEFINED, Verdict};
use crate::counts::Counts;
use crate::mode::ModeName;
use crate::numbers::{counted, exact, percent};

/// The share in percent of instructions that the real processor executes without the monitor, directly or translated,
/// from which on a method that translates is efficient; fixed before anything was measured.
const DOMINANT: u128 = 90;

/// Judges a run by what was counted. `retired` is the number of instructions that the guest retired.
///
/// For the monitors it is *strict*: no innocuous instruction needed them. Memory traps (traced page-table stores,
/// shadow fills, devices) are excluded and counted. What lies beyond the limit is excluded for `trap`, whose limit
/// guards only the monitor's own addresses; `hundred` has nothing but a limit, and interprets a guest that pages.
pub fn judge(mode: ModeName, counts: &Counts, retired: u64) -> Verdict {
    let direct = counts.direct_total();
    let share = format!(
        "{} of {} ran directly ({})",
        exact(direct),
        counted(retired, "instruction", "instructions"),
        percent(direct, retired)
    );
    let devices = counted(counts.device_accesses, "device access", "device accesses");
    match mode {
        ModeName::Bare => Verdict::yes(format!("{UNDEFINED}: {share}")),
        ModeName::Interpret => Verdict::no(format!(
            "{share}: pure emulation is no monitor in Popek and Goldberg's sense"
        )),
        ModeName::Jit => Verdict::no(format!(
            "{share}: {} were emulated by translated code of the host, and pure emulation is no monitor in Popek and \
             Goldberg's sense",
            exact(counts.emitted_total())
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
        ModeName::Assist(_) | ModeName::Kvm => Verdict::yes(format!(
            "strict: {share}; no innocuous one needed the monitor; memory exits, not counted against it: \
             {} nested fills, \
             {} shadow fills, {} stores to page tables, {} device accesses",
            exact(counts.nested_fills),
            exact(counts.shadow_fills),
            exact(counts.traced_writes),
            exact(counts.device_accesses)
        )),
        ModeName::Trap(_) => {
            let memory = [
                counted(counts.shadow_fills, "shadow fill", "shadow fills"),
                counted(
                    counts.traced_writes,
                    "store to a page table",
                    "stores to page tables",
                ),
                devices,
                format!("{} beyond the limit", exact(counts.above_limit)),
            ];
            let why = "the timer could not be armed";
            strict(&share, counts.deadline_steps, why, &memory.join(", "))
        }
        ModeName::Hundred => {
            let why = "beyond the limit: this monitor's hardware cannot page";
            strict(&share, counts.above_limit, why, &devices)
        }
    }
}

/// The verdict on a monitor that carried out so many innocuous instructions, for this reason; memory traps are told
/// and do not count.
fn strict(share: &str, interpreted: u64, why: &str, memory: &str) -> Verdict {
    let memory = format!("memory traps, not counted against it: {memory}");
    if interpreted == 0 {
        return Verdict::yes(format!(
            "strict: {share}; no innocuous one needed the monitor; {memory}"
        ));
    }
    Verdict::no(format!(
        "{share}; {} interpreted ({why}); {memory}",
        counted(
            interpreted,
            "innocuous instruction was",
            "innocuous instructions were"
        )
    ))
}
