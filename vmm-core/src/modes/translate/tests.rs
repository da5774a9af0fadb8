//! What translation does to code, and what becomes of it.

use std::sync::Arc;

use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::profile::{Profile, ProfileName};

use crate::check::equivalence::{Grain, Pair};
use crate::counts::Counts;
use crate::engine::EngineName;
use crate::mode::{End, ModeName};
use crate::modes::translate::unit::{LONGEST, Policy, Treatment, form};
use crate::modes::translate::{Scope, Translate};
use crate::run::Run;
use crate::setup::Setup;

const MODE: ModeName = ModeName::Translate(Scope::Kernel);

fn guest(text: &str) -> Setup {
    let image = assemble(&[Source::new("guest.s", text)], &AsmOptions::default()).expect("it assembles");
    Setup::new(image, 1 << 20, Profile::new(ProfileName::Leaky))
}

fn words(text: &str) -> Vec<u32> {
    let setup = guest(text);
    let bytes = setup
        .image
        .segments
        .iter()
        .flat_map(|segment| segment.bytes.clone());
    let bytes: Vec<u8> = bytes.collect();
    bytes
        .chunks(4)
        .map(|word| u32::from_le_bytes(word.try_into().expect("whole words")))
        .collect()
}

fn treatments(text: &str) -> Vec<Treatment> {
    let policy = Policy {
        inline: true,
        adapted: &|_| false,
    };
    let unit = form(0x1000, words(text).into_iter(), &policy);
    unit.into_iter().map(|guest| guest.treatment).collect()
}

/// The guest beside the bare machine in lockstep, with a cache of this many pages; what was counted, and how it ended.
fn run(setup: &Setup, pages: u32) -> (Counts, Option<End>, Vec<u8>) {
    let bare = Run::new(setup, ModeName::Bare, EngineName::Auto).expect("it fits");
    let (machine, monitor) =
        Translate::build_on(setup, Scope::Kernel, Arc::clone(&setup.profile), pages).expect("it fits");
    let mut pair = Pair::with(
        bare,
        Run::with(MODE, machine, Box::new(monitor), EngineName::Auto).expect("the engine is everywhere"),
    );
    let comparison = pair.compare(Grain::Lockstep, 1_000_000, |advance| advance());
    assert_eq!(comparison.difference, None);
    let console = pair.guest.guest().devices.console.output().to_vec();
    (pair.guest.counts(), pair.guest.ended(), console)
}

#[test]
fn a_unit_is_twelve_instructions_or_ends_with_a_jump() {
    assert_eq!(treatments(&"nop\n".repeat(20)).len(), LONGEST);
    assert_eq!(treatments("nop\nnop\nj .+8\nnop\n").len(), 3);
    assert_eq!(treatments("nop\nret\nnop\n").len(), 2);
    assert_eq!(treatments("csrr a0, status\nmret\nnop\n").len(), 2);
    assert_eq!(treatments(".word 0\nnop\n"), [Treatment::Callout]);
}

#[test]
fn most_instructions_stay_as_they_are() {
    let text = "add a0, a1, a2\nlw a0, 4(sp)\nsw a0, 8(sp)\nmul a0, a0, a0\nfence\nlui a0, 1\n";
    assert_eq!(treatments(text), [Treatment::Identical; 6]);
    assert_eq!(treatments("auipc a0, 2\n"), [Treatment::Constant(0x3000)]);
}

#[test]
fn a_jump_to_a_place_off_a_word_boundary_is_left_to_the_monitor() {
    // The encoding allows it; the processor traps, if it is taken.
    let beq = 0x0000_0163;
    let policy = Policy {
        inline: true,
        adapted: &|_| false,
    };
    let unit = form(0x1000, [beq].into_iter(), &policy);
    assert_eq!(unit.len(), 1);
    assert_eq!(unit[0].treatment, Treatment::Callout);
}

/// A loop of calls through a register, and a return from each.
const CALLS: &str = "
        li      s0, 300
        la      s1, work
1:      jalr    s1
        addi    s0, s0, -1
        bnez    s0, 1b
        li      t0, 48
        out     t0, zero
work:   addi    a0, a0, 1
        ret
";

#[test]
fn units_are_translated_once_and_linked() {
    let (counts, end, _) = run(&guest(CALLS), 256);
    assert_eq!(end, Some(End::PowerOff(0)));
    assert!(counts.units < 10, "{}", counts.units);
    assert!(counts.links >= 1);
    // A jump that was looked up once is found in the table from then on.
    assert!(counts.callouts < 20, "{} callouts", counts.callouts);
}

