//! The terminal interface on a terminal: that it starts, that it ends however it is ended, and what it leaves behind.

#![cfg(unix)]

mod pty;
mod tours;

use std::os::unix::process::ExitStatusExt;

use pty::{Terminal, configuration};
use rustix::process::Signal;

/// What stands at the top of the screen.
const HEAD: &str = "Trapeze guest-os";

#[test]
fn bare_trapeze_on_a_terminal_is_the_interface_and_q_ends_it() {
    let mut terminal = Terminal::trapeze("quit", &[]);
    terminal.wait_for(HEAD);
    assert!(!terminal.is_restored(), "it has the terminal");
    terminal.types("s");
    terminal.wait_for("1 ");
    terminal.types("q");
    assert_eq!(terminal.end().code(), Some(0));
    assert_eq!(terminal.screen().trim(), "", "nothing is left on the screen");
}

// A release cannot be made to panic.
#[cfg(debug_assertions)]
#[test]
fn a_panic_leaves_the_terminal_as_it_was_and_its_message_on_it() {
    let mut terminal = Terminal::with("panic", &["tui"], &[("TRAPEZE_TEST_PANIC", "1")], (80, 24));
    terminal.wait_for(HEAD);
    terminal.types("j");
    assert_eq!(terminal.end().code(), Some(70));
    terminal.wait_for("a panic was asked for");
    terminal.wait_for("this is an error of Trapeze itself");
}

#[test]
fn signals_end_it_and_leave_the_terminal_as_it_was() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut terminal = Terminal::trapeze(&format!("signal-{}", signal.as_raw()), &["tui", "popf"]);
        terminal.wait_for("Trapeze popf");
        terminal.signal(signal);
        assert_eq!(
            terminal.end().signal(),
            Some(signal.as_raw()),
            "it ends by the signal"
        );
    }
}

#[test]
fn it_ends_with_its_terminal() {
    let mut terminal = Terminal::trapeze("gone", &["tui"]);
    terminal.wait_for(HEAD);
    assert_eq!(terminal.close().signal(), Some(Signal::HUP.as_raw()));
}

#[test]
fn a_signal_while_the_guest_is_played_at_full_speed_ends_it_too() {
    let mut terminal = Terminal::trapeze("signal-playing", &["tui", "loop", "--budget", "1000000000000"]);
    terminal.wait_for("Trapeze loop");
    terminal.types(":play full\r");
    terminal.wait_for("full");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.end().signal(), Some(Signal::TERM.as_raw()));
}

#[test]
fn it_is_suspended_and_resumed_by_the_shell() {
    let folder = configuration("suspend");
    let environment = [
        ("XDG_CONFIG_HOME", folder.to_str().expect("a path that is text")),
        ("PS1", "ready> "),
        ("ENV", ""),
    ];
    let mut terminal = Terminal::start("sh", &["-i"], &environment, (80, 24));
    terminal.wait_for("ready>");
    terminal.types(&format!("{} tui\n", env!("CARGO_BIN_EXE_trapeze")));
    for _ in 0..2 {
        terminal.wait_until("the interface", |terminal| {
            terminal.screen().contains(HEAD) && terminal.look(|screen| screen.alternate_screen())
        });
        terminal.types("\x1a");
        terminal.wait_until("the shell", |terminal| {
            terminal.is_restored() && terminal.screen().contains("Stopped")
        });
        terminal.types("fg\n");
    }
    terminal.wait_until("the interface", |terminal| {
        terminal.look(|screen| screen.alternate_screen())
    });
    terminal.wait_for(HEAD);
    terminal.types("q");
    terminal.wait_until("the shell", Terminal::is_restored);
    terminal.types("exit 7\n");
    assert_eq!(terminal.end().code(), Some(7));
}

