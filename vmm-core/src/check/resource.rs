//! Resource control: the guest touches only frames that the allocator gave it and no real device, it changes nothing
//! of the real control state, and the monitor gets the processor back within a bound.

use toy_isa::devices::Devices;
use toy_isa::mmu::PAGE;
use toy_isa::ram::flag;

use crate::check::{UNDEFINED, Verdict};
use crate::mode::ModeName;
use crate::modes::trap::world::QUANTUM;
use crate::numbers::{counted, exact};
use crate::run::Run;

/// Marks every frame that the ledger does not give to the guest, so that the board notes who touches one. To be
/// called before the run begins.
pub fn guard(run: &mut Run) {
    if run.mode_name == ModeName::Bare {
        return;
    }
    let pages = run.machine().board.ram.pages();
    let foreign: Vec<u32> = (0..pages)
        .filter(|page| run.guest().guest_page(*page).is_none())
        .collect();
    let board = &mut run.machine_mut().board;
    for page in foreign {
        board.ram.set(page * PAGE, flag::FOREIGN);
    }
    board.observer.guarding = true;
}

/// Judges a run that was guarded.
pub fn judge(run: &Run) -> Verdict {
    if run.mode_name == ModeName::Bare {
        return Verdict::no(format!("{UNDEFINED}: the guest has the whole machine"));
    }
    let board = &run.machine().board;
    let mut broken = Vec::new();
    if let Some((address, ring)) = board.observer.intrusions.first() {
        broken.push(format!(
            "code in real ring {ring} reached real address {address:#x}, which is not the guest's ({})",
            counted(
                board.observer.intrusions.len() as u64,
                "such access noted",
                "such accesses noted"
            )
        ));
    }
    if let Some(row) = board.observer.seized {
        broken.push(format!(
            "the guest executed `{row}` to its full effect on the real machine, outside ring 0"
        ));
    }
    let longest = run.longest_without_control();
    if longest > QUANTUM {
        broken.push(format!(
            "the guest kept the processor for {}; the monitor must have it back within {}",
            counted(longest, "tick", "ticks"),
            exact(QUANTUM)
        ));
    }
    if !untouched(&board.devices) {
        broken.push("the guest reached a real device".to_string());
    }
    if broken.is_empty() {
        let frames = run.guest().pages();
        Verdict::yes(format!(
            "all accesses fell into the guest's {}; no real device was touched; \
             the monitor had the processor back within {} (bound {})",
            counted(frames.into(), "frame", "frames"),
            counted(longest, "tick", "ticks"),
            exact(QUANTUM)
        ))
    } else {
        Verdict::no(broken.join("; "))
    }
}

/// Whether nobody but the monitor has used the real devices: it uses only the timer.
fn untouched(devices: &Devices) -> bool {
    devices.console.output().is_empty() && devices.power_off.is_none() && devices.disk.due().is_none()
}
