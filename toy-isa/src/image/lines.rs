//! Line tables: from an address to the line of the source, and back.

/// From `address` on, instructions come from this line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRow {
    /// Where it begins.
    pub address: u32,
    /// Index in [`LineTable::files`].
    pub file: u32,
    /// From 1; 0 says that what follows comes from no line.
    pub line: u32,
}

/// Which line each instruction comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineTable {
    files: Vec<String>,
    /// In the order of their addresses; at one address, the last one counts.
    rows: Vec<LineRow>,
}

impl LineTable {
    /// A table of these rows, in any order, and of the addresses where a run of instructions ends. Files
    /// that no row names are left out, and rows of files that are not there.
    pub fn new(
        mut files: Vec<String>,
        mut rows: Vec<LineRow>,
        ends: impl IntoIterator<Item = u32>,
    ) -> LineTable {
        rows.iter_mut()
            .filter(|row| row.line == 0)
            .for_each(|row| row.file = 0);
        rows.retain(|row| row.line == 0 || (row.file as usize) < files.len());
        rows.extend(ends.into_iter().map(|address| LineRow {
            address,
            file: 0,
            line: 0,
        }));
        rows.sort_by_key(|row| (row.address, row.line != 0));
        rows.dedup();
        // In the order of their first row, so that equal tables are equal however they came to be.
        let mut places = vec![None; files.len()];
        let mut named = Vec::new();
        for row in rows.iter_mut().filter(|row| row.line != 0) {
            let old = row.file as usize;
            row.file = *places[old].get_or_insert_with(|| {
                named.push(std::mem::take(&mut files[old]));
                named.len() as u32 - 1
            });
        }
        LineTable { files: named, rows }
    }

    /// Names of the source files.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// All rows, in the order of their addresses.
    pub fn rows(&self) -> &[LineRow] {
        &self.rows
    }

    /// File and line that the instruction at `address` comes from.
    pub fn find(&self, address: u32) -> Option<(&str, u32)> {
        let after = self.rows.partition_point(|row| row.address <= address);
        let row = self.rows[..after].last().filter(|row| row.line != 0)?;
        Some((self.files.get(row.file as usize)?, row.line))
    }

    /// The addresses where instructions of this line begin.
    pub fn addresses<'a>(&'a self, file: &'a str, line: u32) -> impl Iterator<Item = u32> + 'a {
        let of_line =
            move |row: &&LineRow| row.line == line && line != 0 && self.files[row.file as usize] == file;
        self.rows.iter().filter(of_line).map(|row| row.address)
    }
}
