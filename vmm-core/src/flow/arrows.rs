//! The arrows of a chain.

use toy_isa::trap::Cause;

use super::doings::{self, Attempt};
use super::{Arrow, Kind, Lane};
use crate::chain::Chain;
use crate::event::{Delivery, Event, Record, reason};
use crate::mode::ModeName;

/// The arrows of a chain in a run under this mode.
pub(super) fn of(chain: &Chain, mode: ModeName) -> Vec<Arrow> {
    let mut drawing = Drawing {
        mode,
        kind: Kind::of(mode),
        at: start(chain, mode),
        arrows: Vec::new(),
    };
    let attempt = Attempt::of(chain);
    for record in chain.records() {
        drawing.draw(record, attempt.as_ref());
    }
    drawing.arrows
}

/// Who has control when the chain begins.
fn start(chain: &Chain, mode: ModeName) -> Lane {
    let (root, kind) = (&chain.root, Kind::of(mode));
    let guest = Lane::of_ring(root.ring);
    match &root.event {
        Event::Exit { trap, .. } | Event::VmExit { trap } if trap.cause.is_interrupt() => kind.processor(),
        Event::Exit { .. } | Event::VmExit { .. } => guest,
        Event::Enter {
            trap,
            how: Delivery::Hardware,
        } if trap.cause.is_interrupt() => kind.processor(),
        Event::Enter {
            how: Delivery::Hardware,
            ..
        } => guest,
        Event::Return { .. } if kind.takes_its_own_traps() => Lane::Kernel,
        _ => Lane::Monitor,
    }
}

/// What is done to bring a trap to the guest's handler.
fn verb(how: Delivery) -> &'static str {
    match how {
        Delivery::Hardware => "enter",
        Delivery::Reflected => "reflect",
        Delivery::Injected => "inject",
        Delivery::Upcall => "upcall",
    }
}

struct Drawing {
    mode: ModeName,
    kind: Kind,
    at: Lane,
    arrows: Vec<Arrow>,
}

impl Drawing {
    fn go(&mut self, record: &Record, to: Lane, label: impl Into<String>) {
        self.arrows.push(Arrow {
            from: std::mem::replace(&mut self.at, to),
            to,
            label: label.into(),
            event: record.number,
        });
    }

    fn draw(&mut self, record: &Record, attempt: Option<&Attempt>) {
        let processor = self.kind.processor();
        match &record.event {
            Event::Exit { trap, .. } => {
                self.leave(record, Lane::Hardware, trap.cause, attempt);
                let how = if trap.cause.is_interrupt() { "" } else { "trap: " };
                self.go(record, Lane::Monitor, format!("{how}{}", trap.cause));
            }
            Event::VmExit { trap } => {
                self.leave(record, processor, trap.cause, attempt);
                // On the bare machine it is a guest of the guest's that leaves.
                let monitor = match self.kind {
                    Kind::Bare | Kind::Emulated => Lane::Kernel,
                    Kind::Assisted | Kind::Hosted => Lane::Monitor,
                };
                self.go(record, monitor, format!("vm exit: {}", reason(*trap)));
            }
            Event::Enter {
                trap,
                how: Delivery::Hardware,
            } => {
                self.leave(record, processor, trap.cause, attempt);
                let ring = record.ring;
                let cause = doings::cause(trap.cause);
                self.go(record, Lane::Kernel, format!("{cause}: ring {ring} to 0"));
            }
            Event::Enter { how, .. } if self.at == Lane::Hardware => {
                let ring = record.ring;
                self.go(record, Lane::Kernel, format!("{}: ring {ring} to 0", verb(*how)));
            }
            Event::Enter { how, .. } => {
                let rings = match self.mode {
                    ModeName::Para => format!("ring {} to 1", record.ring),
                    _ => format!("virtual ring {} to 0", record.ring),
                };
                self.go(record, Lane::Monitor, format!("{}: {rings}", verb(*how)));
            }
            Event::Return { ring } if self.kind.takes_its_own_traps() => {
                self.go(record, processor, "mret");
                self.go(record, Lane::of_ring(*ring), format!("return: to ring {ring}"));
            }
            Event::Return { ring } => {
                let ring = match self.mode {
                    ModeName::Para => format!("to ring {ring}"),
                    _ => format!("to virtual ring {ring}"),
                };
                self.go(record, Lane::Monitor, format!("return: {ring}"));
            }
            Event::Resume { real_ring } => {
                let rings = match record.ring {
                    ring if ring == *real_ring => format!("ring {ring}"),
                    ring => format!("ring {real_ring}, virtual {ring}"),
                };
                self.go(record, Lane::of_ring(record.ring), format!("resume: {rings}"));
            }
            Event::VmEntry { inject: None } => {
                let ring = record.ring;
                self.go(record, Lane::of_ring(ring), format!("vm entry: ring {ring}"));
            }
            Event::VmEntry { inject: Some(trap) } => {
                self.go(
                    record,
                    Lane::Hardware,
                    format!("vm entry, inject: {}", trap.cause),
                );
            }
            Event::Callout { why } => self.go(record, Lane::Monitor, doings::callout(*why)),
            event => self.go(record, Lane::Monitor, event.label()),
        }
    }

    /// The guest does what makes it leave, unless it is interrupted.
    fn leave(&mut self, record: &Record, to: Lane, cause: Cause, attempt: Option<&Attempt>) {
        if !cause.is_interrupt() {
            let label = match attempt {
                Some(attempt) if cause == Cause::Hypercall => format!("hcall for {}", attempt.insn.row()),
                Some(attempt) => attempt.insn.row().to_string(),
                None => doings::label(record),
            };
            self.go(record, to, label);
        }
    }
}
