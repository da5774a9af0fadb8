//! A walk as a grid: what is asked of memory from top to bottom, through which tables from left to right.

use toy_isa::mmu::{Access, Meaning};
use toy_isa::trap::Trap;
use vmm_core::walk::hardware::Tables;
use vmm_core::walk::{Path, Role as Asks, Step, Walk};

/// Lines that a walk takes on a small screen, and on a large one: a line for the subject, one for the heads, three
/// rows, and what comes of it.
pub(super) const TIGHT: u16 = 2 + 3 * 2 + 3;
pub(super) const ROOMY: u16 = 2 + 3 * 3 + 4;

/// A walk, laid out.
pub(super) struct Grid {
    /// What stands above each column, and whether it is the monitor's.
    pub(super) heads: Vec<(&'static str, bool)>,
    /// What stands left of each row.
    pub(super) rows: Vec<[String; 2]>,
    /// Its cells.
    pub(super) cells: Vec<Cell>,
}

/// What stands in a cell.
pub(super) enum Content {
    /// An entry that is read, by its number in the order of the walk.
    Entry(u32, Step, Access),
    /// Why there is no entry.
    Note(&'static str),
    /// Where a walk ends, once so many references are done.
    End(u32, Result<u32, Trap>, &'static str),
}

/// One cell.
pub(super) struct Cell {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) content: Content,
}

impl Grid {
    pub(super) fn of(walk: &Walk) -> Grid {
        let path = walk.real.as_ref().unwrap_or(&walk.own);
        match (walk.tables, path.is_nested()) {
            (Tables::Nested, _) | (_, true) => Grid::nested(walk, path),
            _ => Grid::flat(walk),
        }
    }

    /// Walks side by side.
    fn flat(walk: &Walk) -> Grid {
        let (own, ends) = match walk.tables {
            Tables::Own => ("the guest's own table", "physical"),
            Tables::Validated => (
                "the guest's own table, validated: it holds real addresses",
                "real",
            ),
            _ => ("believed: the guest's own table", "guest-physical"),
        };
        let linear = walk.own.linear.unwrap_or(walk.linear);
        let mut grid = Grid {
            heads: vec![(own, false)],
            rows: vec![
                ["level 1".to_string(), format!("entry {}", linear >> 22)],
                ["level 0".to_string(), format!("entry {}", linear >> 12 & 1023)],
                ["leads to".to_string(), String::new()],
            ],
            cells: Vec::new(),
        };
        let done = grid.flat_path(0, 0, walk, &walk.own, ends);
        let head = match walk.tables {
            Tables::None => "really: relocation and limit",
            _ => "really walked: the shadow table",
        };
        if let Some(real) = &walk.real {
            grid.heads.push((head, true));
            grid.flat_path(1, done, walk, real, "real");
        }
        grid
    }

    /// One walk from top to bottom; how many references there were with it.
    fn flat_path(&mut self, column: usize, before: u32, walk: &Walk, path: &Path, ends: &'static str) -> u32 {
        let mut number = before;
        if path.rows.is_empty() {
            let why = match (path.linear, walk.tables, column) {
                (None, ..) => "beyond the limit",
                (_, Tables::Shadow { begun: false }, 1) => "not begun yet",
                (_, Tables::None, 1) => "",
                _ => "paging is off",
            };
            let content = Content::Note(why);
            self.cells.push(Cell {
                row: 0,
                column,
                content,
            });
        }
        for (row, step) in path.rows.iter().filter_map(|row| row.entry).enumerate() {
            number += 1;
            let content = Content::Entry(number, step, walk.access);
            self.cells.push(Cell { row, column, content });
        }
        let content = Content::End(number, path.end, ends);
        self.cells.push(Cell {
            row: 2,
            column,
            content,
        });
        number
    }

    /// Two dimensions.
    fn nested(walk: &Walk, path: &Path) -> Grid {
        let mut grid = Grid {
            heads: vec![
                ("nested, level 1", true),
                ("nested, level 0", true),
                ("the guest's own", false),
            ],
            rows: Vec::new(),
            cells: Vec::new(),
        };
        let mut number = 0;
        for asked in path.rows.iter().filter(|row| row.role != Asks::Mark) {
            let row = grid.rows.len();
            let name = match asked.role {
                Asks::Entry(level) => format!("level {level}"),
                _ => "the page".to_string(),
            };
            grid.rows.push([name, format!("@{:08x}", asked.wanted)]);
            let access = match asked.role {
                Asks::Entry(_) => Access::Load,
                _ => walk.access,
            };
            for (column, step) in asked.nested.iter().enumerate() {
                number += 1;
                let content = Content::Entry(number, *step, access);
                grid.cells.push(Cell { row, column, content });
            }
            if let Some(step) = asked.entry {
                number += 1;
                let content = Content::Entry(number, step, walk.access);
                let column = 2;
                grid.cells.push(Cell { row, column, content });
            }
        }
        // Where it ends stands at the end of the last row; below it, if the guest's own entry there leads nowhere.
        let asked = path.rows.iter().rfind(|row| row.role != Asks::Mark);
        if asked.is_none_or(|asked| asked.entry.is_some()) {
            grid.rows.push([String::new(), String::new()]);
        }
        grid.cells.push(Cell {
            row: grid.rows.len() - 1,
            column: 2,
            content: Content::End(number, path.end, "real"),
        });
        grid
    }
}

/// Whether an entry leads on.
pub(super) fn leads(step: &Step) -> bool {
    matches!(step.meaning, Some(Meaning::Leaf(_) | Meaning::Table(_)))
}
