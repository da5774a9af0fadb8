//! Bad input of every kind ends in an error that says where and what, and often what was meant; quickly, and
//! never in a panic.

mod common;

use common::{Folder, GOOD, elf};
use scenarios::{Scenario, limit};

#[test]
fn mistakes_in_the_file_are_told_with_place_and_suggestion() {
    let folder = Folder::new("mistakes");
    folder.write("twin.s", b"");
    let cases: &[(&str, &str)] = &[
        // Unknown keys.
        (
            "titel = \"t\"\n[guest]\nsources = []",
            "scenario.toml:1:1: error: unknown field 'titel', expected one of 'title', \
            'about', 'machine', 'guest', 'run', 'assist', 'crowd', 'expect'; did you mean 'title'?",
        ),
        (
            "[machine]\nmemroy = 1",
            "scenario.toml:5:1: error: unknown field 'memroy'",
        ),
        (
            "[expect.mode.trap.verdict]\nequivalent = true",
            "; did you mean 'equivalence'?",
        ),
        ("[expect]\ncounts.exits = { mni = 1 }", "; did you mean 'min'?"),
        // Wrong types.
        (
            "[run]\nbudget = \"many\"",
            "scenario.toml:5:10: error: invalid type: string \"many\", expected u64",
        ),
        (
            "[machine]\nmemory = 1.5",
            "scenario.toml:5:10: error: invalid type: floating point '1.5', expected a size",
        ),
        (
            "[expect.registers]\na0 = \"1\"",
            "expected a word: a number from -0x80000000 to 0xffffffff",
        ),
        // Missing, and not there.
        (
            "[machine]\ndisk = \"twim.s\"",
            "scenario.toml:5:8: error: 'twim.s': no such file; did you mean 'twin.s'?",
        ),
        (
            "[machine]\ndisk = \"no/where\"",
            "scenario.toml:5:8: error: 'no/where': no such file",
        ),
        ("[machine]\ndisk = \".\"", "'.': not a regular file"),
        // Unknown names.
        (
            "[machine]\nprofile = \"clasic\"",
            "scenario.toml:5:11: error: unknown profile 'clasic': expected one of classic, \
            leaky, hybrid, assist; did you mean 'classic'?",
        ),
        (
            "[machine.rows]\n\"csrw statsu\" = \"traps\"",
            "scenario.toml:5:1: error: unknown row 'csrw statsu'",
        ),
        (
            "[machine.rows]\n\"csrw status\" = \"take-effect\"",
            "; did you mean 'takes-effect'?",
        ),
        (
            "[machine.rows]\nadd = \"traps\"",
            "scenario.toml:5:7: error: 'add' cannot be 'traps' outside ring 0",
        ),
        (
            "[run]\nmodes = [\"bare\", \"trop\"]",
            "scenario.toml:5:18: error: unknown mode 'trop'",
        ),
        (
            "[expect.registers]\na9 = 1",
            "scenario.toml:5:1: error: unknown register 'a9'",
        ),
        ("[expect.counts]\nexit = 1", "unknown count 'exit'"),
        (
            "[expect.memory]\n_strat = 1",
            "'_strat' is no address: expected a number such as \"0x5000\", or a symbol of the \
            guest; did you mean '_start'?",
        ),
        ("[expect]\nend = \"power-of\"", "; did you mean 'power-off'?"),
        (
            "[expect.mode.tarp]\nexit_code = 1",
            "scenario.toml:4:14: error: unknown mode 'tarp'",
        ),
        // Out of range.
        (
            "[machine]\nmemory = \"300 MiB\"",
            "scenario.toml:5:10: error: memory of 300 MiB is out of range: expected 4 KiB to \
            256 MiB, in whole pages of 4 KiB; did you mean '256 MiB'?",
        ),
        ("[machine]\nmemory = 0", "did you mean '4 KiB'?"),
        ("[machine]\nmemory = 5000", "did you mean '8 KiB'?"),
        ("[machine]\nmemory = -1", "a size cannot be negative"),
        (
            "[machine]\nmemory = \"4 MB\"",
            "'MB' is no unit of size: expected B, KiB, MiB or GiB; did you mean '4 MiB'?",
        ),
        ("[machine]\ntlb = 3", "did you mean '4'?"),
        ("[machine]\ntlb = 1_000_000", "did you mean '65536'?"),
        ("[run]\nbudget = 0", "a budget of 0 is out of range"),
        (
            "[run]\nbudget = 9_000_000_000_000",
            "did you mean '1000000000000'?",
        ),
        ("[run]\nmodes = []", "no mode to run"),
        (
            "[crowd]\nguests = 0",
            "scenario.toml:5:10: error: guests: 0 is out of range: expected 1 to 256; did you mean '1'?",
        ),
        (
            "[crowd]\nweights = [1, 2000]",
            "scenario.toml:5:15: error: a weight: 2000 is out of range: expected 1 to 1000; did you mean '1000'?",
        ),
        (
            "[crowd]\nexit_fuel = 0",
            "error: the fuel of an exit: 0 is out of range: expected 1 to 1000000; did you mean '1'?",
        ),
        (
            "[crowd]\nbeside = [\"nowhere\"]",
            "scenario.toml:5:11: error: 'nowhere/scenario.toml': no such file",
        ),
        (
            "[run]\nmodes = [\"bare\", \"para\"]",
            "scenario.toml:5:18: error: mode para runs a ported kernel, and this guest has no port",
        ),
        (
            "port = { kernel = \"guest.s\", batch = 4096 }",
            "scenario.toml:4:38: error: a batch of 4096 updates is out of range: expected 1 to 2048; did you mean \
            '2048'?",
        ),
        (
            "port = { interface = \"gest.s\", kernel = \"guest.s\", pages = \"guest.s\" }",
            "scenario.toml:4:22: error: 'gest.s': no such file; did you mean 'guest.s'?",
        ),
        (
            "port = { kernel = \"guest.s\", pages = \"../x/other.s\" }",
            "'../x/other.s' takes no source's place",
        ),
        ("port = { stream = [] }", "; did you mean 'streams'?"),
        (
            "[run]\nmodes = [\"trap\", \"trap:0/1/3\"]",
            "scenario.toml:5:18: error: mode 'trap' is listed twice",
        ),
        ("[expect.registers]\na0 = 0x1_0000_0000", "4294967296 is no word"),
        (
            "[expect.memory]\n\"0x400000\" = 0",
            "no word of memory is at 0x400000",
        ),
        ("[expect.memory]\n\"0x1001\" = 0", "; did you mean '0x1000'?"),
        (
            "[expect.counts]\nexits = { min = 2, max = 1 }",
            "expected min, max or both, and min <= max",
        ),
        // What cannot be meant.
        (
            "[expect]\nexit_code = 0\nend = \"deadlock\"",
            "scenario.toml:6:7: error: only a guest that switches itself off",
        ),
        (
            "[expect.mode.trap.mode.bare]\nexit_code = 0",
            "expectations of a mode inside a mode",
        ),
        (
            "[run]\nbudget = 1\nbudget = 2",
            "scenario.toml:6:1: error: duplicate key",
        ),
        ("x = \"\u{1}\"", "scenario.toml:4:"),
    ];
    for (toml, expected) in cases {
        let whole = if toml.starts_with("titel") {
            (*toml).to_string()
        } else {
            format!("{GOOD}{toml}")
        };
        let error = folder.error(&whole);
        assert!(
            error.contains(expected),
            "{toml}\n  says   {error}\n  and not {expected}"
        );
        assert!(error.starts_with("scenario.toml:"), "{error}");
    }
}

