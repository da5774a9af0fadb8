//! Whatever keys, mouse and resizes come in whatever order, on whatever scenario: nothing panics, every picture is
//! drawn, and the interface can still be left. The long campaign:
//! `PROPTEST_CASES=100 cargo test --release -p tui --test random`.

mod common;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use scenarios::Scenario;
use tui::action::ACTIONS;
use tui::app::Request;
use tui::key::{Code, Key, Named};
use tui::message::{Mouse, MouseKind};
use tui::{App, Message, frame};

/// How many messages are sent to each scenario.
const MESSAGES: usize = 50;

/// Lines that mean something, in some views or in all.
const LINES: [&str; 32] = [
    ":1000",
    ":event 20",
    ":next exit",
    ":prev trap",
    ":break pc",
    ":break trap if a0 != 0",
    ":watch sp",
    ":watch [sp] if ring == 3",
    ":set a0 -1",
    ":set [sp] 0xffffffff",
    ":set pc 0",
    ":delete all",
    ":off 1",
    ":play full",
    ":play 100000",
    ":mode bare",
    ":mode interpret",
    ":mode translate",
    ":mode hybrid",
    ":mode para",
    ":mode assist",
    ":mode hundred",
    ":next adapt",
    ":compare bare hybrid assist",
    ":tour popf",
    ":tour paravirtual-io",
    ":ascii",
    ":at sp",
    ":code pc",
    "/csr",
    "/0x73",
    "/\u{e1}",
];

/// Messages that come together.
fn messages() -> impl Strategy<Value = Vec<Message>> {
    let names: Vec<&str> = ACTIONS.iter().flat_map(|entry| entry.keys).copied().collect();
    let meant = prop::sample::select(names).prop_map(|name| name.parse().expect("a key"));
    let typed = any::<char>().prop_filter("a key types no control", |c| !c.is_control());
    let one = |key| vec![Message::Key(key)];
    let line = prop::sample::select(&LINES[..]).prop_map(|line| {
        let typed = line.chars().map(|c| Message::Key(Key::char(c)));
        typed.chain([Message::Key(Key::named(Named::Enter))]).collect()
    });
    let kinds = prop::sample::select(vec![MouseKind::Press, MouseKind::WheelUp, MouseKind::WheelDown]);
    let mouse = (kinds, 0..200u16, 0..60u16).prop_map(|(kind, x, y)| {
        let at = Position::new(x, y);
        vec![Message::Mouse(Mouse { kind, at })]
    });
    let sizes = prop_oneof![Just((80, 24)), Just((160, 50)), (0..200u16, 0..60u16)];
    let resize = sizes.prop_map(|(width, height)| vec![Message::Resize { width, height }]);
    prop_oneof![
        12 => meant.prop_map(one),
        1 => typed.prop_map(move |c| one(Key::char(c))),
        3 => line,
        3 => mouse,
        2 => resize,
        2 => (0..1000u64).prop_map(|millis| vec![Message::Tick { millis }]),
    ]
}

fn draw(app: &App) -> Buffer {
    let area = Rect::new(0, 0, app.size.width, app.size.height);
    let mut buffer = Buffer::empty(area);
    frame::paint(app, area, &mut buffer);
    buffer
}

fn play(scenario: &str, messages: Vec<Vec<Message>>) -> TestCaseResult {
    let mode = Scenario::shipped(scenario).expect("it ships").default_mode();
    let mut app = common::app(scenario, mode.name());
    for message in messages.into_iter().flatten() {
        app.update(message);
        if app.busy() {
            app.update(Message::Work);
        }
        draw(&app);
        let timeline = app.session.timeline();
        prop_assert!(timeline.position() <= timeline.furthest());
        prop_assert!(timeline.retired() <= timeline.furthest_retired());
    }
    // However deep in: out of the prompt, the menu, the help and whatever it is at, and it ends.
    app.take_requests();
    for _ in 0..5 {
        app.update(Message::Key(Key::plain(Code::Named(Named::Escape))));
    }
    app.update(Message::Key(Key::char('q')));
    prop_assert!(app.take_requests().contains(&Request::Quit));
    Ok(())
}

#[test]
fn nothing_that_is_typed_panics() {
    let cases = std::env::var("PROPTEST_CASES");
    let config = Config {
        cases: cases.ok().and_then(|cases| cases.parse().ok()).unwrap_or(1),
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    for scenario in scenarios::list() {
        let mut runner = TestRunner::new(config.clone());
        let strategy = prop::collection::vec(messages(), MESSAGES);
        let result = runner.run(&strategy, |messages| play(&scenario.name, messages));
        result.unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
    }
}
