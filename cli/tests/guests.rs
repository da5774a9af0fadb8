//! Running guests: `run`, `compare`, `why` and their exit codes.

mod common;

use common::{LOOP, TRAP_LOOP, json, printer, run, scenario};
use serde_json::Value;

#[test]
fn without_arguments_it_compares_the_methods_on_the_shipped_guest() {
    let done = run(&[]);
    assert_eq!(done.code, 0, "{}", done.err);
    for word in [
        "guest-os",
        "bare",
        "interpret",
        "trap",
        "trap:0/3/3",
        "textbook",
        "assumed",
        "Try next",
    ] {
        assert!(done.out.contains(word), "{word}: {}", done.out);
    }
    assert!(
        done.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        done.out
    );
    assert_eq!(done.out, run(&["compare", "guest-os"]).out, "it is deterministic");
}

#[test]
fn a_comparison_is_one_object_with_a_report_for_each_mode() {
    let object = json(&["compare", "guest-os", "--modes", "bare,trap"]);
    assert_eq!(object["scenario"], "guest-os");
    assert_eq!(object["profile"], "classic");
    let modes = object["modes"].as_array().expect("an array");
    assert_eq!(modes.len(), 2);
    for (mode, name) in modes.iter().zip(["bare", "trap"]) {
        assert_eq!(mode["mode"], name);
        assert_eq!(mode["exit_code"], 0);
        for key in ["retired", "direct", "traps", "emulated", "cycles", "wall_ns"] {
            assert!(mode[key].is_u64(), "{key}: {mode}");
        }
        assert!(mode["slowdown"].is_f64());
        assert!(
            mode["console"]
                .as_str()
                .is_some_and(|text| text.contains("Power off."))
        );
        for property in ["equivalence", "resource_control", "efficiency"] {
            let verdict = &mode["verdict"][property];
            assert!(
                verdict["holds"].is_boolean() && verdict["detail"].is_string(),
                "{verdict}"
            );
        }
    }
}