#[test]
fn a_guest_is_given_once_and_can_be_read() {
    let folder = Folder::new("guest");
    folder.write("bad.s", b"_start:\n\tadi a0, a0, 1\n\tnop nop\n");
    folder.write("latin.s", b"# \xe1\n");
    folder.write("guest.elf", &elf());
    let of = |guest: &str| folder.error(&format!("title = \"t\"\n[guest]\n{guest}"));
    assert!(of("").contains("no guest: expected sources or elf"));
    assert!(of("sources = []").contains("scenario.toml:3:11: error: 0 sources: expected 1 to 64"));
    assert!(of("sources = [\"guest.s\", \"guest.s\"]").contains("listed twice"));
    assert!(
        of("sources = [\"guest.s\"]\nelf = \"guest.elf\"")
            .contains("scenario.toml:4:7: error: the guest is given twice")
    );
    assert!(of("elf = \"guest.elf\"\norigin = 0").contains("an ELF has its own addresses"));
    assert!(of("elf = \"guest.elf\"\ndefines.N = 1").contains("an ELF is assembled already"));
    assert!(of("sources = [\"latin.s\"]").contains("'latin.s': byte 2 is not UTF-8"));
    assert!(of("sources = [\"guest.sx\"]").contains("; did you mean 'guest.s'?"));
    let many = format!("sources = [{}]", "\"guest.s\",".repeat(limit::SOURCES + 1));
    assert!(of(&many).contains("65 sources: expected 1 to 64"));
    assert_eq!(
        of("sources = [\"bad.s\"]"),
        "bad.s:2:2: error: unknown instruction 'adi'; did you mean 'add'? (and 1 more)"
    );
}

