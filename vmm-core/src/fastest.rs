//! Which method is the fastest: on which processor, at which cost of an exit, and how sure that is.

use serde::Serialize;

use crate::mode::ModeName;
use crate::price::{Basis, PriceList};
use crate::tally::Tally;

/// A method and what it has to pay for.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The method.
    pub mode: ModeName,
    /// What is due.
    pub tally: Tally,
}

/// A method's cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// The method.
    pub mode: ModeName,
    /// Simulated cycles.
    pub cycles: i128,
}

/// The fastest method for one workload on one processor.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The candidates' costs, the lowest first.
    pub costs: Vec<Cost>,
    /// How sure that is.
    pub certainty: Certainty,
}

/// Whether another method could be the fastest if assumed prices were between a half and the double of what they are.
/// What is published or fitted stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// No.
    Certain,
    /// If several of them are changed at once, each in its own direction.
    FlipsTogether,
    /// If one of these is changed.
    FlipsAlone(Vec<String>),
}

impl Certainty {
    /// The mark in tables.
    pub fn mark(&self) -> &'static str {
        match self {
            Certainty::Certain => "",
            Certainty::FlipsTogether => "~",
            Certainty::FlipsAlone(_) => "*",
        }
    }
}

/// The fastest of some methods on a list of prices; none of no methods.
pub fn cell(list: &PriceList, candidates: &[Candidate]) -> Option<Cell> {
    let mut costs: Vec<Cost> = candidates
        .iter()
        .map(|one| Cost {
            mode: one.mode,
            cycles: one.tally.cycles(list),
        })
        .collect();
    costs.sort_by_key(|cost| cost.cycles);
    let first = costs.first()?.mode;
    let winner = candidates.iter().find(|one| one.mode == first)?;
    let leads: Vec<Tally> = candidates
        .iter()
        .filter(|one| one.mode != first)
        .map(|rival| rival.tally.beyond(&winner.tally))
        .collect();
    Some(Cell {
        costs,
        certainty: certainty(list, &leads),
    })
}

/// How sure it is that what rivals pay beyond the winner is more than nothing.
fn certainty(list: &PriceList, leads: &[Tally]) -> Certainty {
    let mut alone: Vec<String> = Vec::new();
    let mut together = false;
    for lead in leads {
        // Twice the lead, because half a price may be half a cycle.
        let doubled = 2 * lead.cycles(list);
        let mut least = doubled;
        for (name, due) in lead.iter() {
            let Some(figure) = list
                .figures()
                .get(name)
                .filter(|figure| figure.basis == Basis::Assumed)
            else {
                continue;
            };
            // The price halved where it carries the lead, doubled where it weighs on it.
            let part = i128::from(due) * i128::from(figure.cycles);
            let change = if due > 0 { -part } else { 2 * part };
            least += change;
            if doubled + change < 0 && !alone.iter().any(|known| known == name) {
                alone.push(name.to_string());
            }
        }
        together |= least < 0;
    }
    match (alone.is_empty(), together) {
        (false, _) => Certainty::FlipsAlone(alone),
        (true, true) => Certainty::FlipsTogether,
        (true, false) => Certainty::Certain,
    }
}

/// The cost in cycles of a round trip out of non-root operation at which two methods cost the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Crossover {
    /// Hardware assistance is the faster one below it.
    At(f64),
    /// Hardware assistance is the faster one whatever an exit costs, as there are none.
    AlwaysHardware,
    /// It is the slower one even if an exit costs nothing.
    NeverHardware,
}

