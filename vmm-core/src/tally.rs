//! Tallies: what a run has to pay for, by the names of prices. A cost is linear in the prices, so a tally is all that
//! is needed to price a run on any list, and to say which price decides between two runs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::counts::Counts;
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
    /// What a run has to pay for.
    pub fn of(counts: &Counts) -> Tally {
        let due = |list: &PriceList| i64::try_from(list.cycles(counts)).unwrap_or(i64::MAX);
        Tally(
            UNITS
                .iter()
                .map(|(name, list)| (name.clone(), due(list)))
                .collect(),
        )
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

    /// The cost in cycles.
    pub fn cycles(&self, list: &PriceList) -> i128 {
        let cost = |(name, due): (&str, i64)| i128::from(due) * i128::from(list.price(name));
        self.iter().map(cost).sum()
    }
}

#[cfg(test)]
mod tests {
    use toy_isa::trap::Cause;

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
}
