//! Hardware assistance: the hypervisor in assembly, modules beside a guest, and the keys of a file that are about it.

mod common;

use common::{Folder, GOOD};
use scenarios::Scenario;
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::modes::assist::Paging;
use vmm_core::run::Run;

const MODES: [ModeName; 2] = [ModeName::Assist(Paging::Nested), ModeName::Assist(Paging::Shadow)];

/// A folder with the shipped hypervisor and this guest for it.
fn under_the_hypervisor(name: &str, guest: &str) -> Scenario {
    let folder = Folder::new(name);
    let hypervisor = include_str!("../shipped/hypervisor/hypervisor.s");
    folder.write("hypervisor.s", hypervisor.as_bytes());
    folder.write("module.s", guest.as_bytes());
    let module = folder.0.join("module");
    std::fs::create_dir_all(&module).expect("the temporary folder is ours");
    let inner = "title = \"m\"\n[guest]\nsources = [\"../module.s\"]\n";
    folder.write("module/scenario.toml", inner.as_bytes());
    let toml = "title = \"t\"\n[machine]\nprofile = \"assist\"\nmemory = \"8 MiB\"\n[guest]\n\
        sources = [\"hypervisor.s\"]\n\
        modules = [{ scenario = \"module\", at = 0x40_0000, name = \"GUEST\" }]\n";
    folder.write("scenario.toml", toml.as_bytes());
    Scenario::load(&folder.0).unwrap_or_else(|error| panic!("{}", error.render()))
}

fn on_the_bare_machine(scenario: &Scenario) -> (End, String) {
    let mut run = Run::new(&scenario.setup, ModeName::Bare, EngineName::Auto).expect("the image fits");
    let end = run.finish(1_000_000);
    let console = String::from_utf8_lossy(run.guest().devices.console.output()).into_owned();
    (end, console)
}

/// What it takes from the guest's time for itself, the guest does not see: not one tick.
#[test]
fn the_hypervisor_hides_its_time_to_the_tick() {
    // Exits of three kinds between readings of the clock; a5 collects what differs from the instructions in between.
    let guest = "
_start: csrr    a0, instret
        out     zero, zero
        csrr    a1, instret
        li      t0, 16
        in      a2, t0
        csrr    a3, instret
        csrw    timer, zero
        csrr    a4, instret
        mv      a5, a0                  # it begins at 0
        sub     s0, a1, a0
        addi    s0, s0, -2
        or      a5, a5, s0
        sub     s0, a2, a1
        addi    s0, s0, -2
        or      a5, a5, s0
        sub     s0, a4, a3
        addi    s0, s0, -2
        or      a5, a5, s0
        li      t0, 48
        out     t0, a5
";
    let (end, console) = on_the_bare_machine(&under_the_hypervisor("hidden-time", guest));
    assert_eq!(end, End::PowerOff(0), "{console}");
    assert!(
        console.contains("exits: out 2, in 1, csrw 1, disk registers 0"),
        "{console}"
    );
}

#[test]
fn the_hypervisor_stops_a_guest_that_does_what_it_does_not_foresee() {
    for (name, guest) in [
        ("reads-timer", "_start: csrr a0, timer\n"),
        ("beyond-memory", "_start: li t0, 0x500000\n lw a0, 0(t0)\n"),
        ("root-operation", "_start: vmon\n"),
    ] {
        let (end, console) = on_the_bare_machine(&under_the_hypervisor(name, guest));
        assert_eq!(end, End::PowerOff(1), "{name}");
        assert_eq!(console, "Hypervisor: an exit that is not foreseen\n");
    }
}

