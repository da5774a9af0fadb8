//! View 6.

use crate::common::{SIZES, app, compare, enter, press, shown};

#[test]
fn a_shadow_table_beside_the_guests_own() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "6");
    enter(&mut app, ":100000");
    compare(&mut app, "address", false);
}

#[test]
fn two_dimensions_with_their_references() {
    let mut app = app("tlb-reach", "assist");
    press(&mut app, "6");
    enter(&mut app, ":20000");
    // Where the guest maps pages, not superpages.
    enter(&mut app, ":0x00400000 load");
    compare(&mut app, "address-nested", false);
    let all = shown(&mut app, SIZES[0]);
    assert!(all.contains("8 = (2+1)(2+1)-1") && all.contains("24"), "{all}");
}

#[test]
fn references_are_revealed_one_after_the_other() {
    let mut app = app("tlb-reach", "assist");
    press(&mut app, "6");
    enter(&mut app, ":20000");
    // Where the guest maps pages, not superpages.
    enter(&mut app, ":0x00400000 load");
    let all = shown(&mut app, SIZES[0]);
    press(&mut app, "g");
    for number in 0..=8 {
        let screen = shown(&mut app, SIZES[0]);
        let seen = (1..=8)
            .filter(|step| screen.contains(&format!("{step} @0")))
            .count();
        assert_eq!(seen, number, "{screen}");
        assert_eq!(screen.contains("real"), number == 8, "{screen}");
        press(&mut app, "right");
    }
    assert_eq!(shown(&mut app, SIZES[0]), all);
    press(&mut app, "left");
    assert!(shown(&mut app, SIZES[0]).contains("References: 7 of 8"));
}

#[test]
fn any_address_can_be_walked_for_anything() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "6");
    enter(&mut app, ":100000");
    for (line, wanted) in [
        (":walk sp", "load"),
        (":walk sp store", "store"),
        (":0xfffff000 store", "store ffff f000"),
        (":frame_alloc+4", "load 00001a70 frame_alloc+0x4"),
        (":pc", "fetch"),
    ] {
        enter(&mut app, line);
        let screen = shown(&mut app, SIZES[0]);
        assert!(
            screen.contains(&wanted.replace("ffff f", "fffff")),
            "{line}: {screen}"
        );
    }
    enter(&mut app, ":walk nowhere");
    let screen = shown(&mut app, SIZES[0]);
    assert!(screen.contains("'nowhere' is no place"), "{screen}");
    // A number by itself is that of an instruction, as everywhere.
    enter(&mut app, ":99000");
    assert_eq!(app.session.timeline().retired(), 99_000);
}

#[test]
fn a_range_that_is_selected_or_found_is_walked() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "6");
    enter(&mut app, ":100000");
    press(&mut app, "w G enter");
    assert!(shown(&mut app, SIZES[0]).contains("load ffc00000"));
    enter(&mut app, "/traced");
    press(&mut app, "enter");
    let screen = shown(&mut app, SIZES[1]);
    let walked = screen
        .lines()
        .find(|line| line.contains('▶'))
        .expect("it is marked");
    assert!(walked.contains("page table, traced"), "{screen}");
    enter(&mut app, "/no such thing");
    assert!(shown(&mut app, SIZES[0]).contains("in no range"));
}