#[test]
fn a_cache_that_is_too_small_is_emptied_and_filled_again() {
    // A page holds fewer units than this chain of jumps has.
    let text: String = (0..200)
        .map(|i| format!("l{i}: addi a0, a0, 1\n        j l{}\n", i + 1))
        .collect();
    let text = format!("{text}l200: li t0, 48\n        out t0, zero\n");
    let (counts, end, _) = run(&guest(&text), 1);
    assert_eq!(end, Some(End::PowerOff(0)));
    assert!(counts.cache_flushes > 1, "{}", counts.cache_flushes);
}

#[test]
fn code_that_is_changed_is_translated_anew() {
    let text = "
        la      s0, patch
        li      s1, 3
1:      lw      t0, 0(s0)
        li      t1, 0x00100000          # one more in the immediate
        add     t0, t0, t1
        sw      t0, 0(s0)
        fence.i
patch:  addi    a0, zero, 64
        out     zero, a0
        addi    s1, s1, -1
        bnez    s1, 1b
        li      t0, 48
        out     t0, zero
    ";
    let (counts, _, console) = run(&guest(text), 256);
    assert_eq!(console, b"ABC");
    assert!(counts.code_writes >= 1);
}

#[test]
fn an_instruction_that_traps_often_calls_the_monitor_instead() {
    let text = "
        li      s0, 0xf0000000          # the console, as memory
        li      s1, 40
        li      a0, '.'
1:      sw      a0, 0(s0)
        addi    s1, s1, -1
        bnez    s1, 1b
        li      t0, 48
        out     t0, zero
    ";
    let (counts, _, console) = run(&guest(text), 256);
    assert_eq!(console.len(), 40);
    let faults = counts
        .traps
        .get(&toy_isa::trap::Cause::StorePage)
        .copied()
        .unwrap_or(0);
    assert!(faults < 10, "{faults} page faults for 40 stores");
    assert!(counts.callouts > 30);
}

#[test]
fn and_back_again_when_it_does_not() {
    let text = "
        li      s0, 0xf0000000          # to the device, ten times; then to memory, two hundred times
        li      s1, 10
        jal     work
        li      s0, 0x8000
        li      s1, 200
        jal     work
        li      t0, 48
        out     t0, zero
work:   sw      a0, 0(s0)
        addi    s1, s1, -1
        bnez    s1, work
        ret
    ";
    let (counts, _, _) = run(&guest(text), 256);
    assert!(counts.plain_accesses >= 1);
    assert!(counts.plain_accesses < 10, "{} of 200", counts.plain_accesses);
}

#[test]
fn the_clock_is_exact_inline() {
    let text = "
        csrr    a0, instret
        nop
        nop
        csrr    a1, instret
        sub     a1, a1, a0
        li      t0, 48
        out     t0, a1
    ";
    let (counts, end, _) = run(&guest(text), 256);
    assert_eq!(end, Some(End::PowerOff(3)));
    assert!(!counts.emulated.contains_key("csrr instret"));
}

/// NOW by its port beside `instret`, from one place that also reads others: a port that floats, the console's, and 16
/// with a bit that ports do not have. Into a register of its own and into the one that named the port.
#[test]
fn the_clock_is_exact_inline_by_its_port_too() {
    let text = "
        la      s1, ports
        li      s0, 6
1:      lw      t0, 0(s1)
        mv      t1, t0
        csrr    a0, instret
        in      a1, t0
        in      t1, t1
        csrr    a2, instret
        in      zero, t0
        sub     a3, a2, a1
        sub     a4, a2, t1
        beq     a3, zero, 2f            # not the clock
        out     zero, a4
2:      addi    s1, s1, 4
        addi    s0, s0, -1
        bnez    s0, 1b
        li      t0, 16
        csrr    a0, instret
        in      a1, t0
        in      t0, t0
        sub     a0, t0, a0
        sub     a1, t0, a1
        slli    a0, a0, 4
        or      a1, a1, a0
        li      t0, 48
        out     t0, a1
        .data
ports:  .word   16, 0x10010, 17, 0, 60, 16
    ";
    let (counts, end, _) = run(&guest(text), 256);
    assert_eq!(end, Some(End::PowerOff(0x21)));
    // Of the six ports that were read three times each, two are the clock's and known as that.
    assert_eq!(counts.emulated.get("in"), Some(&12));
}

#[test]
fn a_kernel_that_polls_the_clock_by_its_port_stays_in_the_cache() {
    let text = "
        li      t0, 16
        li      s0, 1000
1:      in      t0, t0
        li      t0, 16
        addi    s0, s0, -1
        bnez    s0, 1b
        li      t0, 48
        out     t0, zero
    ";
    let (counts, end, _) = run(&guest(text), 256);
    assert_eq!(end, Some(End::PowerOff(0)));
    assert!(counts.callouts < 10, "{} callouts", counts.callouts);
}
