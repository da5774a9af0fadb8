//! Tallies: what a run has to pay for, by the names of prices. A cost is linear in the prices, so a tally is all that
//! is needed to price a run on any list, and to say which price decides between two runs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::counts::Counts;
use crate::event::Event;
use crate::price::PriceList;

/// How often each price is due: in a run, or in one run more than in another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<String, i64>);

/// For each price, a list on which it is 1 and all others 0: a run costs on it as many cycles as the price is due.
static UNITS: LazyLock<Vec<(String, PriceList)>> = LazyLock::new(|| {
    let textbook = PriceList::textbook();
    let names = textbook.figures().keys();
    let unit = |due: &String| (due.clone(), textbook.changed(|name, _| u64::from(name == due)));
    names.map(unit).collect()
});

impl Tally {
    /// What a run has to pay for, as far as it was counted: see [`Counts::tlb`].
    pub fn of(counts: &Counts) -> Tally {
        let due = |list: &PriceList| i64::try_from(list.cycles(counts)).unwrap_or(i64::MAX);
        Tally(
            UNITS
                .iter()
                .map(|(name, list)| (name.clone(), due(list)))
                .collect(),
        )
    }

    /// What one event has to pay for, without the guest's own instructions and table entries read.
    pub fn of_event(event: &Event) -> Tally {
        let due = |list: &PriceList| i64::try_from(list.of(event)).unwrap_or(i64::MAX);
        let units = UNITS.iter().map(|(name, list)| (name.clone(), due(list)));
        Tally(units.filter(|(_, due)| *due != 0).collect())
    }

    /// From the names of prices and how often each is due.
    pub fn new<'a>(due: impl IntoIterator<Item = (&'a str, i64)>) -> Tally {
        Tally(
            due.into_iter()
                .map(|(name, due)| (name.to_string(), due))
                .collect(),
        )
    }

    /// What is due beyond `other`.
    #[must_use]
    pub fn beyond(&self, other: &Tally) -> Tally {
        let mut rest = self.clone();
        for (name, due) in &other.0 {
            let own = rest.0.entry(name.clone()).or_default();
            *own = own.saturating_sub(*due);
        }
        rest
    }

    /// How often the price of this name is due.
    pub fn due(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// The prices that are due, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        let due = self.0.iter().filter(|(_, due)| **due != 0);
        due.map(|(name, due)| (name.as_str(), *due))
    }

    /// The mark of the cost in tables, as that of a figure: `*` if some of it is assumed on the list, else `f` if some
    /// of it was fitted, else none.
    pub fn mark(&self, list: &PriceList) -> char {
        let figures = self.iter().filter_map(|(name, _)| list.figures().get(name));
        let marks: Vec<char> = figures.map(|figure| figure.basis.mark()).collect();
        let worst = ['*', 'f'].into_iter().find(|mark| marks.contains(mark));
        worst.unwrap_or(' ')
    }

    /// The cost in cycles.
    pub fn cycles(&self, list: &PriceList) -> i128 {
        let cost = |(name, due): (&str, i64)| i128::from(due) * i128::from(list.price(name));
        self.iter().map(cost).sum()
    }
}

#[cfg(test)]
mod tests {
    use toy_isa::trap::{Cause, Trap};

    use super::*;

    #[test]
    fn a_tally_costs_what_its_run_costs_on_every_list() {
        let mut counts = Counts {
            words: 64,
            exits: 5,
            callouts: 2,
            traced_writes: 3,
            interpreted: [4; toy_isa::table::OPS.len()],
            direct: [5; toy_isa::table::OPS.len()],
            ..Counts::default()
        };
        counts.trap(Cause::LoadPage);
        counts.hypercall("unknown");
        let tally = Tally::of(&counts);
        for name in PriceList::NAMES {
            let list = PriceList::shipped(name).expect("it ships");
            assert_eq!(tally.cycles(&list), i128::from(list.cycles(&counts)), "{name}");
        }
        assert_eq!(tally.due("dispatch"), 3);
        assert_eq!(tally.beyond(&tally).iter().count(), 0);
    }

    #[test]
    fn the_cost_of_an_event_is_marked_by_the_worst_of_its_figures() {
        let trap = Trap::illegal(0);
        let exit = Tally::of_event(&Event::Exit { trap, real_ring: 1 });
        let names: Vec<&str> = exit.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["dispatch", "trap", "word"]);
        let merom = PriceList::shipped("merom").expect("it ships");
        assert_eq!(
            exit.cycles(&merom),
            i128::from(merom.of(&Event::Exit { trap, real_ring: 1 }))
        );
        let mark = |names: &[&str]| Tally::new(names.iter().map(|name| (*name, 1))).mark(&merom);
        let of = |mark: char| {
            let mut figures = merom.figures().iter();
            figures
                .find(|(_, figure)| figure.basis.mark() == mark)
                .map(|(name, _)| name.as_str())
        };
        let (sourced, assumed) = (of(' ').expect("one"), of('*').expect("another"));
        assert_eq!(
            (mark(&[sourced]), mark(&[sourced, assumed]), mark(&[])),
            (' ', '*', ' ')
        );
        let prescott = PriceList::shipped("prescott").expect("it ships");
        let (fitted, _) = prescott
            .figures()
            .iter()
            .find(|(_, figure)| figure.basis.mark() == 'f')
            .expect("one");
        assert_eq!(Tally::new([(fitted.as_str(), 1)]).mark(&prescott), 'f');
    }
}
