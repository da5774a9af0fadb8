//! What the verdict on equivalence says: in a sentence, where a guest left the path of the bare machine, and why.

use toy_isa::disasm::disassemble;
use toy_isa::image::Image;
use toy_isa::profile::Behaviour;

use crate::check::equivalence::{Comparison, Divergence, Grain};
use crate::check::holes::Findings;
use crate::check::{UNDEFINED, Verdict};
use crate::mode::{End, ModeName};
use crate::numbers::{counted, exact};

/// The verdict on a guest that was compared with the bare machine, and ended so.
pub(super) fn equivalence(
    mode: ModeName,
    grain: Grain,
    end: End,
    comparison: &Comparison,
    findings: Option<&Findings>,
    image: &Image,
) -> Verdict {
    let (one, many) = match grain {
        Grain::SyncPoints => ("sync point", "sync points"),
        Grain::Lockstep => ("instruction, in lockstep", "instructions, in lockstep"),
    };
    let compared = counted(comparison.compared, one, many);
    let Some(difference) = &comparison.difference else {
        return match (mode, end) {
            (ModeName::Bare, _) => Verdict::yes(format!(
                "{UNDEFINED}: this is the machine that all others are compared with"
            )),
            (_, End::Budget) => Verdict::yes(format!("equal at {compared}, until the budget was used up")),
            _ => Verdict::yes(format!("equal at {compared}, and at the end")),
        };
    };
    let found = findings.and_then(|findings| findings.first.as_ref());
    let place = found.map_or_else(
        || {
            let (what, bare, guest) = (&difference.what, &difference.bare, &difference.guest);
            format!("{what} is {bare} on the bare machine, {guest} here")
        },
        |divergence| sentence(divergence, image),
    );
    let holes = findings.map_or(String::new(), describe_holes);
    Verdict::no(format!("equal at {compared}, then: {place}{holes}"))
}

/// A divergence in a sentence.
fn sentence(divergence: &Divergence, image: &Image) -> String {
    let source = source(divergence, image).unwrap_or_default();
    let Divergence {
        clock,
        pc,
        ring,
        instruction,
        difference,
        ..
    } = divergence;
    format!(
        "after `{instruction}` at {pc:#010x} ({source}ring {ring}, clock {}), {} is {} on the bare machine, {} here",
        exact(*clock),
        difference.what,
        difference.bare,
        difference.guest
    )
}

/// The file and line of the instruction, if it stands in the image where the guest executed it.
fn source(divergence: &Divergence, image: &Image) -> Option<String> {
    let pc = divergence.pc;
    let same = disassemble(image.word(pc)?, pc) == divergence.instruction;
    let (file, line) = image.lines.find(pc).filter(|_| same)?;
    Some(format!("{file}:{line}, "))
}

fn describe_holes(findings: &Findings) -> String {
    if findings.lacks_root_operation() {
        return "; a virtual machine has no root operation: of the monitors, only pure emulation gives it to a guest"
            .to_string();
    }
    if findings.holes.is_empty() {
        return "; this instruction is no hole, the monitor itself is wrong".to_string();
    }
    let holes: Vec<String> = findings
        .holes
        .iter()
        .map(|hole| {
            let cousin = hole
                .row
                .cousin()
                .map_or(String::new(), |cousin| format!(", as x86's {cousin}"));
            let confirmed = if hole.confirmed {
                "confirmed"
            } else {
                "not confirmed"
            };
            format!(
                "`{}` {} outside ring 0{cousin} ({confirmed})",
                hole.row,
                verb(hole.behaviour)
            )
        })
        .collect();
    let cured = if findings.cured {
        "; with these trapping, the guest is equivalent"
    } else {
        ""
    };
    format!("; holes: {}{cured}", holes.join(", "))
}

fn verb(behaviour: Behaviour) -> &'static str {
    use Behaviour::*;
    match behaviour {
        Innocuous => "is innocuous",
        Traps => "traps",
        Leaks => "leaks",
        Ignored => "is ignored",
        Partial => "drops bits in silence",
        TakesEffect => "takes effect",
    }
}
