//! Resource control: the guest touches only frames that the allocator gave it and no real device, it changes nothing
//! of the real control state, and the monitor gets the processor back within a bound.

use toy_isa::devices::Devices;
use toy_isa::hart::Hart;
use toy_isa::machine::Ledger;

use crate::check::{UNDEFINED, Verdict};
use crate::guest::GuestView;
use crate::mode::ModeName;
use crate::numbers::{counted, exact};
use crate::run::Run;
use crate::setup::Setup;

/// Opens the ledger: from now on the board notes who touches a frame that is not the guest's. To be called before the
/// run begins.
pub fn guard(run: &mut Run) {
    if run.mode_name == ModeName::Bare {
        return;
    }
    let mut owners = vec![0; run.machine().board.ram.pages() as usize];
    enter(&mut owners, GUEST, &run.guest(), &run.lent());
    let ledger = Ledger {
        owners,
        running: GUEST,
    };
    run.machine_mut().board.observer.ledger = Some(ledger);
}

/// The only guest, in the ledger.
const GUEST: u16 = 1;

/// Enters a guest's frames into the ledger, and those that its monitor lends to it.
pub fn enter(owners: &mut [u16], number: u16, guest: &GuestView, lent: &[u32]) {
    for (page, owner) in (0..).zip(owners.iter_mut()) {
        if guest.guest_page(page).is_some() {
            *owner = number;
        }
    }
    for page in lent {
        if let Some(owner) = owners.get_mut(*page as usize) {
            *owner = number;
        }
    }
}

/// Judges a run that was guarded.
pub fn judge(run: &Run) -> Verdict {
    if run.mode_name == ModeName::Bare {
        return Verdict::no(format!("{UNDEFINED}: the guest has the whole machine"));
    }
    let board = &run.machine().board;
    let mut broken = Vec::new();
    if let Some((address, world)) = board.observer.intrusions.first() {
        let (operation, ring) = match world & Hart::NON_ROOT {
            0 => ("real", *world),
            _ => ("non-root", world - Hart::NON_ROOT),
        };
        broken.push(format!(
            "code in {operation} ring {ring} reached real address {address:#x}, which is not the guest's ({})",
            counted(
                board.observer.intrusions.len() as u64,
                "such access noted",
                "such accesses noted"
            )
        ));
    }
    if let Some(row) = board.observer.seized {
        let place = match run.mode_name {
            ModeName::Assist(_) => "in non-root operation",
            _ => "outside ring 0",
        };
        broken.push(format!(
            "the guest executed `{row}` to its full effect on the real machine, {place}"
        ));
    }
    let longest = run.longest_without_control();
    if longest > Setup::QUANTUM {
        broken.push(format!(
            "the guest kept the processor for {}; the monitor must have it back within {}",
            counted(longest, "tick", "ticks"),
            exact(Setup::QUANTUM)
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
            exact(Setup::QUANTUM)
        ))
    } else {
        Verdict::no(broken.join("; "))
    }
}

/// Whether nobody but the monitor has used the real devices: it uses only the timer.
fn untouched(devices: &Devices) -> bool {
    devices.console.output().is_empty() && devices.power_off.is_none() && devices.disk.due().is_none()
}
