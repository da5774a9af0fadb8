//! Equivalence for a guest whose kernel was ported: another kernel has other states, so what is compared is what a user
//! of the system has of it, namely what each process printed, with which code each ended, and the disk.
//!
//! The console is one stream of lines, and which process gets its turn first is no part of equivalence. So the lines
//! are sorted by the process that wrote them. How a line tells is the guest's own convention, which its scenario states
//! as a list of beginnings, such as `pid #` (`#` is any number): the lines that begin with the same text are one
//! stream, in their order. Lines with no such beginning are one stream as well.

use std::collections::{BTreeMap, BTreeSet};

use toy_isa::trap::Cause;

use crate::check::difference::Difference;
use crate::check::fuel::{self, Fuel};
use crate::guest::GuestView;
use crate::mode::{End, Sync};
use crate::run::{Run, Stop};

/// The number of the system call that ends a process, in `t0` with the exit code in `a0`: Linux's, which the guests of
/// this laboratory share.
const EXIT: u32 = 93;

/// What a user has of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The lines of each stream, by what its lines begin with; under the empty name, all others.
    pub streams: BTreeMap<String, Vec<u8>>,
    /// The codes with which processes ended themselves, in rising order.
    pub exits: Vec<u32>,
    /// The contents of the disk.
    pub disk: Vec<u8>,
    /// How the guest ended.
    pub end: End,
}

impl Outcome {
    /// Runs a guest to its end, or until `budget` attempts have been made, and collects.
    pub fn of(run: &mut Run, names: &[String], budget: u64) -> Outcome {
        let mut course = Course::default();
        loop {
            let outcome = course.pursue(run, names, budget, &mut Fuel::endless(), |advance| advance());
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
    }

    /// What a user has of a guest that ended so, and whose processes ended with these codes.
    pub fn at_end(guest: &GuestView, mut exits: Vec<u32>, end: End, names: &[String]) -> Outcome {
        exits.sort_unstable();
        Outcome {
            streams: demultiplex(guest.devices.console.output(), names),
            exits,
            disk: guest.devices.disk.data().to_vec(),
            end,
        }
    }

    /// How this outcome compares with the one on the bare machine. `process` is how the console calls a process by its
    /// number, such as `pid #`.
    pub fn likeness(&self, bare: &Outcome, process: Option<&str>) -> Likeness {
        let exact = self.streams_differ(bare, None);
        let renumbered = exact.is_some() && process.is_some();
        let streams = if renumbered {
            self.streams_differ(bare, process)
        } else {
            exact
        };
        match streams.or_else(|| self.rest_differs(bare)) {
            Some(difference) => Likeness::Different(difference),
            None if renumbered => Likeness::Renumbered,
            None => Likeness::Equal,
        }
    }

    fn cut_short(&self, bare: &Outcome) -> bool {
        bare.end == End::Budget || self.end == End::Budget
    }

    /// The first difference of the streams; if `process` is given, with the numbers of processes left out. Where one of
    /// the runs was ended by its budget, what it has printed must be how the other began.
    fn streams_differ(&self, bare: &Outcome, process: Option<&str>) -> Option<Difference> {
        let cut = self.cut_short(bare);
        let (ours, theirs) = (self.numberless(process), bare.numberless(process));
        let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
        names.into_iter().find_map(|name| {
            // Of processes that are only known by their numbers, one cannot say whose beginning is whose.
            if cut && process.is_some_and(|process| name.contains(process)) {
                return None;
            }
            let of = |streams: &BTreeMap<String, Vec<Vec<u8>>>| streams.get(name).map(|all| all.concat());
            let (a, b) = (of(&theirs).unwrap_or_default(), of(&ours).unwrap_or_default());
            let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
            let begins = match (bare.end, self.end) {
                (End::Budget, End::Budget) => same == a.len().min(b.len()),
                (End::Budget, _) => same == a.len(),
                (_, End::Budget) => same == b.len(),
                _ => false,
            };
            if begins || same == a.len().max(b.len()) {
                return None;
            }
            let what = match name.as_str() {
                "" => "the output that names no process".to_string(),
                name => format!("the output of '{name}'"),
            };
            Some(Difference {
                what,
                bare: excerpt(&a, same),
                guest: excerpt(&b, same),
            })
        })
    }

    /// The streams by their names; if `process` is given, without numbers of processes, so that several streams can
    /// have the same name: these in the order of their texts.
    fn numberless(&self, process: Option<&str>) -> BTreeMap<String, Vec<Vec<u8>>> {
        let without = |text: &[u8]| match process {
            Some(process) => without_numbers(text, process.as_bytes()),
            None => text.to_vec(),
        };
        let mut streams: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for (name, text) in &self.streams {
            let name = String::from_utf8_lossy(&without(name.as_bytes())).into_owned();
            streams.entry(name).or_default().push(without(text));
        }
        streams.values_mut().for_each(|texts| texts.sort());
        streams
    }

    /// The first difference of all but the streams.
    fn rest_differs(&self, bare: &Outcome) -> Option<Difference> {
        if self.cut_short(bare) {
            return None;
        }
        let differs = |what: &str, bare: String, guest: String| {
            let what = what.to_string();
            (bare != guest).then_some(Difference { what, bare, guest })
        };
        let place = bare.disk.iter().zip(&self.disk).position(|(a, b)| a != b);
        let at = |disk: &[u8], place: usize| format!("{:#04x}", disk[place]);
        differs("how it ends", bare.end.to_string(), self.end.to_string())
            .or_else(|| {
                let list = |exits: &[u32]| format!("{exits:?}");
                differs(
                    "the exit codes of the processes",
                    list(&bare.exits),
                    list(&self.exits),
                )
            })
            .or_else(|| {
                place.and_then(|place| {
                    let what = format!("byte {place} of the disk");
                    differs(&what, at(&bare.disk, place), at(&self.disk, place))
                })
            })
    }
}

/// A run on its way to its outcome.
#[derive(Clone, Debug, Default)]
pub struct Course {
    exits: Vec<u32>,
}

impl Course {
    /// As [`Outcome::of`]; `None` if the fuel was used up before. `around` is called around every advance, to measure
    /// it.
    pub fn pursue(
        &mut self,
        run: &mut Run,
        names: &[String],
        budget: u64,
        fuel: &mut Fuel,
        mut around: impl FnMut(&mut dyn FnMut()),
    ) -> Option<Outcome> {
        let end = loop {
            let mut stop = None;
            around(&mut || stop = fuel::advance(run, budget, fuel));
            match stop? {
                Stop::Sync(sync) => self.exits.extend(process_exit(sync, || run.guest())),
                Stop::Fuel => break End::Budget,
                Stop::End(end) => break end,
            }
        };
        let exits = std::mem::take(&mut self.exits);
        Some(Outcome::at_end(&run.guest(), exits, end, names))
    }
}

/// The code with which a process ends itself, if that is what the guest's processor changes hands for.
pub fn process_exit<'a>(sync: Sync, guest: impl FnOnce() -> GuestView<'a>) -> Option<u32> {
    match sync {
        Sync::Enter(trap) if trap.cause == Cause::SystemCall(3) => {
            let x = guest().hart.x;
            (x[5] == EXIT).then_some(x[10])
        }
        _ => None,
    }
}

