//! What is seen of event channels and rings is what passes through them.

use scenarios::{Scenario, Variant};
use vmm_core::engine::EngineName;
use vmm_core::event::Event;
use vmm_core::mode::ModeName;
use vmm_core::modes::para::interface::channel;
use vmm_core::modes::para::look::{Interface, Place, Ring, Stream};
use vmm_core::modes::trap::Layout;
use vmm_core::run::{Run, Stop};
use vmm_core::setup::{Parts, PortedPages};

fn ring(interface: &Interface, stream: Stream) -> Option<&Ring> {
    interface.rings.iter().find(|ring| ring.stream == stream)
}

/// Runs to the end, and at each turn compares what is seen with what has passed by then. Whether the channels were seen
/// pending, and the most requests that were seen waiting and at work.
fn watch(scenario: &Scenario, mode: ModeName) -> (bool, u32, u32) {
    let mut run = Run::new(&scenario.setup, mode, EngineName::Auto).expect("it fits");
    let (mut bytes, mut requests, mut answers) = (0, 0, 0);
    let (mut pending, mut waiting, mut at_work) = (false, 0, 0);
    loop {
        let before = run.log.total();
        let stop = run.turn(20);
        for record in run.log.records().filter(|record| record.number >= before) {
            if let Event::RingServed {
                channel,
                requests: taken,
                responses,
            } = record.event
            {
                match channel {
                    channel::CONSOLE => bytes += taken,
                    _ => (requests, answers) = (requests + taken, answers + responses),
                }
            }
        }
        let interface = run.interface().expect("the guest knows of its monitor");
        if let Some(out) = ring(&interface, Stream::ConsoleOut) {
            assert_eq!(out.consumed, bytes, "{mode}");
            assert!(out.waiting().is_some_and(|waiting| waiting <= out.size));
        }
        if let Some(disk) = ring(&interface, Stream::Disk) {
            assert_eq!(
                (disk.consumed, disk.answered),
                (requests, Some(answers)),
                "{mode}"
            );
            let count = |state| (0..disk.size).filter(|place| disk.state(*place) == state).count() as u32;
            assert_eq!(Some(count(Place::Waiting)), disk.waiting(), "{mode}");
            assert_eq!(count(Place::AtWork), disk.at_work(), "{mode}");
            waiting = waiting.max(count(Place::Waiting));
            at_work = at_work.max(count(Place::AtWork));
        }
        pending |= interface.channels.iter().any(|channel| channel.pending);
        if let Some(Stop::End(_)) = stop {
            let counts = run.counts();
            assert_eq!(counts.ring_requests, u64::from(requests));
            assert!(requests > 0 && bytes > 0, "{mode}");
            assert_eq!(requests, answers, "all are answered");
            return (pending, waiting, at_work);
        }
    }
}

#[test]
fn of_a_paravirtual_guest() {
    let scenario = Scenario::shipped("guest-os").expect("it ships");
    let (pending, waiting, at_work) = watch(&scenario, ModeName::Para);
    assert!(
        pending && waiting > 0 && at_work > 0,
        "{pending} {waiting} {at_work}"
    );
}

#[test]
fn of_one_with_drivers_and_of_one_whose_kernel_knows_too() {
    let trap = ModeName::Trap(Layout::RingDeprivileging);
    for kernel in [None, Some(PortedPages::Shadowed)] {
        let parts = Parts { kernel, ..Parts::ALL };
        let variant = Variant {
            parts: Some(parts),
            ..Variant::default()
        };
        let scenario = Scenario::find_with("guest-os", &variant).expect("it has such a port");
        let (pending, _, at_work) = watch(&scenario, trap);
        assert_eq!((pending, at_work > 0), (kernel.is_some(), true), "{kernel:?}");
    }
}

#[test]
fn of_others_there_is_nothing() {
    let scenario = Scenario::shipped("guest-os").expect("it ships");
    for mode in [ModeName::Bare, ModeName::Trap(Layout::RingDeprivileging)] {
        let run = Run::new(&scenario.setup, mode, EngineName::Auto).expect("it fits");
        assert_eq!(run.interface(), None);
    }
}