#[test]
fn nobody_is_left_who_could_resume_it_so_it_is_not_suspended() {
    let mut terminal = Terminal::trapeze("no-suspend", &["tui"]);
    terminal.wait_for(HEAD);
    terminal.types("\x1a");
    terminal.wait_for("no shell is here");
    terminal.types("q");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn a_screen_that_is_too_small_says_so_until_it_is_large_enough() {
    let mut terminal = Terminal::with("small", &["tui"], &[], (40, 10));
    terminal.wait_for("needed: 80 x 24");
    terminal.wait_for("here:   40 x 10");
    for size in [(1, 1), (79, 24), (3, 200), (200, 3)] {
        terminal.resize(size.0, size.1);
    }
    terminal.resize(100, 30);
    terminal.wait_for(HEAD);
    terminal.resize(80, 23);
    terminal.wait_for("here:   80 x 23");
    terminal.types("q");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn what_is_typed_while_the_terminal_is_resized_is_not_lost() {
    let mut terminal = Terminal::trapeze("resize", &["tui"]);
    terminal.wait_for(HEAD);
    for round in 0..50 {
        terminal.resize(90 + round % 2, 30);
        terminal.types("?");
        terminal.wait_for("Help");
        terminal.resize(80 + round % 2, 25);
        terminal.types("q");
        terminal.wait_until("the help's end", |terminal| !terminal.screen().contains("Help"));
    }
    terminal.types("q");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn settings_are_kept_and_bad_files_are_told_of() {
    let folder = configuration("settings");
    let path = folder.to_str().expect("a path that is text");
    let settings = folder.join("trapeze").join("settings.toml");
    let start = || {
        let environment = [("XDG_CONFIG_HOME", path)];
        Terminal::start(env!("CARGO_BIN_EXE_trapeze"), &["tui"], &environment, (80, 24))
    };
    let mut terminal = start();
    terminal.wait_for(HEAD);
    terminal.types("\x1bOQ");
    terminal.wait_for("theme light");
    terminal.types("q");
    terminal.end();
    let text = std::fs::read_to_string(&settings).expect("the settings");
    assert!(text.contains("theme = \"light\""), "{text}");

    std::fs::write(&settings, "theme = \"mauve\"").expect("written");
    std::fs::write(
        folder.join("trapeze").join("keys.toml"),
        "[keys]\nstep = [\"F5\"]\n",
    )
    .expect("written");
    let mut terminal = start();
    terminal.wait_for("settings.toml");
    terminal.types("\x1b[15~");
    terminal.wait_until("a step by another key", |terminal| {
        let second = terminal.screen().lines().nth(1).map(str::to_string);
        second.is_some_and(|line| line.trim_start().starts_with("1 "))
    });
    terminal.types("q");
    terminal.end();
}

#[test]
fn settings_that_cannot_be_kept_are_no_reason_to_end() {
    let folder = configuration("unwritable");
    let file = folder.join("file");
    std::fs::write(&file, "").expect("written");
    let environment = [("XDG_CONFIG_HOME", file.to_str().expect("a path that is text"))];
    let mut terminal = Terminal::start(env!("CARGO_BIN_EXE_trapeze"), &["tui"], &environment, (80, 24));
    terminal.wait_for(HEAD);
    terminal.types("\x1bOQ");
    terminal.wait_for("the settings are not kept");
    terminal.types("q");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn a_recording_shows_what_was_shown() {
    let folder = configuration("record");
    let cast = folder.join("lecture.cast");
    let arguments = ["tui", "--record", cast.to_str().expect("a path that is text")];
    let mut terminal = Terminal::with("record-settings", &arguments, &[], (80, 24));
    terminal.wait_for(HEAD);
    terminal.types("sss");
    terminal.resize(90, 30);
    terminal.types("?");
    terminal.wait_for("Help");
    terminal.types("q");
    terminal.types("q");
    assert_eq!(terminal.end().code(), Some(0));
    let text = std::fs::read_to_string(&cast).expect("the recording");
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line));
    let head = lines.next().expect("a head");
    assert_eq!(
        (&head["version"], &head["width"], &head["height"]),
        (&2.into(), &80.into(), &24.into())
    );
    let (mut shown, mut resized, mut last) = (String::new(), false, 0.0);
    for line in lines {
        let time = line[0].as_f64().expect("seconds");
        assert!(time >= last, "time goes on");
        last = time;
        let data = line[2].as_str().expect("text");
        match line[1].as_str() {
            Some("o") => shown += data,
            Some("r") => resized |= data == "90x30",
            _ => panic!("{line}"),
        }
    }
    assert!(resized);
    let written = String::from_utf8(terminal.bytes()).expect("text");
    assert!(
        written.starts_with(&shown),
        "all but what gives the terminal back"
    );
}

#[test]
fn without_colours_no_colour_is_written() {
    for (name, environment) in [("no-color", &[("NO_COLOR", "1")][..]), ("color", &[])] {
        let mut terminal = Terminal::with(name, &["tui"], environment, (80, 24));
        terminal.wait_for(HEAD);
        terminal.types("q");
        terminal.end();
        let bytes = String::from_utf8_lossy(&terminal.bytes()).into_owned();
        let coloured = bytes.contains("38;5;") || bytes.contains("48;5;");
        assert_eq!(coloured, environment.is_empty(), "{name}");
    }
}

#[test]
fn ascii_writes_characters_of_ascii_only() {
    let mut terminal = Terminal::trapeze("ascii", &["tui", "--ascii"]);
    terminal.wait_for(HEAD);
    terminal.types("?");
    terminal.wait_for("Help");
    terminal.types("qq");
    terminal.end();
    assert!(terminal.bytes().is_ascii());
}

#[test]
fn the_mouse_chooses_views_and_can_be_left_to_the_terminal() {
    let mut terminal = Terminal::trapeze("mouse", &["tui"]);
    terminal.wait_for(HEAD);
    // A press of the main button on the third line: the tab of view 2, in the columns and lines of SGR, from 1.
    terminal.types("\x1b[<0;14;3M\x1b[<0;14;3m");
    terminal.wait_for("Flow ═");
    terminal.types("\x1bOR");
    terminal.wait_until("no mouse", |terminal| {
        terminal.look(|screen| screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None)
    });
    terminal.types("q");
    assert_eq!(terminal.end().code(), Some(0));
}