#[test]
fn an_error_shows_the_line_and_the_place() {
    let folder = Folder::new("render");
    folder.write("bad.s", b"_start:\n\tadi a0, a0, 1\n");
    let render = |toml: &str| {
        folder
            .fail(toml.as_bytes())
            .render()
            .replace(&format!("{}/", folder.0.display()), "")
    };
    assert_eq!(
        render(&format!("{GOOD}[machine]\nmemory = \"300 MiB\"")),
        "scenario.toml:5:10: error: memory of 300 MiB is out of range: expected 4 KiB to 256 MiB, in whole \
         pages of 4 KiB; did you mean '256 MiB'?\n 5 | memory = \"300 MiB\"\n   |          ^^^^^^^^^"
    );
    assert!(
        render("title = \"t\"\n[guest]\nsources = [\"bad.s\"]").ends_with(" 2 |  adi a0, a0, 1\n   |  ^")
    );
    // A line that is too long to show is shown around the place.
    let long = render(&format!(
        "title = {:?}\n{}",
        "x".repeat(5000),
        "guest = { sources = [] , elff = 1 }"
    ));
    assert!(long.contains("elff"), "{long}");
    let long = render(&format!("guest = {{ {} elff = 1 }}", "a.b = 1, ".repeat(1000)));
    assert!(long.lines().all(|line| line.chars().count() < 300), "{long}");
}

#[test]
fn an_empty_scenario_says_what_is_missing() {
    let folder = Folder::new("empty");
    for empty in ["", "\n\n  \n", "# only a comment\n"] {
        assert!(
            folder
                .error(empty)
                .starts_with("scenario.toml:1:1: error: the scenario is empty: expected at least a title")
        );
    }
    assert!(folder.error("about = \"x\"").contains("missing field 'title'"));
    assert!(folder.error("title = \"x\"").contains("missing field 'guest'"));
}

#[test]
fn nesting_without_end_is_refused_at_once() {
    let folder = Folder::new("nesting");
    let (many, most) = (20_000, 500_000);
    let cases = [
        format!("a = {}", "[".repeat(many)),
        format!("a = {}{}", "[".repeat(many), "]".repeat(many)),
        format!("a = {}1{}", "{a=".repeat(many), "}".repeat(many)),
        format!("{}a = 1", "a.".repeat(many)),
        format!("{}a = 1", "a.".repeat(most)),
        format!("[{}a]", "a.".repeat(many)),
        format!("[[{}a]]", "a.".repeat(many)),
        format!("a = {}", "[".repeat(most)),
    ];
    for toml in cases {
        let error = folder.error(&format!("title = \"t\"\n{toml}\n"));
        assert!(error.starts_with("scenario.toml:2:"), "{error}");
        assert!(error.contains("nested too deep: expected at most 80"), "{error}");
    }
    // Wide in place of deep.
    for toml in [
        "[[a]]\n".repeat(150_000),
        "=\n".repeat(300_000),
        (0..60_000).map(|i| format!("k{i}=1\n")).collect(),
    ] {
        assert!(folder.error(&toml).starts_with("scenario.toml:1:"));
    }
}

#[test]
fn what_an_error_quotes_cannot_reach_the_terminal() {
    let folder = Folder::new("escapes");
    folder.write("guest.s", b"_start: \x1b[2Jnop \"\x1b\n .error \"\x1b[2J\"\n");
    let cases: [&[u8]; 5] = [
        b"title = \"t\"\n[guest]\nsources = [\"guest.s\"]",
        b"title = \"t\"\n\"\\u001b[2J\" = 1",
        b"title = \"t\"\n[machine]\nprofile = \"\\u001b[2J\"\n[guest]\nsources = [\"guest.s\"]",
        b"title = \"t\" # \x1b[2J\nx",
        b"title = \"\xff\x1b[2J\"",
    ];
    for toml in cases {
        let error = folder.fail(toml);
        let text = format!("{error}\n{}", error.render());
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }
}

#[test]
fn no_prefix_and_no_lost_byte_of_a_scenario_panics() {
    let folder = Folder::new("mutations");
    let toml = "title = \"t\"\n[machine]\nrows = { \"csrw status\" = \"partial\" }\n\
        memory = \"64 KiB\"\n[guest]\n\
        sources = [\"guest.s\"]\n[expect]\nmemory._start = 1\ncounts.exits = { min = 1, max = 2 }\n\
        verdict.holes = []\n";
    for i in 0..toml.len() {
        folder.write("scenario.toml", &toml.as_bytes()[..i]);
        let _ = Scenario::load(&folder.0);
        let lost = [&toml.as_bytes()[..i], &toml.as_bytes()[i + 1..]].concat();
        folder.write("scenario.toml", &lost);
        let _ = Scenario::load(&folder.0);
    }
}
