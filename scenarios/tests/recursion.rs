//! Recursive virtualizability: the monitor in Ring32 assembly, inside itself. How its cost grows with the depth, and
//! what no depth changes.

use scenarios::Scenario;
use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{Options, Report, compare};
use vmm_core::engine::EngineName;
use vmm_core::mode::{End, ModeName};
use vmm_core::modes::trap::Layout;
use vmm_core::price::PriceList;
use vmm_core::recursion::Walk;
use vmm_core::run::Run;
use vmm_core::setup::Setup;

const TRAP: ModeName = ModeName::Trap(Layout::RingDeprivileging);
const BUDGET: u64 = 100_000_000;

/// What one monitor has in memory for itself, a page of data and a page of code; and what the kernel has.
const MONITOR_PAGES: u32 = 2;
const KERNEL_PAGES: u32 = 3;
const PAGE: u32 = 4096;

fn shipped(name: &str) -> Scenario {
    Scenario::shipped(name).unwrap_or_else(|error| panic!("{}", error.render()))
}

/// The kernel of `recursion-1` under this many monitors; under none, alone in the same memory as ever.
fn setup(depth: u32) -> Setup {
    let mut sources = shipped("recursion-1").sources;
    if depth == 0 {
        sources.retain(|source| source.name == "kernel.s");
    }
    let options = AsmOptions {
        origin: 0,
        defines: vec![("DEPTH".to_string(), i64::from(depth))],
    };
    let image = assemble(&sources, &options).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let pages = depth * MONITOR_PAGES + KERNEL_PAGES;
    Setup::new(image, pages * PAGE, Profile::new(ProfileName::Classic))
}

fn reports(setup: &Setup, modes: &[ModeName], grain: Grain) -> Vec<Report> {
    let options = Options {
        engine: EngineName::Auto,
        budget: BUDGET,
        grain,
        prices: &PriceList::textbook(),
        now: || 0,
    };
    compare(setup, modes, options).expect("the image fits")
}

fn console(run: &Run) -> String {
    String::from_utf8_lossy(run.guest().devices.console.output()).into_owned()
}

/// The kernel under this many monitors, one instruction after the other.
fn walk(depth: u32) -> Walk {
    let walk = Walk::of(&setup(depth), depth * MONITOR_PAGES * PAGE, BUDGET).expect("the image fits");
    assert_eq!(walk.end, End::PowerOff(42), "depth {depth}");
    walk
}

#[test]
fn the_cost_grows_by_one_and_k_at_each_level() {
    let walk = walk(1);
    let paths = &walk.hot_paths;
    let (least, most) = (paths.iter().min(), paths.iter().max());
    assert_eq!((least, most), (Some(&8), Some(&12)), "what monitor.s says");
    let k = walk.k().expect("there were traps");

    println!(
        "k is 8 to 12, {k:.2} on average over {} traps of the kernel",
        paths.len()
    );
    println!("depth mode   retired      traps       cycles   traps, to the depth before");
    let mut rows: Vec<Vec<Report>> = Vec::new();
    for depth in 0..=3 {
        let row = reports(&setup(depth), &[ModeName::Bare, TRAP], Grain::SyncPoints);
        for (i, report) in row.iter().enumerate() {
            assert_eq!(report.exit_code(), Some(42), "depth {depth}, {}", report.mode);
            let before = rows.last().map(|before| &before[i]);
            println!(
                "{depth:5} {:5} {:8} {:10} {:12}   {}",
                report.mode.name(),
                report.retired,
                report.traps,
                report.cycles,
                before.map_or("-".to_string(), |before| format!(
                    "{:.2}",
                    ratio(report.traps, before.traps)
                ))
            );
        }
        rows.push(row);
    }

    for depth in 1..3 {
        let (inner, outer) = (&rows[depth][0], &rows[depth + 1][0]);
        let traps = ratio(outer.traps, inner.traps);
        assert!((9.0..=13.0).contains(&traps), "depth {depth}: 1 + k is {traps}");
        // What a monitor does at power-on and at the end of its guest traps too, and is on no hot path.
        assert!(
            (traps / (1.0 + k) - 1.0).abs() < 0.1,
            "depth {depth}: {traps}, with k {k}"
        );
        let retired = ratio(outer.retired, inner.retired);
        assert!((9.0..=13.0).contains(&retired), "depth {depth}: {retired}");
    }
    // From the second level on, a level costs the same again; and one that is written in Rust traps as often.
    assert!((ratio(rows[3][0].traps, rows[2][0].traps) / (1.0 + k) - 1.0).abs() < 0.01);
    for depth in 0..3 {
        let (host, guest) = (rows[depth][1].traps, rows[depth + 1][0].traps);
        assert!(
            (ratio(host, guest) - 1.0).abs() < 0.05,
            "depth {depth}: {host}, {guest}"
        );
    }
}

/// What the kernel's instructions are to its monitor, they are at every depth: the same retire by themselves, and the
/// same do not. And no path of a monitor is longer than monitor.s says; an interrupt's is one shorter.
#[test]
fn whoever_looks_from_outside_sees_the_same_kernel_at_every_depth() {
    let alone = walk(0);
    assert_eq!(alone.k(), None, "there is no monitor");
    let inside: Vec<Walk> = (1..=2).map(walk).collect();
    let emulated = 146;
    for walk in &inside {
        assert_eq!(walk.innermost + emulated, alone.innermost);
        assert!(walk.hot_paths.iter().all(|k| (7..=12).contains(k)));
    }
    let setup = setup(2);
    let short = Walk::of(&setup, 0, 1000).expect("the image fits");
    assert_eq!(
        (short.end, short.k()),
        (End::Budget, None),
        "all of it is the innermost"
    );
}

fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b as f64
}

#[test]
fn the_kernel_and_every_monitor_are_the_same_at_every_depth() {
    let mut kernel: Option<Vec<u8>> = None;
    let mut lines: Vec<String> = Vec::new();
    let mut code: Option<Vec<u8>> = None;
    for depth in 0..=4 {
        let mut run = Run::new(&setup(depth), ModeName::Bare, EngineName::Auto).expect("the image fits");
        assert_eq!(run.finish(BUDGET), End::PowerOff(42), "depth {depth}");
        let view = run.guest();
        let pages = |first: u32, count: u32| -> Vec<u8> {
            (first..first + count)
                .flat_map(|page| view.page(page).expect("it is there").to_vec())
                .collect()
        };

        // All of its memory: also the clock values that it has stored.
        let memory = pages(depth * MONITOR_PAGES, KERNEL_PAGES);
        assert!(
            *kernel.get_or_insert_with(|| memory.clone()) == memory,
            "depth {depth}"
        );
        for level in 0..depth {
            let page = pages(level * MONITOR_PAGES + 1, 1);
            assert!(
                *code.get_or_insert_with(|| page.clone()) == page,
                "depth {depth}, level {}",
                level + 1
            );
        }

        // What a monitor has done for its guest depends on the guest, and not on where they are.
        let console = console(&run);
        let (text, log) = console.split_at(console.find("Level").unwrap_or(console.len()));
        assert!(text.ends_with("off at clock 2297\n"), "depth {depth}: {text}");
        let log: Vec<String> = log
            .lines()
            .enumerate()
            .map(|(i, line)| {
                let name = format!("Level {}", depth as usize - i);
                line.strip_prefix(&name)
                    .unwrap_or_else(|| panic!("{name}: {line}"))
                    .to_string()
            })
            .collect();
        assert_eq!(log.len(), depth as usize);
        assert_eq!(log[..lines.len()], lines, "depth {depth}");
        lines = log;
    }
}

#[test]
fn every_mode_is_equal_to_bare_in_lockstep() {
    for name in ["recursion-1", "recursion-2", "recursion-3", "recursion-killed"] {
        let scenario = shipped(name);
        for report in reports(&scenario.setup, &scenario.modes, Grain::Lockstep) {
            let equivalence = &report.verdict.equivalence;
            assert!(
                equivalence.holds,
                "{name} under {}: {}",
                report.mode, equivalence.detail
            );
        }
    }
}

/// The vandal of `recursion-killed` gets nowhere where the mistake is not made; level 2 outlives it.
#[test]
fn without_the_planted_mistake_level_2_outlives_its_guests() {
    let scenario = shipped("recursion-killed");
    let sources: Vec<Source> = scenario
        .sources
        .iter()
        .map(|source| {
            Source::new(
                &source.name,
                source.text.replace("LEVEL_2_ROOM, 1, 0", "LEVEL_2_ROOM, 0, 0"),
            )
        })
        .collect();
    assert_ne!(sources, scenario.sources);
    let image = assemble(&sources, &AsmOptions::default()).expect("it assembles as before");
    let setup = Setup::new(image, scenario.setup.memory, Profile::new(ProfileName::Classic));
    let mut run = Run::new(&setup, TRAP, EngineName::Auto).expect("the image fits");
    assert_eq!(run.finish(BUDGET), End::PowerOff(42));
    let console = console(&run);
    let starts = [
        "Level 2: guest 1 died: waits for ever",
        "Level 2: guest 2 died: no trap handler",
        "Level 1: guest 1 is off, code 255",
        "kernel: on",
    ];
    for (line, start) in console.lines().zip(starts) {
        assert!(line.starts_with(start), "{console}");
    }
}

/// A guest whose ring 1 may fetch beyond `bound`, from where it may use windows. Those know no limit, and this one
/// would reach the monitor's own memory; so it may not fetch from there.
#[test]
fn a_window_is_no_way_out() {
    const GUEST: &str = "
        .equ    MEMORY, 12288
        .org    8192
        j       1f
        .word   4096, 0, 0
1:      la      t0, 3f
        csrw    tvec, t0
        li      t0, 16
        csrw    bound, t0
        la      t0, 2f
        csrw    epc, t0
        li      t0, 4                   # PRING = 1
        csrw    status, t0
        mret
2:      wsw     zero, 16(zero)
        ecall
3:      csrr    t1, cause
        li      t0, 48
        out     t0, t1
        ";
    let mut sources = shipped("recursion-1").sources;
    sources.retain(|source| ["monitor.s", "routines.s", "report.s"].contains(&source.name.as_str()));
    sources.push(Source::new("guest.s", GUEST));
    let image = assemble(&sources, &AsmOptions::default()).expect("it assembles");
    let setup = Setup::new(image, 3 * PAGE, Profile::new(ProfileName::Classic));
    let mut run = Run::new(&setup, ModeName::Bare, EngineName::Auto).expect("the image fits");
    assert_eq!(
        run.finish(BUDGET),
        End::PowerOff(1),
        "a fetch fault: {}",
        console(&run)
    );
}
