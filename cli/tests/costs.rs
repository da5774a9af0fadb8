//! Prices: stored runs priced again, lists, and the tables that compare methods by cost.

mod common;

use common::{folder, json, run};
use serde_json::{Value, json as value};

/// A report that was stored, as the path of a file.
fn stored(name: &str, report: &Value) -> String {
    let folder = folder(name, &[("run.json", &report.to_string())]);
    folder.join("run.json").display().to_string()
}

#[test]
fn a_stored_run_costs_what_the_run_costs() {
    let command = [
        "compare",
        "nano-ptemod",
        "--modes",
        "bare,trap,translate,interpret",
    ];
    let file = stored("costs-stored", &json(&command));
    for list in ["textbook", "prescott", "nehalem"] {
        let live = json(&[&command[..], &["--list", list]].concat());
        let again = json(&["price", &file, "--list", list]);
        assert_eq!(again["price_list"], live["price_list"]);
        assert_eq!(again["price_list"]["name"], list);
        let runs = again["runs"].as_array().expect("an array");
        let modes = live["modes"].as_array().expect("an array");
        assert_eq!(runs.len(), modes.len());
        for (run, mode) in runs.iter().zip(modes) {
            assert_eq!(run["mode"], mode["mode"]);
            assert_eq!(run["cycles"], mode["cycles"], "{list} {}", run["mode"]);
            let items = run["items"].as_array().expect("an array");
            let sum: u64 = items.iter().filter_map(|item| item["cycles"].as_u64()).sum();
            assert_eq!(Some(sum), run["cycles"].as_u64());
        }
    }
}

#[test]
fn a_ported_guest_and_a_single_run_can_be_priced_too() {
    let live = json(&["run", "work-forkwait", "--mode", "para", "--set", "N=3"]);
    let file = stored("costs-para", &live);
    let again = json(&["price", &file]);
    assert_eq!(again["runs"][0]["cycles"], live["cycles"]);
    let done = run(&["price", &file, "--list", "merom"]);
    assert!(
        done.out.contains('*') && done.out.contains("assumed"),
        "{}",
        done.out
    );
    assert!(
        done.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        done.out
    );
    assert_eq!(run(&["price", &file, "--mode", "trap"]).code, 10);
}

#[test]
fn every_engine_counts_the_same() {
    fn of<'a>(mode: &'a str, engine: &'a str) -> [&'a str; 8] {
        [
            "run",
            "work-switch",
            "--mode",
            mode,
            "--set",
            "N=3",
            "--engine",
            engine,
        ]
    }
    if let Some(missing) = Some(run(&of("bare", "x86-64")).err).filter(|err| err.contains("is not available"))
    {
        println!("skipped: {missing}");
        return;
    }
    for mode in ["bare", "trap", "translate"] {
        let [reference, interpreter, native] =
            ["reference", "interpreter", "x86-64"].map(|engine| json(&of(mode, engine)));
        assert!(reference["counts"]["tlb_misses"].as_u64() > Some(0));
        for other in [interpreter, native] {
            assert_eq!(reference["counts"], other["counts"], "{mode}");
            assert_eq!(reference["cycles"], other["cycles"], "{mode}");
        }
    }
}

#[test]
fn what_was_not_counted_is_absent_from_a_bill_and_not_zero() {
    let mut run_of = json(&["run", "work-switch", "--mode", "bare", "--set", "N=3"]);
    let whole = json(&["price", &stored("costs-with-tlb", &run_of)]);
    let counts = run_of["counts"].as_object_mut().expect("an object");
    for name in ["tlb_misses", "walk_references", "missing_fences"] {
        assert!(counts.remove(name).is_some(), "{name}");
    }
    let file = stored("costs-without-tlb", &run_of);
    let part = json(&["price", &file]);
    let of = |bill: &Value| {
        (
            bill["runs"][0]["cycles"].as_u64(),
            bill["runs"][0]["without_tlb"].clone(),
        )
    };
    assert_eq!((of(&whole).1, of(&part).1), (value!(false), value!(true)));
    assert!(of(&whole).0 > of(&part).0);
    let text = run(&["price", &file]).out;
    assert!(
        text.contains("+ without the misses of the TLB") && !text.contains("walk_reference"),
        "{text}"
    );
}