/// Where hardware assistance and another method cost the same. What an exit has to pay for in software stays as it is
/// on the list.
pub fn crossover(list: &PriceList, assist: &Tally, other: &Tally) -> Crossover {
    let free = list.changed_only(&["vm_exit", "vm_entry"], 0);
    let room = other.cycles(&free) - assist.cycles(&free);
    match assist.due("vm_exit") {
        _ if room < 0 => Crossover::NeverHardware,
        0 => Crossover::AlwaysHardware,
        exits => Crossover::At(room as f64 / exits as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modes::assist::Paging;
    use crate::modes::translate::Scope;

    const ASSIST: ModeName = ModeName::Assist(Paging::Shadow);
    const TRANSLATE: ModeName = ModeName::Translate(Scope::Kernel);

    fn candidate<'a>(mode: ModeName, due: impl IntoIterator<Item = (&'a str, i64)>) -> Candidate {
        Candidate {
            mode,
            tally: Tally::new(due),
        }
    }

    /// Ten exits against something of a fixed price that is published, on lists with this price of an exit.
    fn ten_exits_against(translated: i64, exit: u64) -> Option<Cell> {
        let text = format!(
            "name = \"x\"\nsource = \"y\"\nassumed = false\nrest_from_textbook = true\n[event]\n\
             vm_exit = {{ cycles = {exit}, source = \"z\" }}\nword = {{ cycles = 1, source = \"z\" }}\n"
        );
        let list = PriceList::parse(&text).expect("a good list");
        let assist = candidate(ASSIST, [("vm_exit", 10), ("dispatch", 10)]);
        cell(&list, &[candidate(TRANSLATE, [("word", translated)]), assist])
    }

    #[test]
    fn the_cheapest_wins_and_says_when_an_assumed_price_would_change_that() {
        // An exit costs 1000 and 20 for the dispatch, which is assumed: 10 to 40.
        let cell = |translated| ten_exits_against(translated, 1000).expect("two candidates");
        let (far, near, other) = (cell(11_000), cell(10_300), cell(10_150));
        assert_eq!(
            far.costs[0],
            Cost {
                mode: ASSIST,
                cycles: 10_200
            }
        );
        assert_eq!(far.certainty, Certainty::Certain);
        assert_eq!(near.costs[0].mode, ASSIST);
        assert_eq!(near.certainty, Certainty::FlipsAlone(vec!["dispatch".into()]));
        assert_eq!(other.costs[0].mode, TRANSLATE);
        assert_eq!(other.certainty, Certainty::FlipsAlone(vec!["dispatch".into()]));
        assert!(cell_of_nothing().is_none());
    }

    fn cell_of_nothing() -> Option<Cell> {
        cell(&PriceList::textbook(), &[])
    }

    #[test]
    fn several_assumed_prices_can_do_together_what_none_does_alone() {
        let list = PriceList::textbook();
        let one = candidate(ASSIST, [("dispatch", 10), ("emulate", 5)]); // 200 + 200
        let other = candidate(TRANSLATE, [("word", 650)]);
        let cell = cell(&list, &[one, other]).expect("two candidates");
        assert_eq!(cell.certainty, Certainty::FlipsAlone(vec!["word".into()]));
        let one = candidate(ASSIST, [("dispatch", 10), ("emulate", 5)]);
        let other = candidate(TRANSLATE, [("word", 410), ("load", 100), ("store", 205)]);
        let found = super::cell(&list, &[one, other]).expect("two candidates");
        assert_eq!(found.certainty, Certainty::FlipsTogether);
    }

    #[test]
    fn the_crossover_is_where_both_cost_the_same() {
        let list = PriceList::textbook();
        let assist = Tally::new([("vm_exit", 10), ("vm_entry", 10), ("dispatch", 10)]);
        assert_eq!(
            crossover(&list, &assist, &Tally::new([("word", 5_200)])),
            Crossover::At(500.0)
        );
        assert_eq!(
            crossover(&list, &assist, &Tally::new([("word", 100)])),
            Crossover::NeverHardware
        );
        let none = Tally::new([("alu", 3)]);
        assert_eq!(
            crossover(&list, &none, &Tally::new([("word", 5)])),
            Crossover::AlwaysHardware
        );
    }
}
