//! What differs between two views of a guest: registers and clock, devices, memory.

use toy_isa::mmu::PAGE;

use crate::guest::GuestView;
use crate::numbers::exact;

/// A difference between the bare machine and the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which part of the state.
    pub what: String,
    /// What the bare machine holds.
    pub bare: String,
    /// What the guest holds.
    pub guest: String,
}

/// The first difference between two views of a guest: in registers and clock, devices, and these pages.
pub(crate) fn difference(
    bare: &GuestView,
    guest: &GuestView,
    mut pages: impl Iterator<Item = u32>,
    with_disk: bool,
) -> Option<Difference> {
    registers(bare, guest)
        .or_else(|| devices(bare, guest, with_disk))
        .or_else(|| pages.find_map(|page| memory(bare, guest, page)))
}

fn registers(bare: &GuestView, guest: &GuestView) -> Option<Difference> {
    let (a, b) = (&bare.hart, &guest.hart);
    let general = (1..16).map(|i| (toy_isa::disasm::REGISTER_NAMES[i], a.x[i], b.x[i]));
    let csrs = [
        ("pc", a.pc, b.pc),
        ("status", a.csr.status.0, b.csr.status.0),
        ("tvec", a.csr.tvec, b.csr.tvec),
        ("scratch", a.csr.scratch, b.csr.scratch),
        ("epc", a.csr.epc, b.csr.epc),
        ("cause", a.csr.cause, b.csr.cause),
        ("tval", a.csr.tval, b.csr.tval),
        ("ptbr", a.csr.ptbr, b.csr.ptbr),
        ("base", a.csr.base, b.csr.base),
        ("bound", a.csr.bound, b.csr.bound),
        ("xbound", a.csr.xbound, b.csr.xbound),
        ("window", a.csr.window, b.csr.window),
        ("timer", bare.devices.timer.value(), guest.devices.timer.value()),
        (
            "irq",
            bare.devices.irq(bare.pace.clock),
            guest.devices.irq(guest.pace.clock),
        ),
    ];
    let clock = (bare.pace.clock != guest.pace.clock).then(|| Difference {
        what: "the clock".to_string(),
        bare: exact(bare.pace.clock),
        guest: exact(guest.pace.clock),
    });
    let word = general
        .chain(csrs)
        .find(|(_, a, b)| a != b)
        .map(|(name, a, b)| Difference {
            what: format!("register {name}"),
            bare: format!("{a:#010x}"),
            guest: format!("{b:#010x}"),
        });
    word.or(clock)
}

fn devices(bare: &GuestView, guest: &GuestView, with_disk: bool) -> Option<Difference> {
    let (a, b) = (bare.devices.console.output(), guest.devices.console.output());
    if a != b {
        let at = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let tail = |text: &[u8]| format!("...{:?}", String::from_utf8_lossy(&text[at.saturating_sub(8)..]));
        return Some(Difference {
            what: "console output".to_string(),
            bare: tail(a),
            guest: tail(b),
        });
    }
    if with_disk && bare.devices.disk != guest.devices.disk {
        let differing = bare
            .devices
            .disk
            .data()
            .iter()
            .zip(guest.devices.disk.data())
            .position(|(a, b)| a != b);
        let place = differing.map_or("in its registers".to_string(), |at| {
            format!("at byte {}", exact(at as u64))
        });
        return Some(Difference {
            what: format!("the disk, {place}"),
            bare: "-".into(),
            guest: "-".into(),
        });
    }
    None
}

fn memory(bare: &GuestView, guest: &GuestView, page: u32) -> Option<Difference> {
    let (a, b) = (bare.page(page)?, guest.page(page)?);
    if a == b {
        return None;
    }
    let at = a.iter().zip(b).position(|(a, b)| a != b)?;
    let address = (page * PAGE + at as u32) & !3;
    let word = |view: &GuestView| {
        view.word(address)
            .map_or("-".into(), |word| format!("{word:#010x}"))
    };
    Some(Difference {
        what: format!("memory at guest-physical {address:#010x}"),
        bare: word(bare),
        guest: word(guest),
    })
}
