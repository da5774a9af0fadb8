//! Resource control: the guest touches only frames that the allocator gave it and no real device, it changes nothing
//! of the real control state, and the monitor gets the processor back within a bound.

use toy_isa::hart::Hart;
use toy_isa::machine::{Ledger, Machine};

use crate::check::{UNDEFINED, Verdict};
use crate::guest::GuestView;
use crate::mode::ModeName;
use crate::modes::jit::Emulated;
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
    match run.emulated_mut() {
        // Of the real frames, a guest in an emulated machine has none.
        Some(emulated) => emulated.watch(),
        None => enter(&mut owners, GUEST, &run.guest(), &run.lent()),
    }
    let ledger = Ledger {
        owners,
        running: GUEST,
        asked: 0,
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
    let machine = run.machine();
    let mut broken = trespasses(machine, run.mode_name);
    let longest = run.longest_without_control();
    if longest > Setup::QUANTUM {
        broken.push(format!(
            "the guest kept the processor for {}; the monitor must have it back within {}",
            counted(longest, "tick", "ticks"),
            exact(Setup::QUANTUM)
        ));
    }
    broken.extend(device_reached(machine));
    if let Some(emulated) = run.emulated() {
        return judge_emulated(emulated, broken);
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

/// Judges a guest in an emulated machine, whose code is executed by the host's processor as emitted code: what that can
/// reach by the guest's addresses, and how long it kept the processor. `broken` is what the real machine's board has
/// noted.
fn judge_emulated(emulated: &Emulated, mut broken: Vec<String>) -> Verdict {
    let Some(watched) = emulated.watched() else {
        return Verdict::unknown("nobody has looked at what emitted code can reach");
    };
    if let Some(address) = watched.astray {
        broken.push(format!(
            "emitted code could reach what it must not by the guest's page of address {address:#x}"
        ));
    }
    let longest = emulated.longest();
    if longest > Setup::QUANTUM {
        broken.push(format!(
            "emitted code kept the host's processor for {}; it must give it back within {}",
            counted(longest, "instruction", "instructions"),
            exact(Setup::QUANTUM)
        ));
    }
    if !broken.is_empty() {
        return Verdict::no(broken.join("; "));
    }
    Verdict::yes(format!(
        "no real frame or device was touched; at each of {} emitted code could reach at most {} of addresses, all of \
         them in the emulated machine's {}; it gave the host's processor back within {} (bound {})",
        counted(watched.looks, "look", "looks"),
        counted(watched.most, "page", "pages"),
        counted(emulated.machine.board.ram.pages().into(), "frame", "frames"),
        counted(longest, "instruction", "instructions"),
        exact(Setup::QUANTUM)
    ))
}

/// What code outside ring 0 or in non-root operation has reached of memory and control state that is not its own, in
/// sentences.
pub(crate) fn trespasses(machine: &Machine, mode: ModeName) -> Vec<String> {
    let observer = &machine.board.observer;
    let mut found = Vec::new();
    if let Some((address, world)) = observer.intrusions.first() {
        let (operation, ring) = match world & Hart::NON_ROOT {
            0 => ("real", *world),
            _ => ("non-root", world - Hart::NON_ROOT),
        };
        found.push(format!(
            "code in {operation} ring {ring} reached real address {address:#x}, which is not the guest's ({})",
            counted(
                observer.intrusions.len() as u64,
                "such access noted",
                "such accesses noted"
            )
        ));
    }
    if let Some(row) = observer.seized {
        let place = match mode {
            ModeName::Assist(_) | ModeName::Kvm => "in non-root operation",
            _ => "outside ring 0",
        };
        found.push(format!(
            "the guest executed `{row}` to its full effect on the real machine, {place}"
        ));
    }
    found
}

/// A sentence, if anybody but the monitor has used the real devices: the monitor uses only the timer.
pub(crate) fn device_reached(machine: &Machine) -> Option<String> {
    let devices = &machine.board.devices;
    let untouched =
        devices.console.output().is_empty() && devices.power_off.is_none() && devices.disk.due().is_none();
    (!untouched).then(|| "the guest reached a real device".to_string())
}