#[test]
fn a_bad_run_is_refused_in_a_sentence() {
    let good = json(&["run", "nano-csrw", "--set", "N=3"]);
    let mut without_one = good.clone();
    without_one["counts"]
        .as_object_mut()
        .expect("an object")
        .remove("tlb_misses");
    let changed = |pointer: &str, to: Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).expect("it is there") = to;
        bad
    };
    let mut more = good.clone();
    more["counts"]["bananas"] = value!(3);
    let mut less = good.clone();
    less["counts"].as_object_mut().expect("an object").remove("words");
    for (number, (bad, why)) in [
        (more, "bananas"),
        (less, "words"),
        (without_one, "tlb_misses"),
        (changed("/counts/words", value!(u64::MAX)), "too high"),
        (
            changed("/counts/words", value!({ "a": 1 })),
            "not counted in this way",
        ),
        (changed("/counts/words", value!(-1)), "no stored run"),
        (changed("/counts/direct", value!({ "fly": 1 })), "fly"),
        (changed("/counts/traps", value!({ "many": 1 })), "many"),
        (changed("/counts/vm_exits", value!(7)), "sum"),
        (
            changed("/counts/hypercalls", value!({ "\u{1b}[31m": 1 })),
            "\\x1b",
        ),
        (changed("/mode", value!("magic")), "magic"),
        (value!([]), "no stored run"),
        (value!({ "scenario": "x", "profile": "y" }), "no stored run"),
    ]
    .into_iter()
    .enumerate()
    {
        let done = run(&["price", &stored(&format!("costs-bad-{number}"), &bad)]);
        assert_eq!(done.code, 10, "{why}: {}", done.out);
        assert!(
            done.err.contains(why) && !done.err.contains('\u{1b}'),
            "{why}: {}",
            done.err
        );
    }
    let deep = folder("costs-deep", &[("run.json", &"[".repeat(100_000))]).join("run.json");
    assert_eq!(run(&["price", &deep.display().to_string()]).code, 10);
    assert_eq!(run(&["price", "no-such-file.json"]).code, 10);
}

#[test]
fn a_list_can_be_a_file_and_says_where_its_figures_come_from() {
    let text = "name = \"mine\"\nsource = \"me\"\nassumed = false\nrest_from_textbook = true\n\
                [event]\ntrap = { cycles = 7, source = \"my own stopwatch\" }\n";
    let folder = folder("costs-list", &[("mine.toml", text), ("bad.toml", "name = 3")]);
    let file = |name: &str| folder.join(name).display().to_string();
    let list = json(&["price", "--list", &file("mine.toml")]);
    assert_eq!(list["prices"]["trap"]["basis"]["source"], "my own stopwatch");
    assert_eq!(list["prices"]["word"]["basis"], "assumed");
    let done = run(&["run", "nano-csrw", "--list", &file("mine.toml")]);
    assert!(done.out.contains("mine"), "{}", done.out);
    for list in [file("bad.toml"), "8086".to_string()] {
        assert_eq!(run(&["price", "--list", &list]).code, 10, "{list}");
    }
}

#[test]
fn the_list_of_the_prescott_is_what_the_rule_finds() {
    let found = json(&["fastest"]);
    let list = json(&["price", "--list", "prescott"]);
    let fit = found["validation"]["fit"].as_array().expect("an array");
    assert_eq!(fit.len(), 9);
    for one in fit {
        let figure = &list["prices"][one["price"].as_str().expect("a name")];
        match one["cycles"].as_u64() {
            Some(_) => assert_eq!(figure["cycles"], one["cycles"], "{one}"),
            None => assert_eq!(figure["basis"], "assumed", "{one}"),
        }
    }
}

