//! The flow of control through whole runs, in arrows and in sentences.

use std::collections::HashSet;

use scenarios::Scenario;
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::chain::Chain;
use vmm_core::engine::EngineName;
use vmm_core::event::Event;
use vmm_core::flow::{Flow, Lane};
use vmm_core::mode::ModeName;
use vmm_core::run::Run;

/// Every flow of a run. Arrows are held to connect, within a chain and from each chain to the next.
fn flows(scenario: &str, mode: &str) -> Vec<(Chain, Flow)> {
    let mode = ModeName::from_name(mode).expect("a mode");
    let mut scenario = Scenario::shipped(scenario).expect("it ships");
    if !mode.runs_on(&scenario.setup.profile) {
        scenario.set_profile(Profile::new(ProfileName::Assist));
    }
    let mut run = Run::new(&scenario.setup, mode, EngineName::Auto).expect("it starts");
    run.finish(scenario.budget);
    assert_eq!(run.log.dropped(), 0, "all of it is kept");
    let roots = run.log.records().filter(|record| record.exit.is_none());
    let chains = roots.map(|root| Chain::in_log(root.number, &run.log).expect("it is kept"));
    let flows: Vec<_> = chains
        .map(|chain| {
            let flow = Flow::of(&chain, mode);
            (chain, flow)
        })
        .collect();
    connected(&flows, mode);
    flows
}

fn connected(flows: &[(Chain, Flow)], mode: ModeName) {
    let mut at = None;
    for (chain, flow) in flows {
        let said = &flow.sentence;
        assert!(said.len() > 20 && said.ends_with('.'), "{mode}: {said}");
        assert!(
            ![" ;", " .", "  "].iter().any(|gap| said.contains(gap)),
            "{mode}: {said}"
        );
        let cause = chain.root.event.trap().map(|trap| trap.cause);
        let interrupt = cause.is_some_and(|cause| cause.is_interrupt());
        // What interrupts does not come from who had control; and the monitor of 1974 does not log that it resumes.
        let mut here = at.filter(|_| !interrupt && mode != ModeName::Hundred);
        for arrow in &flow.arrows {
            assert!(!arrow.label.is_empty(), "{mode}: {flow:?}");
            assert!(here.is_none_or(|here| here == arrow.from), "{mode}: {flow:?}");
            here = Some(arrow.to);
        }
        let last = chain.records().last().map(|record| (&record.event, record.ring));
        if let Some((Event::Resume { .. } | Event::VmEntry { inject: None }, ring)) = last {
            assert_eq!(here, Some(Lane::of_ring(ring)), "{mode}: {flow:?}");
        }
        at = here;
    }
}

#[test]
fn every_chain_of_a_boot_has_arrows_that_connect_and_a_sentence() {
    for mode in ModeName::ALL.map(ModeName::name) {
        // Two are not on every host, and log what `assist` and `interpret` log; the last is for no guest that pages.
        if ["kvm", "jit", "hundred"].contains(&mode) {
            continue;
        }
        assert!(!flows("guest-os", mode).is_empty(), "{mode}");
    }
    // A guest that is itself a monitor, one of 1974, and one whose programs are translated.
    for (scenario, mode) in [
        ("hypervisor", "bare"),
        ("hypervisor", "interpret"),
        ("relocation", "hundred"),
        ("red-pill", "translate:all"),
    ] {
        assert!(!flows(scenario, mode).is_empty(), "{scenario} under {mode}");
    }
}

/// Each of these sentences is said in a boot under this mode.
fn says(mode: &str, sentences: &[&str]) {
    let flows = flows("guest-os", mode);
    let said: HashSet<&str> = flows.iter().map(|(_, flow)| flow.sentence.as_str()).collect();
    for sentence in sentences {
        let begin = &sentence[..sentence.len().min(30)];
        let like = said.iter().find(|said| said.starts_with(begin));
        assert!(said.contains(sentence), "{mode}: {sentence}\nlike {like:?}");
    }
}

