//! The events before the present, as far as they are kept.

use std::collections::VecDeque;

use crate::event::Record;

/// How many events are kept.
const KEPT: usize = 1 << 16;

/// A stretch of a run's events without gaps, bounded in size.
#[derive(Clone, Debug, Default)]
pub struct History {
    records: VecDeque<Record>,
    /// The number of the first event that has not happened yet.
    now: u64,
}

impl History {
    /// The events that have happened, oldest first, as far as they are kept.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Record> + ExactSizeIterator {
        self.records.range(..self.happened())
    }

    /// The event of this number, if it has happened and is kept.
    pub fn get(&self, number: u64) -> Option<&Record> {
        let place = usize::try_from(number.checked_sub(self.first())?).ok()?;
        self.records.get(place).filter(|_| number < self.now)
    }

    /// The number of the oldest event that is kept; where none is, that of the next.
    pub fn first(&self) -> u64 {
        self.records.front().map_or(self.now, |record| record.number)
    }

    /// How many events have happened, kept or not: the number of the next.
    pub fn total(&self) -> u64 {
        self.now
    }

    fn happened(&self) -> usize {
        let count = self.now.saturating_sub(self.first());
        usize::try_from(count).map_or(self.records.len(), |count| count.min(self.records.len()))
    }

    /// Takes in what a run has logged, which may be known already.
    pub(super) fn extend(&mut self, records: impl IntoIterator<Item = Record>) {
        for record in records {
            let next = self.records.back().map(|last| last.number + 1);
            match next {
                Some(next) if (self.first()..next).contains(&record.number) => continue,
                Some(next) if next == record.number => {}
                _ => self.records.clear(),
            }
            if self.records.len() == KEPT {
                self.records.pop_front();
            }
            self.records.push_back(record);
        }
    }

    /// So many events have happened now.
    pub(super) fn set_now(&mut self, now: u64) {
        self.now = now;
    }

    /// Forgets what comes after the present: it will be something else.
    pub(super) fn forget_future(&mut self) {
        self.records.truncate(self.happened());
    }
}