#[test]
fn the_map_has_every_workload_on_every_processor() {
    let map = json(&["fastest"]);
    let lists = map["price_lists"].as_array().expect("an array");
    assert_eq!(lists.len(), 6);
    let workloads = map["workloads"].as_array().expect("an array");
    assert_eq!(workloads.len(), 15);
    let fastest = |workload: &str, list: usize| {
        let row = workloads
            .iter()
            .find(|row| row["workload"] == workload)
            .expect("a row");
        row["processors"][list]["as_it_is"]["fastest"].clone()
    };
    // What needs no monitor with hardware assistance, and what does with shadow tables and not with nested ones.
    for (number, list) in lists.iter().enumerate() {
        let calls = fastest("nano-syscall", number);
        assert!(
            ["assist:shadow", "assist"].map(Value::from).contains(&calls),
            "{calls}"
        );
        let nested = ["nehalem", "westmere", "sandy-bridge"]
            .map(Value::from)
            .contains(&list["name"]);
        let best = if nested { "assist" } else { "translate" };
        assert_eq!(fastest("nano-ptemod", number), best);
    }
    for workload in workloads {
        for cell in workload["processors"].as_array().expect("an array") {
            let costs = cell["as_it_is"]["costs"].as_array().expect("an array");
            assert!(costs.is_sorted_by_key(|cost| cost["cycles"].as_i64()));
            assert!(
                costs.iter().all(|cost| cost["cycles"].as_i64() > Some(0)),
                "{cell}"
            );
        }
    }
}

#[test]
fn tables_fit_a_small_terminal() {
    for command in [
        &["fastest"][..],
        &["fastest", "--crossover", "--validate"],
        &["nano"],
        &["nano", "--list", "merom"],
        &["price", "--list", "prescott"],
        &["sweep", "batch"],
        &["sweep", "tlb"],
        &["sweep", "exit", "work-syscalls"],
        &["recursion", "--mode", "interpret", "--list", "merom"],
    ] {
        let done = run(command);
        assert_eq!(done.code, 0, "{command:?}: {}", done.err);
        let wide = done.out.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{command:?}");
    }
    let rows = json(&["sweep", "batch"])["rows"].clone();
    assert_eq!(
        (&rows[0]["batch"], &rows[11]["batch"]),
        (&value!(1), &value!(2048))
    );
    assert_eq!(run(&["sweep", "batch", "nano-csrw"]).code, 10, "it has no port");
}

#[test]
fn symbols_and_the_tlb_can_be_set() {
    let retired = |set: &str| json(&["run", "nano-csrw", "--set", set])["retired"].as_u64();
    assert_eq!(retired("N=20").zip(retired("N=10")).map(|(a, b)| a - b), Some(30));
    let done = run(&["run", "nano-csrw", "--set", "M=1"]);
    assert_eq!(done.code, 10);
    assert!(done.err.contains("defines no 'M'"), "{}", done.err);
    assert_eq!(run(&["run", "nano-csrw", "--set", "N"]).code, 2);
    assert_eq!(run(&["run", "nano-csrw", "--tlb", "3"]).code, 2);
    let misses = |entries: &str| {
        let run = json(&["run", "work-switch", "--mode", "bare", "--tlb", entries]);
        run["counts"]["tlb_misses"].as_u64()
    };
    assert!(misses("1") > misses("64"));
}