#[test]
fn trap_and_emulate_in_words() {
    says(
        "trap",
        &[
            "ring 1 (*virtual* ring 0) tried to set IE in `status`; the hardware trapped to the monitor; the \
             monitor changed the *virtual* flag and resumed.",
            "ring 1 (*virtual* ring 0) tried to read `cause`; the hardware trapped to the monitor; the monitor \
             answered with the *virtual* `cause` (0x80000007) and resumed.",
            "ring 1 (*virtual* ring 0) tried to swap `tp` with `scratch`; the hardware trapped to the monitor; the \
             monitor did that with the *virtual* `scratch` and resumed.",
            "ring 3 made a system call; the hardware trapped to the monitor; the monitor reflected it to the guest \
             kernel and resumed in ring 1 (*virtual* ring 0).",
            "ring 1 (*virtual* ring 0) tried to return from its trap handler (`mret`); the hardware trapped to the \
             monitor; the monitor returned to *virtual* ring 3 and resumed in ring 3.",
            "the timer interrupted ring 3; the hardware entered the monitor; the monitor injected a *virtual* \
             timer interrupt and resumed in ring 1 (*virtual* ring 0).",
            "the timer interrupted ring 1 (*virtual* ring 0); the hardware entered the monitor; the monitor had \
             nothing to deliver and resumed.",
            "ring 3 loaded from 0x20000000; the hardware trapped to the monitor; the monitor reflected it to the \
             guest kernel and resumed in ring 1 (*virtual* ring 0).",
            "ring 1 (*virtual* ring 0) stored to 0x0000542c; the hardware found nothing there in the shadow table \
             and trapped to the monitor; the monitor took guest frame 0x5 (real frame 0x249) into it and resumed.",
            "ring 1 (*virtual* ring 0) stored to 0x00048000; the hardware found the page read-only and trapped to \
             the monitor; the monitor dropped the shadow of a page-table entry, carried out the store to the page \
             table and resumed.",
            "ring 1 (*virtual* ring 0) stored to 0xf0002000; the hardware trapped to the monitor; the monitor \
             carried out the store on the *virtual* disk and resumed.",
            "ring 1 (*virtual* ring 0) tried to write 0x52 ('R') to the console (`out` to port 0x0); the hardware \
             trapped to the monitor; the monitor gave it to the *virtual* console and resumed.",
            "ring 1 (*virtual* ring 0) tried to wait for an interrupt (`wfi`); the hardware trapped to the \
             monitor; the monitor halted the *virtual* processor until its next interrupt and resumed.",
            "ring 1 (*virtual* ring 0) tried to write 0x0 to the power switch (`out` to port 0x30); the hardware \
             trapped to the monitor; the monitor switched the *virtual* machine off.",
        ],
    );
    says(
        "trap:0/3/3",
        &[
            "ring 3 made a system call; the hardware trapped to the monitor; the monitor reflected it to the guest \
             kernel, switched to another shadow table and resumed in ring 3 (*virtual* ring 0).",
        ],
    );
}

