//! `crowd`: several guests under one monitor.

mod common;

use common::{LOOP, TRAP_LOOP, json, printer, run, scenario};

#[test]
fn the_result_fits_a_small_terminal_and_names_every_class_and_every_guest() {
    let many = run(&["crowd", "tenant", "--guests", "18", "--weights", "1,2,3"]);
    assert_eq!(many.code, 0, "{}{}", many.out, many.err);
    for class in [
        "  6 x tenant             1",
        "  6 x tenant             3",
        "  1 x trap-loop",
    ] {
        assert!(many.out.contains(class), "{}", many.out);
    }
    let few = run(&["crowd", "tenant", "--guests", "2", "--mode", "para"]);
    assert_eq!(few.code, 0, "{}{}", few.out, few.err);
    for guest in ["  2 tenant ", "  3 loop ", "  4 trap-loop "] {
        assert!(few.out.contains(guest), "{}", few.out);
    }
    let one = run(&["crowd", "guest-os", "--guests", "1"]).out;
    for out in [&many.out, &few.out, &one, &run(&["crowd", "--help"]).out] {
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    }
}

#[test]
fn shares_follow_the_weights_and_the_price_of_an_exit_decides_how_many_a_storm_gets() {
    let storm = scenario("crowd-storm", TRAP_LOOP, "");
    let greedy = scenario("crowd-greedy", LOOP, "");
    let exits = |exit_fuel: &str| {
        let options = ["--guests", "1", "--weights", "3,1", "--budget", "1_000_000"];
        let command = ["crowd", &greedy, "--beside", &storm, "--exit-fuel", exit_fuel];
        let result = json(&[&command[..], &options].concat());
        let guests = result["crowd"]["guests"].as_array().expect("an array").clone();
        assert_eq!(result["crowd"]["shares"]["holds"], true, "{result}");
        let measured = guests[0]["measured"].as_f64().expect("a share");
        assert!((measured - 0.75).abs() < 0.75 * 0.02, "{measured}");
        guests[1]["exits"].as_u64().expect("a count")
    };
    let (cheap, dear) = (exits("2"), exits("200"));
    assert!((90..110).contains(&(cheap / dear)), "{cheap} and {dear}");
}

#[test]
fn what_cannot_be_told_is_not_claimed() {
    let short = scenario("crowd-short", &printer("hi", 3), "");
    let done = run(&["crowd", &short, "--weights", "1,2"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.out.contains("too early to tell"), "{}", done.out);
    let result = json(&["crowd", &short, "--weights", "1,2"]);
    assert!(result["crowd"]["shares"].is_null());
    assert_eq!(result["crowd"]["alone"]["holds"], true);
}

#[test]
fn a_crowd_that_cannot_be_is_refused_in_a_sentence() {
    let greedy = scenario("crowd-refused", LOOP, "");
    for (arguments, why) in [
        (
            &["--mode", "bare"][..],
            "several run under trap, translate, para and assist",
        ),
        (&["--mode", "para"], "this guest has no port"),
        (&["--mode", "assist"], "--profile assist"),
        (&["--beside", "nowhere"], "nowhere"),
    ] {
        let done = run(&[&["crowd", &greedy], arguments].concat());
        assert_eq!(done.code, 10, "{arguments:?}: {}", done.out);
        assert!(done.err.contains(why), "{}", done.err);
    }
    let done = run(&["crowd", "guest-os", "--guests", "200"]);
    assert_eq!(done.code, 10);
    assert!(done.err.contains("1 GiB"), "{}", done.err);
    for bad in [
        ["--guests", "0"],
        ["--weights", "0"],
        ["--exit-fuel", "0"],
        ["--fuel", "0"],
    ] {
        assert_eq!(run(&[&["crowd", &greedy][..], &bad].concat()).code, 2, "{bad:?}");
    }
}