#[test]
fn an_event_is_priced_on_any_list_with_what_is_assumed_of_it() {
    let list = json(&["price", "--list", "merom"]);
    let price = |name: &str| list["prices"][name]["cycles"].as_u64().expect("a price");
    let why = json(&["why", "5", "--list", "merom"]);
    assert_eq!(why["price_list"], list["price_list"]);
    let records = why["records"].as_array().expect("an array");
    for record in records {
        let due = record["due"].as_object().expect("prices by name");
        let cost: u64 = due
            .iter()
            .map(|(name, times)| price(name) * times.as_u64().expect("a count"))
            .sum();
        assert_eq!(record["cycles"], cost, "{record}");
    }
    let due = records[0]["due"].as_object().expect("prices by name");
    assert!(
        due.contains_key("trap") && due.contains_key("dispatch"),
        "{due:?}"
    );
    let textbook = json(&["why", "5"]);
    assert_eq!(textbook["price_list"]["name"], "textbook");
    assert_eq!(
        records[0]["number"], textbook["records"][0]["number"],
        "the same event"
    );
    assert_ne!(why["cycles"], textbook["cycles"]);

    let done = run(&["why", "5", "--list", "merom"]);
    for part in [
        "* exit: illegal",
        "* some of it is assumed.",
        "price list \"merom\"",
    ] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    assert!(done.out.lines().all(|line| line.chars().count() <= 80));
    let listed = run(&["why", "popf", "--list", "merom"]);
    assert!(listed.out.ends_with(" popf --list merom\n"), "{}", listed.out);
    assert_eq!(run(&["why", "5", "--list", "8086"]).code, 10);

    // One whose figures all have a source has no mark.
    let sourced = "name = \"mine\"\nsource = \"me\"\nassumed = false\nrest_from_textbook = true\n[event]\n\
                   emulate = { cycles = 7, source = \"my own stopwatch\" }\n";
    let file = folder("costs-why", &[("mine.toml", sourced)]).join("mine.toml");
    let done = run(&["why", "5", "--list", &file.display().to_string()]);
    assert!(
        done.out.contains("         7  emulate csrw tvec\n"),
        "{}",
        done.out
    );
}

#[test]
fn a_monitor_inside_itself_costs_1_and_k_times_as_much_at_each_depth() {
    let found = json(&["recursion"]);
    assert_eq!(found["mode"], "trap");
    let depths = found["depths"].as_array().expect("an array");
    assert_eq!(depths.len(), 4);
    assert!(depths[0]["k"].is_null() && depths[0]["traps_growth"].is_null());
    for (number, depth) in depths.iter().enumerate() {
        assert_eq!(depth["depth"], number);
        assert_eq!(
            depth["kernel_retired"], depths[0]["kernel_retired"],
            "the kernel is the same"
        );
        // What a monitor emulates depends on its guest, and not on where it is.
        let emulated = depth["emulated"].as_array().expect("an array");
        assert_eq!(emulated.len(), number + 1);
        assert_eq!(
            &depths[3]["emulated"].as_array().expect("an array")[..=number],
            emulated
        );
    }
    for depth in &depths[2..] {
        let number = |key: &str| depth[key].as_f64().expect("a number");
        let predicted = 1.0 + number("k");
        for key in ["traps_growth", "cycles_growth"] {
            assert!((number(key) / predicted - 1.0).abs() < 0.1, "{key}: {depth}");
        }
        assert!(number("k_least") >= 7.0 && number("k_most") <= 12.0, "{depth}");
    }
    // A bare machine has no monitor below; the same levels trap to it one depth later.
    let bare = json(&["recursion", "--mode", "bare", "--list", "merom"]);
    assert_eq!(bare["price_list"]["name"], "merom");
    assert_eq!(bare["depths"][3]["emulated"].as_array().map(Vec::len), Some(3));
    let done = run(&["recursion"]);
    assert!(done.out.lines().all(|line| line.chars().count() <= 80));
    for part in ["second half of theorem 2", "(1+k)^n", "assumed"] {
        assert!(done.out.replace('\n', " ").contains(part), "{part}: {}", done.out);
    }
    let done = run(&["recursion", "--mode", "para"]);
    assert_eq!(done.code, 2);
    assert!(
        done.err.contains("expected one of bare, interpret, trap"),
        "{}",
        done.err
    );
}
