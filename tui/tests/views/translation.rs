//! View Translation: the unit where the guest stands, beside what it was made from.

use crate::common::{app, compare, enter, press, shown};
use ratatui::layout::Size;

const LARGE: Size = Size::new(160, 50);

#[test]
fn it_looks_like_its_pictures() {
    let mut app = app("guest-os", "translate");
    press(&mut app, "5");
    enter(&mut app, ":300000");
    compare(&mut app, "translation", false);
}

#[test]
fn the_unit_is_that_of_the_instruction_which_the_guest_is_at() {
    let mut app = app("guest-os", "translate");
    press(&mut app, "5");
    enter(&mut app, ":250000");
    let mut kernel = 0;
    for _ in 0..200 {
        press(&mut app, "s");
        let run = app.session.run();
        let stands = run
            .translator()
            .and_then(|translator| translator.stands_at(run.machine()));
        let pc = run.guest().hart.pc;
        if stands.is_none() {
            continue;
        }
        kernel += 1;
        let screen = shown(&mut app, LARGE);
        assert!(screen.contains("where the guest stands"), "{screen}");
        assert!(
            screen.contains(&format!("{pc:08x}  ")),
            "no {pc:08x} in\n{screen}"
        );
    }
    assert!(kernel > 50, "{kernel}");
}

#[test]
fn units_can_be_found_and_selected() {
    let mut app = app("guest-os", "translate");
    press(&mut app, "5");
    enter(&mut app, ":end");
    enter(&mut app, ":unit hal_put");
    let screen = shown(&mut app, LARGE);
    assert!(screen.contains("of hal_put, ring 0"), "{screen}");
    enter(&mut app, ":unit 0xdeadbee0");
    let screen = shown(&mut app, LARGE);
    assert!(screen.contains("no unit holds 0xdeadbee0"), "{screen}");
    press(&mut app, "w g");
    assert!(shown(&mut app, LARGE).contains("Unit 0 of"));
}

#[test]
fn where_nothing_is_translated_it_says_what_does() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "5");
    let screen = shown(&mut app, LARGE);
    assert!(screen.contains("Mode trap translates nothing"), "{screen}");
}

#[test]
fn units_are_found_by_their_names() {
    let mut app = app("guest-os", "translate");
    press(&mut app, "5");
    enter(&mut app, ":250000");
    enter(&mut app, "/hal_put");
    let screen = shown(&mut app, LARGE);
    assert!(screen.contains("of hal_put"), "{screen}");
    enter(&mut app, "/nothing of that name");
    let screen = shown(&mut app, LARGE);
    assert!(screen.contains("is the name of no unit"), "{screen}");
}