#[test]
fn a_comparison_on_another_profile_names_the_guilty_instruction_and_is_no_failure() {
    let done = run(&["compare", "guest-os", "--profile", "leaky", "--modes", "trap"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("profile leaky"), "{}", done.out);
    assert!(done.out.contains("No equivalence under trap:"), "{}", done.out);
    assert!(
        done.out.contains("`csrsi status, 16`") && done.out.contains("POPF"),
        "{}",
        done.out
    );
}

#[test]
fn a_run_shows_the_console_and_the_verdict() {
    let path = scenario("cli-hello", &printer("Hi!\n", 7), "[expect]\nexit_code = 7\n");
    let done = run(&["run", &path, "--mode", "trap"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.starts_with("Hi!\n\n"), "{}", done.out);
    assert!(
        done.out.contains("exit code 7") && done.out.contains("resource control  yes"),
        "{}",
        done.out
    );
    let object = json(&["run", &path, "--mode", "interpret"]);
    assert_eq!(
        (&object["mode"], &object["exit_code"]),
        (&"interpret".into(), &7.into())
    );
    assert_eq!(object["console"], "Hi!\n");
}

#[test]
fn the_console_is_in_a_comparison_only_on_demand() {
    let path = scenario("cli-console", &printer("Hi!\n", 0), "");
    assert!(!run(&["compare", &path]).out.contains("Hi!"));
    assert!(
        run(&["compare", &path, "--console"])
            .out
            .contains("console under trap:\nHi!\n")
    );
}

#[test]
fn an_expectation_that_is_not_met_is_exit_code_1() {
    let path = scenario("cli-unmet", &printer("", 3), "[expect]\nexit_code = 0\n");
    for command in ["run", "compare"] {
        let done = run(&[command, &path]);
        assert_eq!(done.code, 1, "{}", done.err);
        assert!(
            done.err.contains("in mode trap, the exit code: expected 0"),
            "{}",
            done.err
        );
    }
}

#[test]
fn every_engine_and_the_lockstep_comparison_agree() {
    let path = scenario("cli-engines", &printer("x", 0), "");
    let retired = |arguments: &[&str]| {
        let object = json(&[&["compare", &path], arguments].concat());
        object["modes"][2]["retired"].clone()
    };
    let expected = retired(&[]);
    for arguments in [["--engine", "reference"], ["--engine", "interpreter"]] {
        assert_eq!(retired(&arguments), expected);
    }
    assert_eq!(retired(&["--lockstep"]), expected);
}

#[test]
fn the_budget_ends_a_guest_that_loops_in_instructions_or_in_traps() {
    for (name, guest) in [("cli-loop", LOOP), ("cli-trap-loop", TRAP_LOOP)] {
        let path = scenario(name, guest, "");
        for command in [
            &["run", "--mode", "trap"][..],
            &["run", "--mode", "interpret"],
            &["compare"],
        ] {
            let done = run(&[command, &[&path, "--budget", "5000"]].concat());
            assert_eq!(done.code, 20, "{name} {command:?}: {}", done.err);
            assert!(done.err.contains("the budget is used up"), "{}", done.err);
            assert!(
                done.err
                    .contains("5,000 attempts at an instruction; --budget N sets another"),
                "{}",
                done.err
            );
        }
        let object = json(&["run", &path, "--budget", "5000"]);
        assert_eq!(object["exit_code"], Value::Null);
        assert!(object["retired"].as_u64().is_some_and(|retired| retired <= 5000));
    }
}

#[test]
fn another_budget_is_no_reason_to_complain_and_what_is_not_checked_is_said() {
    let done = run(&["run", "loop", "--budget", "1_000"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let note = "\nNot checked: what it expects only of runs with its own budget, 150,000.\n";
    assert!(done.out.contains(note), "{}", done.out);
    assert!(!run(&["run", "loop"]).out.contains("Not checked"));
    let done = run(&["run", "guest-os", "--budget", "1000"]);
    assert_eq!(done.code, 20);
    let words = "the end of the guest: expected a power-off with exit code 0, found none within the budget";
    assert!(
        done.err.contains(words) && !done.err.contains("console"),
        "{}",
        done.err
    );
    let done = run(&["run", "popf", "--profile", "classic"]);
    let note = "\nNot checked: what it expects, which is meant for profile leaky.\n";
    assert!(done.out.contains(note), "{}", done.out);
    assert!(json(&["run", "popf", "--profile", "classic"])["unchecked"].is_string());
}

#[test]
fn the_hundred_lines_are_not_efficient_for_a_guest_that_pages() {
    let done = run(&["compare", "guest-os", "--modes", "bare,hundred"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let row = done.out.lines().find(|line| line.starts_with("hundred"));
    assert!(
        row.is_some_and(|row| row.ends_with("yes yes  NO")),
        "{}",
        done.out
    );
    assert!(done.out.contains("No efficiency under hundred:"), "{}", done.out);
}

#[test]
fn one_thing_is_in_the_singular_and_large_numbers_have_commas() {
    let done = run(&["run", "loop", "--budget", "1000"]);
    for part in [
        "999 instructions retired",
        " 1 trap;",
        "1 shadow fill,",
        "0 stores",
    ] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    let done = run(&["compare", "guest-os", "--profile", "leaky", "--modes", "trap"]);
    assert!(done.out.contains("clock 39,049"), "{}", done.out);
}

#[test]
fn hints_mean_the_run_that_they_stand_under() {
    let options = [
        "--profile",
        "classic",
        "--budget",
        "5000",
        "--engine",
        "reference",
    ];
    let done = run(&[&["why", "popf", "--mode", "hundred"], &options[..]].concat());
    let again = format!("popf {} --mode hundred", options.join(" "));
    let hint = format!("trapeze why 1 {again}");
    assert!(done.out.ends_with(&format!("Try next: {hint}\n")), "{}", done.out);
    let command: Vec<&str> = hint.split_whitespace().skip(1).collect();
    assert!(run(&command).out.starts_with("Event 1 of popf,"), "{hint}");
    let done = run(&["why", "99999", "popf", "--mode", "bare"]);
    assert!(
        done.err.contains("`trapeze why popf --mode bare`"),
        "{}",
        done.err
    );
    let own = ["--modes", "bare,trap", "--lockstep"];
    let done = run(&[&["compare", "relocation"], &own[..], &options[2..]].concat());
    let hint = format!("--profile leaky {} {}\n", options[2..].join(" "), own.join(" "));
    assert!(done.out.ends_with(&hint), "{}", done.out);
    let spaced = scenario("cli with blanks", &printer("x", 0), "");
    let done = run(&["why", &spaced]);
    assert!(done.out.ends_with(&format!(" '{spaced}'\n")), "{}", done.out);
}

#[test]
fn an_event_in_relocated_memory_has_its_place_in_the_source() {
    let done = run(&["why", "relocation", "34"]);
    for part in [
        "it was at first (0x00000000, relocated by 0x2000",
        "to 0x00002000).",
        "instruction   lw t0, 64(zero)",
        "source        guest.s:80",
    ] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    let guest = &json(&["why", "34", "relocation"])["guest"];
    assert_eq!((&guest["pc"], &guest["base"]), (&0.into(), &0x2000.into()));
    assert_eq!(guest["place"]["address"], 0x2000);
}

#[test]
fn causes_have_names_in_json() {
    let traps = &json(&["run", "relocation", "--mode", "bare"])["counts"]["traps"];
    assert_eq!(traps["system call from ring 3"], 8, "{traps}");
    let events = json(&["why", "relocation", "--mode", "bare"]);
    let call = &events["first"][2];
    assert_eq!(
        (&call["cause"], &call["code"]),
        (&"system call from ring 3".into(), &8.into())
    );
    let verdict = &json(&["run", "popf", "--mode", "bare"])["verdict"]["resource_control"];
    assert_eq!(verdict["holds"], false);
    let detail = verdict["detail"].as_str().expect("a text");
    assert!(detail.starts_with("not defined without a monitor"), "{detail}");
}

#[test]
fn an_end_that_is_expected_is_none_to_complain_about() {
    let path = scenario("cli-expected-loop", LOOP, "[expect]\nend = \"budget\"\n");
    assert_eq!(run(&["compare", &path]).code, 0);
    let path = scenario(
        "cli-unexpected-end",
        &printer("", 0),
        "[expect]\nend = \"budget\"\n",
    );
    assert_eq!(run(&["compare", &path]).code, 1);
}

#[test]
fn a_deadlock_and_a_double_fault_have_exit_codes_of_their_own() {
    let path = scenario("cli-deadlock", "_start: wfi\n        j _start\n", "");
    let done = run(&["run", &path]);
    assert_eq!(done.code, 21, "{}", done.err);
    assert!(done.err.contains("deadlock"), "{}", done.err);
    let guest = "_start:\n        li t0, 0x100000\n        csrw tvec, t0\n        ecall\n";
    let done = run(&["run", &scenario("cli-double-fault", guest, "")]);
    assert_eq!(done.code, 22, "{}", done.err);
    assert!(done.err.contains("double fault"), "{}", done.err);
}

#[test]
fn an_event_is_explained_from_the_source_to_the_bill() {
    let path = scenario("cli-why", &printer("x", 0), "");
    let list = run(&["why", &path]);
    assert_eq!(list.code, 0, "{}", list.err);
    assert!(list.out.contains("emulate out"), "{}", list.out);
    let events = json(&["why", &path]);
    let first = events["first"].as_array().expect("an array");
    let emulate = first
        .iter()
        .find(|event| event["event"] == "emulate")
        .expect("an emulation");
    let number = emulate["number"].to_string();
    let done = run(&["why", &number, &path]);
    assert_eq!(done.code, 0, "{}", done.err);
    for part in [
        "_start+0x4",
        "out zero, a0",
        "guest.s:3",
        "illegal instruction",
        "routine for `out`",
    ] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    assert!(done.out.contains(&format!("> {number:>10}  ")), "{}", done.out);
    let object = json(&["why", &number, &path]);
    let records = object["records"].as_array().expect("an array");
    let sum: u64 = records
        .iter()
        .filter_map(|record| record["cycles"].as_u64())
        .sum();
    assert_eq!(object["cycles"], sum);
    assert_eq!(records.len(), 3, "exit, emulation, resumption");
}

#[test]
fn an_event_that_does_not_exist_is_an_error_that_says_how_to_find_others() {
    let done = run(&["why", "99999999"]);
    assert_eq!(done.code, 10);
    assert!(
        done.err.contains("no event 99999999") && done.err.contains("`trapeze why guest-os` shows some"),
        "{}",
        done.err
    );
    let path = scenario("cli-why-loop", TRAP_LOOP, "");
    let done = run(&["why", "99999999", &path, "--budget", "3000"]);
    assert_eq!(done.code, 10, "the budget ends the search");
}

#[test]
fn the_lint_tells_of_a_missing_fence() {
    // A page table with one superpage at 0; then the page is mapped elsewhere, and used without a fence.
    let text = |fence: &str| {
        format!(
            "
        li      a0, 0x8000              # the table
        li      a1, 0xcf                # V R W X A D, at address 0
        sw      a1, 0(a0)
        sw      a1, 4(a0)               # and again at 4 MiB
        ori     t0, a0, 1
        csrw    ptbr, t0
        li      a2, 0x400000
        lw      t0, 0(a2)
        li      a1, 0xc1                # from now on it may not be loaded from
        sw      a1, 4(a0)
        {fence}
        la      t1, off
        csrw    tvec, t1
        lw      t0, 0(a2)
off:    li      t0, 48
        out     t0, zero
        "
        )
    };
    let without = run(&["run", "--mode", "bare", &scenario("unfenced", &text("nop"), "")]);
    assert!(without.out.contains("Lint:"), "{}", without.out);
    let with = run(&[
        "run",
        "--mode",
        "bare",
        &scenario("fenced", &text("sfence.vma"), ""),
    ]);
    assert!(!with.out.contains("Lint:"), "{}", with.out);
}

#[test]
fn a_comparison_of_modes_with_long_names_fits_80_columns() {
    let done = run(&[
        "compare",
        "popf",
        "--modes",
        "bare,translate:callouts,assist:shadow",
    ]);
    let all = run(&[
        "compare",
        "popf",
        "--modes",
        "bare,translate:callouts,translate:all",
    ]);
    for line in done.out.lines().chain(all.out.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(all.out.contains("translate:callouts\n"), "{}", all.out);
}

#[test]
fn the_guilty_instruction_is_told_with_its_source_line() {
    let done = run(&[
        "compare",
        "guest-os",
        "--modes",
        "bare,trap",
        "--profile",
        "leaky",
    ]);
    assert!(done.out.contains("`csrsi status, 16`"), "{}", done.out);
    assert!(done.out.contains("(boot.s:"), "{}", done.out);
}

#[test]
fn a_foreign_guest_runs_where_nothing_was_said_and_is_refused_elsewhere() {
    let done = run(&["run", "foreign"]);
    assert_eq!(done.code, 0, "{}", done.err);
    for part in [
        "e4e7f110 15593bd1",
        "foreign under interpret",
        "directly on the hardware; 6 traps",
        "equivalence       –    not compared",
    ] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    let compared = run(&["compare", "foreign"]);
    assert_eq!(compared.code, 0, "{}", compared.err);
    for part in [
        "       –   – yes  NO\n",
        "No verdict on equivalence under interpret:\n  not compared",
        "Try next: trapeze why foreign",
    ] {
        assert!(compared.out.contains(part), "{part}: {}", compared.out);
    }
    for line in done.out.lines().chain(compared.out.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let mode = &json(&["compare", "foreign"])["modes"][0];
    assert!(mode["slowdown"].is_null() && mode["verdict"]["equivalence"]["holds"].is_null());
    for command in [
        &["run", "foreign", "--mode", "bare"][..],
        &["compare", "foreign", "--modes", "interpret,trap"],
        &["why", "foreign", "--mode", "translate"],
        &["units", "foreign"],
    ] {
        let done = run(command);
        assert_eq!(done.code, 10, "{command:?}");
        assert!(
            done.err.contains("compiled for 32 registers"),
            "{command:?}: {}",
            done.err
        );
    }
}

#[test]
fn where_no_mode_is_named_it_is_one_that_the_scenario_lists() {
    for (scenario, mode) in [
        ("relocation", "trap"),
        ("passthrough", "assist"),
        ("hypervisor", "interpret"),
    ] {
        assert_eq!(json(&["why", scenario])["mode"], mode, "{scenario}");
    }
    let done = run(&["why", "99999999", "passthrough", "--mode", "bare"]);
    assert!(done.err.contains("passthrough --mode bare`"), "{}", done.err);
    let done = run(&["why", "99999999", "passthrough"]);
    assert!(done.err.contains("passthrough`"), "{}", done.err);
}

/// Who tries things out does not want to wait. It takes some 3 ms; the least of several is the same on a busy computer.
#[test]
fn a_tiny_scenario_is_run_and_checked_in_an_instant() {
    let time = || {
        let begin = std::time::Instant::now();
        let done = run(&["run", "nano-csrw", "--set", "N=1"]);
        assert_eq!(done.code, 0, "{}", done.err);
        begin.elapsed()
    };
    let least = (0..10).map(|_| time()).min().expect("there were ten");
    assert!(least.as_millis() < 40, "{least:?}");
}
