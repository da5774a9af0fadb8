//! How much of the host a guest takes.

#![cfg(target_os = "linux")]

use std::process::Command;

use toy_isa::asm::{Options, Source, assemble};
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::modes::assist::Paging;
use vmm_core::modes::translate::Scope;
use vmm_core::modes::trap::Layout;
use vmm_core::run::Run;
use vmm_core::setup::Setup;

/// What a guest of 4 MiB may take of the host's memory before it has used more of its own.
const IDLE: usize = 256 << 10;

/// This process's resident memory in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = status
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    4096 * pages.expect("it is a number")
}

fn tiny() -> Setup {
    let text = "_start: li t0, 48; li a0, 7; out t0, a0";
    let options = Options {
        origin: 0x1000,
        ..Options::default()
    };
    let image = assemble(&[Source::new("tiny.s", text)], &options).expect("correct");
    Setup::new(image, 4 << 20, Profile::new(ProfileName::Assist))
}

/// Names the mode of a child process.
const MODE: &str = "TRAPEZE_SCALE_MODE";

/// Each mode in a process of its own: what one has given back, an allocator would give to the next, touched.
#[test]
fn a_thousand_guests_live_in_one_process_and_take_little_while_they_are_idle() {
    for mode in [
        ModeName::Bare,
        ModeName::Interpret,
        ModeName::Trap(Layout::RingDeprivileging),
        ModeName::Translate(Scope::Kernel),
        ModeName::Assist(Paging::Nested),
        ModeName::Assist(Paging::Shadow),
    ] {
        let own = std::env::current_exe().expect("this is a program");
        let done = Command::new(own)
            .args(["--exact", "in_one_mode", "--ignored", "--nocapture"])
            .env(MODE, mode.name())
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(
            done.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&done.stderr)
        );
        assert!(said.contains("KiB each"), "it was measured: {said}");
    }
}

#[test]
#[ignore = "measured in a process of its own, by the other test"]
fn in_one_mode() {
    let name = std::env::var(MODE).expect("the other test sets it");
    let mode = ModeName::from_name(&name).expect("it is a mode");
    let setup = tiny();
    let before = resident();
    let mut guests: Vec<Run> = (0..1000)
        .map(|_| Run::new(&setup, mode, EngineName::Auto).expect("it fits"))
        .collect();
    for guest in &mut guests {
        guest.advance(1);
    }
    let each = resident().saturating_sub(before) / guests.len();
    println!("{mode}: {} KiB each", each / 1024);
    assert!(each < IDLE, "{mode}: {} KiB each", each / 1024);
    for guest in &mut guests {
        assert_eq!(guest.finish(1000), End::PowerOff(7), "{mode}");
    }
}