#[test]
fn the_other_monitors_in_words() {
    says(
        "translate",
        &[
            "translated code in ring 1 (*virtual* ring 0) called the monitor to write 0x52 ('R') to the console \
             (`out` to port 0x0); the hardware trapped to the monitor; the monitor gave it to the *virtual* \
             console and resumed.",
            "translated code in ring 1 (*virtual* ring 0) jumped to where its lookup table leads nowhere, and \
             called the monitor; the hardware trapped to the monitor; the monitor found the way on and resumed.",
            "translated code in ring 1 (*virtual* ring 0) had too little time left for a whole unit, and called \
             the monitor; the hardware trapped to the monitor; the monitor interpreted 4 instructions up to the \
             deadline, injected a *virtual* timer interrupt and resumed.",
            "translated code in ring 1 (*virtual* ring 0) came to an access that had trapped often, and called the \
             monitor; the hardware trapped to the monitor; the monitor dropped the shadow of a page-table entry, \
             carried out the store to the page table and resumed.",
        ],
    );
    says(
        "para",
        &[
            "ring 3 made a system call; the hardware trapped to the monitor; the monitor reflected it to the guest \
             kernel and resumed in ring 1.",
            "ring 1 made the hypercall `mmu_update`; the hardware trapped to the monitor; the monitor validated \
             and made 128 page-table updates and resumed.",
            "ring 1 made the hypercall `iret`; the hardware trapped to the monitor; the monitor returned to ring 3 \
             and resumed in ring 3.",
            "the timer interrupted ring 3; the hardware entered the monitor; the monitor sent the event `timer`, \
             made an upcall of the guest kernel and resumed in ring 1.",
        ],
    );
    says(
        "hybrid",
        &[
            "ring 3 made a system call; the hardware trapped to the monitor; the monitor reflected it to the guest \
             kernel, interpreted its code until it returned to *virtual* ring 3 and resumed.",
        ],
    );
}

#[test]
fn hardware_assistance_in_words() {
    says(
        "assist",
        &[
            "non-root ring 3 made a system call; the hardware entered the guest kernel's handler, in ring 0, and \
             the monitor was not asked.",
            "the guest kernel returned from its trap handler; the hardware went on in ring 3, and the monitor was \
             not asked.",
            "non-root ring 0 stored to its physical 0x0000542c; the hardware found nothing there in the nested \
             table and left non-root operation, to the monitor; the monitor took guest frame 0x5 (real frame \
             0x249) into it and entered it again.",
            "non-root ring 3 came to the end of its countdown; the hardware left non-root operation, to the \
             monitor; the monitor entered it again, injecting a *virtual* timer interrupt.",
        ],
    );
    says(
        "assist:shadow",
        &[
            "non-root ring 3 loaded from 0x20000000; the hardware left non-root operation, to the monitor; the \
             monitor entered it again, injecting its own load page fault.",
        ],
    );
}

#[test]
fn no_monitor_and_no_hardware_in_words() {
    says(
        "bare",
        &[
            "ring 3 made a system call; the hardware trapped to the guest kernel, in ring 0.",
            "the timer interrupted ring 3; the hardware trapped to the guest kernel, in ring 0.",
            "the guest kernel returned from its trap handler; the hardware went on in ring 3.",
        ],
    );
    says(
        "interpret",
        &[
            "*virtual* ring 3 made a system call; the monitor, which plays the hardware, entered the guest \
             kernel's handler, in *virtual* ring 0.",
        ],
    );
}

#[test]
fn a_system_call_goes_from_lane_to_lane() {
    let of = |mode: &str| {
        let flows = flows("guest-os", mode);
        let call = flows
            .into_iter()
            .find(|(_, flow)| flow.arrows[0].label == "ecall");
        let (_, flow) = call.expect("the guest makes system calls");
        let arrows = flow.arrows.into_iter();
        arrows
            .map(|arrow| (arrow.from, arrow.to, arrow.label))
            .collect::<Vec<_>>()
    };
    let arrow = |from, to, label: &str| (from, to, label.to_string());
    use Lane::{Hardware, Kernel, Monitor, User};
    assert_eq!(
        of("trap"),
        [
            arrow(User, Hardware, "ecall"),
            arrow(Hardware, Monitor, "trap: system call from ring 3"),
            arrow(Monitor, Monitor, "reflect: virtual ring 3 to 0"),
            arrow(Monitor, Kernel, "resume: ring 1, virtual 0"),
        ]
    );
    assert_eq!(
        of("assist"),
        [
            arrow(User, Hardware, "ecall"),
            arrow(Hardware, Kernel, "system call: ring 3 to 0"),
        ]
    );
    assert_eq!(
        of("interpret"),
        [
            arrow(User, Monitor, "ecall"),
            arrow(Monitor, Kernel, "system call: ring 3 to 0"),
        ]
    );
}
