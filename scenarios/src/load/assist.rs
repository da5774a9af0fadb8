//! `[assist]`: by what a guest leaves under hardware assistance.

use toml::Spanned;
use toy_isa::root::Exits;
use toy_isa::row::Row;
use toy_isa::trap::Cause;

use super::Loader;
use crate::error::{Error, nearest};

impl Loader<'_> {
    /// The exits of these names: rows, and traps as they are called.
    pub(super) fn exits(&self, names: &[Spanned<String>]) -> Result<Exits, Error> {
        let mut exits = Exits::default();
        for name in names {
            let row = Row::from_name(name.get_ref());
            let mut causes = Cause::ALL.into_iter();
            let cause = causes.find(|cause| cause.to_string() == *name.get_ref());
            let known = row.is_some_and(|row| exits.add_row(row))
                || cause.is_some_and(|cause| exits.add_cause(cause));
            if !known {
                return Err(self.no_exit(name));
            }
        }
        Ok(exits)
    }

    fn no_exit(&self, name: &Spanned<String>) -> Error {
        let rows = Row::all()
            .filter(|row| Exits::default().add_row(*row))
            .map(|row| row.to_string());
        let causes = Cause::ALL
            .into_iter()
            .filter(|cause| Exits::default().add_cause(*cause))
            .map(|cause| cause.to_string());
        let message = format!(
            "'{}' cannot be made to leave: expected a sensitive row, such as 'csrw ptbr', or a trap, such as \
             'load page fault'",
            name.get_ref()
        );
        let suggestion = nearest(name.get_ref(), rows.chain(causes));
        self.error(name.span(), message, suggestion)
    }
}