/// How two outcomes compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Nothing differs.
    Equal,
    /// Nothing but the numbers of processes, which a kernel gives in the order of births: that depends on whose turn it
    /// was.
    Renumbered,
    /// Something else.
    Different(Difference),
}

/// The text with the pattern itself in the place of all that it matches.
fn without_numbers(text: &[u8], pattern: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match matched(&text[at..], pattern).filter(|length| *length > 0) {
            Some(length) => {
                out.extend_from_slice(pattern);
                at += length;
            }
            None => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
    out
}

/// Sorts the lines of a console by who wrote them.
fn demultiplex(console: &[u8], names: &[String]) -> BTreeMap<String, Vec<u8>> {
    let mut streams: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for line in console.split_inclusive(|byte| *byte == b'\n') {
        let begin = line.iter().position(|byte| *byte != b' ').unwrap_or(0);
        let found = names
            .iter()
            .find_map(|name| matched(&line[begin..], name.as_bytes()));
        let name = found.map_or_else(String::new, |length| {
            String::from_utf8_lossy(&line[begin..begin + length]).into_owned()
        });
        streams.entry(name).or_default().extend_from_slice(line);
    }
    streams
}

/// How much of the line the name matches at its beginning; `None` if it does not. A number that is matched ends where
/// its digits end.
fn matched(line: &[u8], name: &[u8]) -> Option<usize> {
    let mut at = 0;
    for wanted in name {
        let rest = &line[at..];
        let length = match wanted {
            b'#' => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
            _ => usize::from(rest.first() == Some(wanted)),
        };
        if length == 0 {
            return None;
        }
        at += length;
    }
    Some(at)
}

/// Some of the text around a place, in quotes.
fn excerpt(text: &[u8], at: usize) -> String {
    const BEFORE: usize = 24;
    const AFTER: usize = 40;
    let part = &text[at.saturating_sub(BEFORE)..text.len().min(at + AFTER)];
    format!("{:?}", String::from_utf8_lossy(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(console: &str) -> Outcome {
        let names = ["killed pid #", "pid #", "ping"].map(String::from);
        Outcome {
            streams: demultiplex(console.as_bytes(), &names),
            exits: vec![0, 42],
            disk: vec![1, 2, 3],
            end: End::PowerOff(0),
        }
    }

    /// What differs; `None` if nothing does.
    fn what(guest: &Outcome, bare: &Outcome, process: Option<&str>) -> Option<String> {
        match guest.likeness(bare, process) {
            Likeness::Different(difference) => Some(difference.what),
            Likeness::Equal | Likeness::Renumbered => None,
        }
    }

    #[test]
    fn lines_are_sorted_by_what_they_begin_with() {
        let found = outcome("hello\n  pid 2: a\npid 12: b\n  ping 1\npid 2: c\nkilled pid 2\n  ping 2\nrest");
        let text = |name: &str| String::from_utf8_lossy(&found.streams[name]).into_owned();
        assert_eq!(text(""), "hello\nrest");
        assert_eq!(text("pid 2"), "  pid 2: a\npid 2: c\n");
        assert_eq!(text("pid 12"), "pid 12: b\n");
        assert_eq!(text("ping"), "  ping 1\n  ping 2\n");
        assert_eq!(text("killed pid 2"), "killed pid 2\n");
        assert_eq!(found.streams.len(), 5);
    }

    #[test]
    fn another_interleaving_is_no_difference() {
        let bare = outcome("pid 2: a\npid 3: a\npid 2: b\n");
        let other = outcome("pid 3: a\npid 2: a\npid 2: b\n");
        assert_eq!(other.likeness(&bare, None), Likeness::Equal);
    }

    #[test]
    fn every_other_change_is_one() {
        let bare = outcome("start\npid 2: a\npid 3: a\npid 2: b\n");
        for (console, expected) in [
            ("start\npid 2: b\npid 3: a\npid 2: a\n", "the output of 'pid 2'"),
            ("start\npid 2: a\npid 2: b\n", "the output of 'pid 3'"),
            (
                "start\npid 2: a\npid 3: a\npid 2: b\npid 4: a\n",
                "the output of 'pid 4'",
            ),
            ("start\npid 2: a\npid 3: a\npid 2: b", "the output of 'pid 2'"),
            (
                "pid 2: a\npid 3: a\npid 2: b\n",
                "the output that names no process",
            ),
        ] {
            let guest = outcome(console);
            assert_eq!(what(&guest, &bare, None).as_deref(), Some(expected));
            assert!(what(&guest, &bare, Some("pid #")).is_some(), "{console}");
        }
        let same = || outcome("start\npid 2: a\npid 3: a\npid 2: b\n");
        let exits = |exits: &[u32]| Outcome {
            exits: exits.to_vec(),
            ..same()
        };
        let end = |end| Outcome { end, ..same() };
        let disk = Outcome {
            disk: vec![1, 2, 4],
            ..same()
        };
        for (guest, expected) in [
            (exits(&[0, 41]), "the exit codes of the processes"),
            (exits(&[0]), "the exit codes of the processes"),
            (disk, "byte 2 of the disk"),
            (end(End::PowerOff(1)), "how it ends"),
            (end(End::Deadlock), "how it ends"),
        ] {
            for process in [None, Some("pid #")] {
                assert_eq!(what(&guest, &bare, process).as_deref(), Some(expected));
            }
        }
    }

    #[test]
    fn another_order_of_births_is_no_difference_where_numbers_are_known_to_be_numbers() {
        let bare = outcome("pid 2: a\npid 3: b, my child is pid 14\nping pid 3\nkilled pid 14\n");
        let guest = outcome("pid 3: a\npid 2: b, my child is pid 7\nping pid 2\nkilled pid 7\n");
        assert!(what(&guest, &bare, None).is_some());
        assert_eq!(guest.likeness(&bare, Some("pid #")), Likeness::Renumbered);
        assert_eq!(bare.likeness(&bare, Some("pid #")), Likeness::Equal);
        for other in [
            "pid 3: a\npid 2: c, my child is pid 7\nping pid 2\nkilled pid 7\n",
            "pid 3: a\npid 2: b, my child is pid 7\nping pid 2\n",
            "pid 3: a\npid 2: b, my child is 7\nping pid 2\nkilled pid 7\n",
        ] {
            assert!(what(&outcome(other), &bare, Some("pid #")).is_some(), "{other}");
        }
    }

    #[test]
    fn of_a_run_that_was_cut_short_the_beginning_counts() {
        let bare = outcome("pid 2: a\npid 2: b\nping 1\n");
        let cut = |console| Outcome {
            end: End::Budget,
            ..outcome(console)
        };
        assert_eq!(cut("pid 2: a\n").likeness(&bare, None), Likeness::Equal);
        assert_eq!(bare.likeness(&cut("pid 2: a\n"), None), Likeness::Equal);
        assert!(what(&cut("pid 2: c\n"), &bare, None).is_some());
        assert_eq!(
            cut("pid 3: a\nping").likeness(&bare, Some("pid #")),
            Likeness::Renumbered
        );
        assert!(what(&cut("pid 3: a\nping 2"), &bare, Some("pid #")).is_some());
    }
}