#[test]
fn mistakes_in_modules_and_exits_are_told_with_place_and_suggestion() {
    let folder = Folder::new("modules");
    std::fs::create_dir_all(folder.0.join("inner")).expect("the temporary folder is ours");
    let inner = "title = \"m\"\n[guest]\nsources = [\"../guest.s\"]\n";
    folder.write("inner/scenario.toml", inner.as_bytes());
    std::fs::create_dir_all(folder.0.join("nested")).expect("the temporary folder is ours");
    let nested = format!("{inner}modules = [{{ scenario = \"../inner\", at = 0x2000, name = \"A\" }}]\n");
    folder.write("nested/scenario.toml", nested.as_bytes());
    let module = |scenario: &str, at: &str| {
        format!("{GOOD}modules = [{{ scenario = \"{scenario}\", at = {at}, name = \"A\" }}]")
    };
    let many = format!(
        "{GOOD}modules = [{}]",
        "{ scenario = \"inner\", at = 0x2000, name = \"A\" },".repeat(9)
    );
    for (toml, expected) in [
        (
            module("innner", "0x2000"),
            "scenario.toml:4:25: error: 'innner/scenario.toml': no such file",
        ),
        (
            module("inner", "0"),
            "error: the module would overwrite what stands at 0x1000",
        ),
        (
            module("inner", "0xffff_f000"),
            "error: the module would go beyond the end of the address space",
        ),
        (
            module("inner", "0x40_0000"),
            "the image needs memory up to 0x401008",
        ),
        (
            module("nested", "0x2000"),
            "error: a module that has modules itself",
        ),
        (many, "error: too many modules: expected at most 8"),
        (
            format!("{GOOD}[assist]\nexits = [\"csrw ptrb\"]"),
            "scenario.toml:5:10: error: 'csrw ptrb' cannot be made to leave",
        ),
        (
            format!("{GOOD}[assist]\nexits = [\"csrw ptrb\"]"),
            "; did you mean 'csrw ptbr'?",
        ),
        (
            format!("{GOOD}[assist]\nexits = [\"add\"]"),
            "'add' cannot be made to leave",
        ),
        (
            format!("{GOOD}[assist]\nno_exits = [\"vmon\"]"),
            "'vmon' cannot be made to leave",
        ),
        (
            format!("{GOOD}[assist]\nexits = [\"countdown\"]"),
            "'countdown' cannot be made to leave",
        ),
        (
            format!("{GOOD}[assist]\nexits = [\"load page falut\"]"),
            "; did you mean 'load page fault'?",
        ),
    ] {
        let error = folder.error(&toml);
        assert!(
            error.contains(expected),
            "{toml}\n  says   {error}\n  and not {expected}"
        );
    }
    // A mistake in the module is told of the module's file.
    folder.write("inner/scenario.toml", b"title = \"m\"\n[guest]\nsource = []\n");
    let error = folder.error(&module("inner", "0x2000"));
    assert!(
        error.starts_with("inner/scenario.toml:3:1: error: unknown field 'source'"),
        "{error}"
    );
}

#[test]
fn a_module_stands_where_it_was_put_and_has_its_names() {
    let folder = Folder::new("module-names");
    std::fs::create_dir_all(folder.0.join("inner")).expect("the temporary folder is ours");
    folder.write(
        "inner/scenario.toml",
        b"title = \"m\"\n[machine]\nmemory = \"64 KiB\"\n[guest]\nsources = [\"m.s\"]\norigin = 0x3000\n",
    );
    folder.write("inner/m.s", b" .word 1\n_start: .word 0x12345678\n");
    folder.write("guest.s", b"_start: .word A, A_ENTRY, A_MEMORY\n");
    folder.write(
        "scenario.toml",
        format!("{GOOD}modules = [{{ scenario = \"inner\", at = 0x5000, name = \"A\" }}]").as_bytes(),
    );
    let scenario = Scenario::load(&folder.0).unwrap_or_else(|error| panic!("{}", error.render()));
    let run = Run::new(&scenario.setup, ModeName::Bare, EngineName::Auto).expect("the image fits");
    let word = |address| run.guest().word(address);
    let names = [0x1000, 0x1004, 0x1008].map(word);
    assert_eq!(names, [Some(0x5000), Some(0x3004), Some(0x1_0000)]);
    assert_eq!(word(0x8004), Some(0x1234_5678));
}

#[test]
fn a_scenario_is_run_without_hardware_assistance_where_there_is_none() {
    let mut scenario = Scenario::shipped("guest-os").expect("it is shipped");
    assert!(MODES.iter().all(|mode| scenario.modes.contains(mode)));
    assert!(MODES.iter().all(|mode| !scenario.modes_here().contains(mode)));
    scenario.set_profile(Profile::new(ProfileName::Assist));
    assert_eq!(scenario.modes_here(), scenario.modes);
}
