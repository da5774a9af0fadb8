//! Anything at all that a guest might do.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::check::resource::enter;
use toy_isa::machine::Ledger;

/// A number that a hostile guest might try: what it stands for is only known when the guest is built.
#[derive(Clone, Copy, Debug)]
enum Guess {
    /// This number.
    Number(u32),
    /// The machine address of a frame of the guest's, plus an offset.
    Own(u32, u32),
    /// A page-table entry for a frame of the guest's.
    OwnEntry(u32, u32),
    /// A page-table entry for any frame of the machine.
    AnyEntry(u32, u32),
    /// The machine address of an entry of a table that the guest started on.
    Live(bool, u32),
    /// An address in its buffer.
    Buffer(u32),
}

/// What a hostile guest might do.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Call(u32, Guess, Guess),
    /// Requests in its buffer, handed over.
    Update([(Guess, Guess); 3]),
    /// A page made read-only, and a command about it: the way by which tables come into being.
    Command(u32, u32),
    /// A store into a page that it may write.
    Store(u32, u32, Guess),
    /// A store into the shared page.
    Share(u32, u32),
    /// Whatever its code does next.
    Run(u64),
}

fn guess() -> impl Strategy<Value = Guess> {
    let page = 0..MEMORY / PAGE;
    let rights = 0..32u32;
    let offset = prop_oneof![Just(0), Just(3), 0..PAGE];
    prop_oneof![
        any::<u32>().prop_map(Guess::Number),
        (0..8u32).prop_map(Guess::Number),
        (page.clone(), offset).prop_map(|(page, offset)| Guess::Own(page, offset)),
        (page, rights.clone()).prop_map(|(page, rights)| Guess::OwnEntry(page, rights)),
        (0..2048u32, rights).prop_map(|(frame, rights)| Guess::AnyEntry(frame, rights)),
        (any::<bool>(), 0..1024u32).prop_map(|(root, index)| Guess::Live(root, index)),
        (0..64u32).prop_map(|word| Guess::Buffer(4 * word)),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let numbers = Hypercall::ALL.map(|call| call.documentation().number).to_vec();
    let number = prop_oneof![8 => prop::sample::select(numbers), 1 => any::<u32>()];
    let request = || (guess(), guess());
    prop_oneof![
        3 => (number, guess(), guess()).prop_map(|(number, a, b)| Deed::Call(number, a, b)),
        5 => [request(), request(), request()].prop_map(Deed::Update),
        3 => (0..MEMORY / PAGE, 0..6u32).prop_map(|(page, command)| Deed::Command(page, command)),
        3 => (0..MEMORY / PAGE, 0..PAGE / 4, guess()).prop_map(|(page, word, value)| Deed::Store(page, word, value)),
        1 => (0..16u32, any::<u32>()).prop_map(|(word, value)| Deed::Share(word, value)),
        1 => (1..3000u64).prop_map(Deed::Run),
    ]
}

impl Bench {
    fn resolve(&self, guess: Guess) -> u32 {
        match guess {
            Guess::Number(number) => number,
            Guess::Own(page, offset) => self.frame(page) * PAGE + offset,
            Guess::OwnEntry(page, rights) => pte::entry(self.frame(page) * PAGE, rights),
            Guess::AnyEntry(frame, rights) => pte::entry(frame * PAGE, rights),
            Guess::Live(root, index) => {
                // The builder's tables follow the image, which is one page.
                let table = if root { 2 } else { 3 };
                self.frame(table) * PAGE + 4 * index
            }
            Guess::Buffer(offset) => BUFFER + offset,
        }
    }

    fn is_table(&self, page: u32) -> bool {
        matches!(
            self.para.pages.kind(self.frame(page)),
            Some(Kind::Root | Kind::Table)
        )
    }

    /// False when the guest is over.
    fn perform(&mut self, deed: Deed) -> bool {
        match deed {
            Deed::Call(number, a, b) => {
                let (a, b) = (self.resolve(a), self.resolve(b));
                self.call_number(number, a, b);
            }
            // Where its buffer has become a table, it has none.
            Deed::Update(_) | Deed::Command(..) if self.is_table(BUFFER / PAGE) => {}
            Deed::Update(requests) => {
                let requests = requests.map(|(place, value)| (self.resolve(place), self.resolve(value)));
                self.update(&requests);
            }
            Deed::Command(page, command) => {
                let read_only = pte::entry(self.frame(page) * PAGE, pte::V | pte::R);
                let place = self.command_about(page);
                let live = self.resolve(Guess::Live(false, page));
                self.update(&[(live, read_only), (place, command)]);
            }
            Deed::Store(page, word, value) => {
                if !self.is_table(page) {
                    self.poke(page * PAGE + 4 * word, self.resolve(value));
                }
            }
            Deed::Share(word, value) => self.para.shared.put(&mut self.machine.board, 4 * word, value),
            Deed::Run(fuel) => return self.run(fuel),
        }
        true
    }

    /// Lets the guest run; false when it is over.
    fn run(&mut self, fuel: u64) -> bool {
        let mut engine = EngineName::Auto.build(true).expect("it is everywhere");
        let end = self.machine.attempts + fuel;
        while self.machine.attempts < end {
            let mut notes = Notes {
                log: &mut self.log,
                counts: &mut self.counts,
            };
            let left = end - self.machine.attempts;
            match self
                .para
                .resume(&mut self.machine, &mut *engine, left, &mut notes)
            {
                Exit::Hardware(trap) => {
                    if let Answer::End(_) = self.para.answer(&mut self.machine, trap, &mut notes) {
                        return false;
                    }
                }
                Exit::End(_) => return false,
                Exit::Virtual(..) | Exit::Fuel => {}
            }
        }
        // Take the processor back, as at the end of a quantum.
        let trap = Trap {
            cause: Cause::TimerInterrupt,
            tval: 0,
        };
        let mut notes = Notes {
            log: &mut self.log,
            counts: &mut self.counts,
        };
        if self.para.resumed.is_some() {
            self.machine.hart.csr.epc = self.machine.hart.pc;
            self.para.leave_guest(&mut self.machine, trap, &mut notes);
        }
        true
    }
}

/// Lets guests do what they like, with a bug in the validator or without, and audits the books after each deed. Says
/// whether all was well; the seed is fixed, so that it is always the same guests.
fn campaign(cases: u32, bug: Option<Bug>) -> Result<(), String> {
    let config = ProptestConfig {
        cases,
        max_shrink_iters: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let seed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, seed);
    let found = runner.run(&prop::collection::vec(deed(), 1..60), |deeds| {
        let mut bench = Bench::with_rings();
        if let Some(bug) = bug {
            bench.para.plant(bug);
        }
        let mut owners = vec![0; bench.machine.board.ram.pages() as usize];
        enter(
            &mut owners,
            1,
            &bench.para.guest(&bench.machine),
            &bench.para.lent,
        );
        bench.machine.board.observer.ledger = Some(Ledger {
            owners,
            running: 1,
            asked: 0,
        });
        for deed in deeds {
            if !bench.perform(deed) {
                break;
            }
            bench.audit();
        }
        prop_assert!(bench.machine.board.observer.intrusions.is_empty());
        Ok(())
    });
    found.map_err(|error| error.to_string())
}

/// Nothing that a guest does makes the monitor panic, opens a frame that is not its own, or confuses the books.
#[test]
fn whatever_a_guest_does_the_books_are_right() {
    assert_eq!(campaign(400, None), Ok(()));
}

#[test]
fn the_campaign_finds_a_validator_that_does_not_look() {
    for bug in [Bug::OwnerUnchecked, Bug::KindUnchecked] {
        assert!(campaign(400, Some(bug)).is_err(), "{bug:?}");
    }
}
