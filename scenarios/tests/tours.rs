//! The shipped tours are lessons: every stop is reached, every claim is true of the run, every figure is taken of it.

use scenarios::tour::{self, Mark, Step, Text, Tour, Walk, Way};
use vmm_core::timeline::Timeline;

fn shipped() -> Vec<Tour> {
    let load = |listed: scenarios::Listed| {
        Tour::find(&listed.name).unwrap_or_else(|error| panic!("{}", error.render()))
    };
    tour::list().into_iter().map(load).collect()
}

/// Everything that is read at a stop.
fn texts(stop: &tour::Stop) -> Vec<&Text> {
    let asked = stop.ask.iter().flat_map(|ask| {
        let texts = [&ask.question, &ask.answer];
        texts.into_iter().chain(&ask.choices)
    });
    [&stop.say, &stop.notes].into_iter().chain(asked).collect()
}

#[test]
fn six_tours_ship_in_the_order_in_which_they_build_on_each_other() {
    let names: Vec<String> = tour::list().into_iter().map(|listed| listed.name).collect();
    assert_eq!(
        names,
        [
            "first-trap",
            "system-call",
            "popf",
            "page-tables",
            "paravirtual-io",
            "which-is-fastest"
        ]
    );
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tours")).expect("the folder");
    assert_eq!(files.count(), names.len(), "every file is listed");
}

#[test]
fn every_stop_is_reached_in_order_and_every_claim_holds() {
    for tour in shipped() {
        let walk = Walk::through(&tour).unwrap_or_else(|error| panic!("{}: {error}", tour.name));
        assert_eq!(walk.broken(&tour), [], "{}", tour.name);
        for (place, stop) in tour.stops.iter().enumerate() {
            let known = walk.known(&tour, place);
            for text in texts(stop) {
                let filled = text.fill(&known);
                assert!(!filled.contains('…'), "{} {}: {filled}", tour.name, place + 1);
            }
            let position = |place: usize| walk.marks[place].as_ref().map(|mark| mark.position);
            if place > 0 && tour.same_run(place - 1, place) {
                assert!(
                    position(place - 1) <= position(place),
                    "{} {}",
                    tour.name,
                    place + 1
                );
            }
        }
    }
}

#[test]
fn every_tour_asks_for_a_prediction_and_has_notes_and_claims_at_every_stop() {
    for tour in shipped() {
        assert!(tour.stops.iter().any(|stop| stop.ask.is_some()), "{}", tour.name);
        assert!(!tour.about.is_empty());
        for (place, stop) in tour.stops.iter().enumerate() {
            let walk = (tour.name.as_str(), place + 1);
            assert!(stop.notes.typed().any(|text| !text.is_empty()), "{walk:?}");
            assert!(
                !stop.claims.is_empty(),
                "{walk:?} claims nothing that can be checked"
            );
        }
        // The right answer is not always at the same place.
        let right: Vec<usize> = tour
            .stops
            .iter()
            .filter_map(|stop| Some(stop.ask.as_ref()?.right))
            .collect();
        assert!(
            right.len() < 3 || right.iter().any(|place| *place != right[0]),
            "{}",
            tour.name
        );
    }
}

/// Numbers that may be typed: those that are names.
fn may_be_typed(before: &str, word: &str) -> bool {
    let year = word.len() == 4 && matches!(&word[..2], "19" | "20");
    let numbered = ["ring", "theorem", "pentium"].contains(&before.to_lowercase().as_str());
    year || numbered || ["x86", "x86-64", "Ring32", "PDP-10"].contains(&word)
}

/// Things that are counted: a number before them should be a figure.
const COUNTED: [&str; 16] = [
    "exit",
    "trap",
    "cycle",
    "instruction",
    "word",
    "hypercall",
    "character",
    "byte",
    "store",
    "notification",
    "request",
    "callout",
    "upcall",
    "reference",
    "interrupt",
    "time",
];

const NUMBERS: [&str; 14] = [
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "hundred",
    "thousand", "million",
];

fn typed_figures(text: &str) -> Vec<String> {
    // Code is quoted as it is written.
    let prose: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" `` ");
    let words: Vec<&str> = prose.split_whitespace().collect();
    let plain = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_string();
    let mut found = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let before = place.checked_sub(1).map_or("", |before| words[before]);
        let word = plain(word);
        if word.contains(|c: char| c.is_ascii_digit()) && !may_be_typed(before, &word) {
            found.push(format!("{before} {word}"));
        }
        let next = words.get(place + 1).map_or(String::new(), |next| plain(next));
        let counted = COUNTED
            .iter()
            .any(|thing| next == *thing || next == format!("{thing}s"));
        if NUMBERS.contains(&word.as_str()) && counted {
            found.push(format!("{word} {next}"));
        }
    }
    found
}

#[test]
fn figures_are_taken_of_the_run_and_not_typed() {
    assert_eq!(
        typed_figures("it took 17 exits in ring 3, on x86, in 2005"),
        ["took 17"]
    );
    assert_eq!(typed_figures("three exits of `a7`, twice"), ["three exits"]);
    for tour in shipped() {
        for (place, stop) in tour.stops.iter().enumerate() {
            for text in texts(stop).iter().flat_map(|text| text.typed()) {
                assert_eq!(
                    typed_figures(text),
                    [""; 0],
                    "{} {}: {text}",
                    tour.name,
                    place + 1
                );
            }
        }
    }
}

/// The way to a stop in slices of so much fuel.
fn travel(tour: &Tour, stop: usize, marks: &[Option<Mark>], timeline: &mut Timeline, fuel: u64) -> Mark {
    let mut way = Way::to(tour, stop, marks, timeline);
    for _ in 0..10_000_000 {
        match way.pursue(timeline, fuel) {
            Step::Working => {}
            Step::Arrived => return Mark::of(timeline),
            Step::Missed(end) => panic!("{} {}: {end}", tour.name, stop + 1),
        }
    }
    panic!("{} {}: the way has no end", tour.name, stop + 1)
}

#[test]
fn a_stop_is_the_same_place_on_the_way_there_and_back_in_slices_and_from_power_on() {
    for tour in shipped() {
        let walk = Walk::through(&tour).unwrap_or_else(|error| panic!("{}: {error}", tour.name));
        let last = tour.stops.len() - 1;
        let first = (0..=last)
            .rev()
            .take_while(|stop| tour.same_run(*stop, last))
            .last();
        for stop in (first.unwrap_or(last)..=last).rev() {
            let wanted = walk.marks[stop].as_ref().map(|mark| mark.position);
            let mut fresh = tour.timeline(stop).expect("it ran before");
            let there = travel(&tour, stop, &walk.marks, &mut fresh, 1000);
            assert_eq!(Some(there.position), wanted, "{} {}", tour.name, stop + 1);
            // Somebody went on alone, and comes back.
            fresh.step();
            let again = travel(&tour, stop, &walk.marks, &mut fresh, 1000);
            assert_eq!(Some(again.position), wanted, "{} {}", tour.name, stop + 1);
            assert_eq!(again.reading.counts, there.reading.counts);
        }
    }
}

#[test]
fn the_tour_that_the_book_shows_as_an_example_is_a_good_one() {
    let page = include_str!("../../book/src/tours.md");
    let example = page
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("example.toml");
    std::fs::write(&path, example.expect("the page has one")).expect("the folder is ours");
    let tour = Tour::find(path.to_str().expect("a path that is text"));
    let tour = tour.unwrap_or_else(|error| panic!("{}", error.render()));
    let walk = Walk::through(&tour).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(walk.broken(&tour), []);
}
