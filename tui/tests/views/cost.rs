//! View 8.

use vmm_core::price::PriceList;
use vmm_core::tally::Tally;

use crate::common::{SIZES, app, compare, enter, press, shown};

#[test]
fn at_the_beginning() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "8");
    compare(&mut app, "cost", false);
}

#[test]
fn a_boot_on_another_list_beside_the_one_before() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "8");
    enter(&mut app, ":end");
    press(&mut app, "right right");
    compare(&mut app, "cost-boot", false);
}

#[test]
fn the_sum_is_what_the_run_costs_on_every_list() {
    let mut app = app("guest-os", "translate");
    press(&mut app, "8");
    enter(&mut app, ":100000");
    for name in PriceList::NAMES {
        enter(&mut app, &format!(":prices {name}"));
        let list = PriceList::shipped(name).expect("it ships");
        let cycles = list.cycles(&app.session.run().counts());
        let tally = Tally::of(&app.session.run().counts());
        assert_eq!(tally.cycles(&list), i128::from(cycles));
        let screen = shown(&mut app, SIZES[1]);
        let sum = vmm_core::numbers::exact(cycles);
        assert!(screen.contains(&sum), "{name}: {sum} in {screen}");
    }
    enter(&mut app, ":prices pentium");
    assert!(shown(&mut app, SIZES[0]).contains("no list of prices is named 'pentium'"));
}

#[test]
fn the_figures_follow_the_guest() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "8");
    let first = shown(&mut app, SIZES[0]);
    press(&mut app, "x x x");
    let later = shown(&mut app, SIZES[0]);
    assert!(first != later && later.contains("trap or interrupt"), "{later}");
    enter(&mut app, ":begin");
    let parts = |screen: &str| {
        screen
            .lines()
            .skip(3)
            .take(10)
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        parts(&shown(&mut app, SIZES[0])),
        parts(&first),
        "and go back with it"
    );
}
