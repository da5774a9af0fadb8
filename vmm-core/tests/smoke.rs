//! Smoke.
use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::engine::EngineName;
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::check::equivalence::Grain;
use vmm_core::check::report::{Options, compare};
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;
use vmm_core::setup::Setup;

fn now() -> u64 {
    use std::time::*;
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

#[test]
fn guest_os() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/shipped/guest-os/");
    let sources: Vec<Source> = "defs hal boot vectors syscall sched mm disk console user"
        .split(' ')
        .map(|f| Source::new(f, std::fs::read_to_string(format!("{dir}{f}.s")).unwrap()))
        .collect();
    let image = assemble(
        &sources,
        &AsmOptions {
            origin: 0x1000,
            ..Default::default()
        },
    )
    .unwrap();
    for profile in [ProfileName::Classic, ProfileName::Leaky, ProfileName::Hybrid] {
        for grain in [Grain::SyncPoints, Grain::Lockstep] {
            let mut setup = Setup::new(image.clone(), 4 << 20, Profile::new(profile));
            setup.disk = std::fs::read(format!("{dir}disk.txt")).unwrap();
            let prices = PriceList::textbook();
            let t = now();
            let reports = compare(
                &setup,
                &ModeName::ALL,
                Options {
                    engine: EngineName::Auto,
                    budget: 20_000_000,
                    grain,
                    prices: &prices,
                    now,
                },
            )
            .unwrap();
            println!("--- {profile:?} {grain:?} {} ms", (now() - t) / 1_000_000);
            for r in reports {
                println!(
                    "{} {} ret {} direct {} traps {} emu {} cyc {} x{:.2} {} ms\n   E {:?}\n   R {:?}\n   F {:?}",
                    r.mode,
                    r.end,
                    r.retired,
                    r.direct,
                    r.traps,
                    r.emulated,
                    r.cycles,
                    r.slowdown,
                    r.wall_ns / 1_000_000,
                    r.verdict.equivalence,
                    r.verdict.resource_control,
                    r.verdict.efficiency
                );
            }
        }
    }
}
