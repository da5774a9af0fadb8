//! Actions: everything that a key can mean, by name, and the keys that mean it.

mod keymap;

pub use keymap::{KeyMap, KeyMapError};

use vmm_core::timeline::Point;

use crate::views::View;

/// What a key can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// End the program.
    Quit,
    /// Leave what is in front: help, a prompt, the zoom.
    Close,
    /// Explain the view, its colours and all keys.
    Help,
    /// Another view.
    Show(View),
    /// The view after this one.
    NextView,
    /// The view before this one.
    PreviousView,
    /// Give the keys to the next pane.
    NextPane,
    /// Give the keys to the pane before.
    PreviousPane,
    /// One pane on the whole screen, then in large letters.
    Zoom,
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first line.
    Top,
    /// To the last line.
    Bottom,
    /// What is selected.
    Select,
    /// One instruction.
    StepInto,
    /// One instruction back.
    StepBack,
    /// One instruction, with all that it calls.
    StepOver,
    /// The same backwards.
    StepOverBack,
    /// To the next breakpoint, or the end.
    Continue,
    /// To the breakpoint before, or the beginning.
    ReverseContinue,
    /// To the next event of the kind.
    Next(Kind),
    /// To the event of the kind before.
    Previous(Kind),
    /// To the beginning.
    First,
    /// To the furthest place that was visited.
    Furthest,
    /// Begin to play, or pause.
    Play,
    /// Play faster.
    Faster,
    /// Play more slowly.
    Slower,
    /// Set a breakpoint where the selection is, or clear it.
    Breakpoint,
    /// The same guest, at the same instruction, in another mode.
    Mode,
    /// The instruction set of the next profile.
    NextProfile,
    /// The instruction set of the profile before.
    PreviousProfile,
    /// Search for a text.
    Search,
    /// The next place where the text was found.
    NextMatch,
    /// The place before.
    PreviousMatch,
    /// Give a command, or say where to go.
    Prompt,
    /// Other colours.
    Theme,
    /// Take the mouse, or leave it to the terminal.
    Mouse,
    /// Stop the program until the shell resumes it.
    Suspend,
    /// Draw everything anew.
    Redraw,
}

/// Kinds of events that one can run to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Any.
    Event,
    /// The guest's trap handler is entered.
    Trap,
    /// The guest leaves to its monitor.
    Exit,
    /// The guest's ring changes.
    Ring,
    /// An interrupt is taken.
    Interrupt,
    /// A system call is made.
    SystemCall,
}

/// What an action belongs to, in the list of all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// The guest's time.
    Time,
    /// Running to events.
    Events,
    /// Moving in a pane.
    Moving,
    /// Views and panes.
    Views,
    /// The rest.
    General,
}

impl Group {
    /// All of them, in the order of the list.
    pub const ALL: [Group; 5] = [
        Group::Time,
        Group::Events,
        Group::Moving,
        Group::Views,
        Group::General,
    ];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Group::Time => "Time",
            Group::Events => "To an event; with shift, the one before",
            Group::Moving => "In a pane",
            Group::Views => "Views and panes",
            Group::General => "The rest",
        }
    }
}

/// An action with its name and its keys.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The action.
    pub action: Action,
    /// Its name in a key map file.
    pub name: &'static str,
    /// The keys that mean it unless a key map says otherwise.
    pub keys: &'static [&'static str],
    /// One or two words, for the footer.
    pub short: &'static str,
    /// A few words, for the list of all keys.
    pub what: &'static str,
    /// What it belongs to.
    pub group: Group,
}

/// Writes the table: name, action, keys, the short words, the words, by groups.
macro_rules! table {
    ($($group:ident { $($name:literal $action:expr, [$($key:literal)*], $short:literal, $what:literal;)* })*) => {
        /// All actions, in the order in which they are listed.
        pub static ACTIONS: &[Entry] = &[$($(Entry {
            action: $action,
            name: $name,
            keys: &[$($key),*],
            short: $short,
            what: $what,
            group: Group::$group,
        },)*)*];
    };
}

use Action::*;

// Shift turns time round: what goes on with a small letter or a function key goes back with shift.
table! {
    Time {
        "step" StepInto, ["s" "F7"], "step", "one instruction";
        "step-back" StepBack, ["S" "shift-F7"], "back", "one instruction back";
        "over" StepOver, ["o" "F8"], "over", "one instruction, with all that it calls";
        "over-back" StepOverBack, ["O" "shift-F8"], "over back", "the same backwards";
        "continue" Continue, ["c" "F9"], "continue", "to the next breakpoint, or the end";
        "continue-back" ReverseContinue, ["C" "shift-F9"], "reverse", "to the breakpoint before, or the begin";
        "play" Play, ["space"], "play", "play, or pause";
        "faster" Faster, ["+" "="], "faster", "play faster";
        "slower" Slower, ["-"], "slower", "play more slowly";
        "first" First, ["<"], "begin", "to the beginning of the run";
        "furthest" Furthest, [">"], "furthest", "to the furthest place that was visited";
        "breakpoint" Breakpoint, ["b"], "break", "a breakpoint at the selection, or none";
        "mode" Mode, ["m"], "mode", "the same instruction in another mode";
    }
    Events {
        "next-event" Next(Kind::Event), ["e"], "event", "any event";
        "previous-event" Previous(Kind::Event), ["E"], "event", "";
        "next-trap" Next(Kind::Trap), ["t"], "trap", "the guest's trap handler is entered";
        "previous-trap" Previous(Kind::Trap), ["T"], "trap", "";
        "next-exit" Next(Kind::Exit), ["x"], "exit", "the guest leaves to its monitor";
        "previous-exit" Previous(Kind::Exit), ["X"], "exit", "";
        "next-ring" Next(Kind::Ring), ["r"], "ring", "the guest's ring changes";
        "previous-ring" Previous(Kind::Ring), ["R"], "ring", "";
        "next-interrupt" Next(Kind::Interrupt), ["i"], "interrupt", "an interrupt is taken";
        "previous-interrupt" Previous(Kind::Interrupt), ["I"], "interrupt", "";
        "next-call" Next(Kind::SystemCall), ["y"], "call", "a system call is made";
        "previous-call" Previous(Kind::SystemCall), ["Y"], "call", "";
    }
    Moving {
        "up" Up, ["k" "up"], "up", "a line up";
        "down" Down, ["j" "down"], "down", "a line down";
        "left" Left, ["h" "left"], "left", "to the left";
        "right" Right, ["l" "right"], "right", "to the right";
        "page-up" PageUp, ["pgup" "ctrl-u"], "page up", "a page up";
        "page-down" PageDown, ["pgdn" "ctrl-d"], "page down", "a page down";
        "top" Top, ["g" "home"], "top", "the first line";
        "bottom" Bottom, ["G" "end"], "bottom", "the last line";
        "select" Select, ["enter"], "select", "look into what is selected";
        "search" Search, ["/"], "search", "search for a text";
        "next-match" NextMatch, ["n"], "next", "where the text is next";
        "previous-match" PreviousMatch, ["N"], "before", "where the text was before";
    }
    Views {
        "machine" Show(View::Machine), ["1"], "machine", "processor, memory, devices, code";
        "flow" Show(View::Flow), ["2"], "flow", "each trap on its way";
        "compare" Show(View::Compare), ["3"], "compare", "modes side by side";
        "properties" Show(View::Properties), ["4"], "properties", "Popek and Goldberg's three properties";
        "translation" Show(View::Translation), ["5"], "translation", "translated code";
        "address" Show(View::Address), ["6"], "address", "page tables and walks";
        "guests" Show(View::Guests), ["7"], "guests", "several guests";
        "cost" Show(View::Cost), ["8"], "cost", "where the cycles went";
        "next-view" NextView, ["tab"], "view", "the next view";
        "previous-view" PreviousView, ["shift-tab"], "view", "the view before";
        "next-pane" NextPane, ["w"], "pane", "the next pane";
        "previous-pane" PreviousPane, ["W"], "pane", "the pane before";
        "next-profile" NextProfile, ["p"], "profile", "the instructions of another profile (view 4)";
        "previous-profile" PreviousProfile, ["P"], "profile", "the same backwards";
        "zoom" Zoom, ["z"], "zoom", "whole screen, then large letters";
    }
    General {
        "prompt" Prompt, [":"], "go to", "go to an instruction, or give a command";
        "help" Help, ["?" "F1"], "help", "this view, its colours, all keys";
        "theme" Theme, ["F2"], "theme", "other colours";
        "mouse" Mouse, ["F3"], "mouse", "leave the mouse to the terminal, or take it";
        "redraw" Redraw, ["ctrl-l"], "redraw", "draw everything anew";
        "suspend" Suspend, ["ctrl-z"], "suspend", "stop until the shell resumes the program";
        "close" Close, ["esc"], "close", "leave what is in front";
        "quit" Quit, ["q" "ctrl-c"], "quit", "end the program";
    }
}

impl Kind {
    /// The point of a timeline that it is.
    pub fn point(self) -> Point {
        match self {
            Kind::Event => Point::Any,
            Kind::Trap => Point::Trap,
            Kind::Exit => Point::Exit,
            Kind::Ring => Point::Ring,
            Kind::Interrupt => Point::Interrupt,
            Kind::SystemCall => Point::SystemCall,
        }
    }

    /// The kind of this name, as it is typed.
    pub fn from_name(name: &str) -> Option<Kind> {
        Some(match name {
            "event" => Kind::Event,
            "trap" => Kind::Trap,
            "exit" => Kind::Exit,
            "ring" => Kind::Ring,
            "interrupt" => Kind::Interrupt,
            "call" => Kind::SystemCall,
            _ => return None,
        })
    }
}

impl Action {
    /// Its row of the table.
    pub fn entry(self) -> &'static Entry {
        let row = ACTIONS.iter().find(|entry| entry.action == self);
        row.expect("a test holds the table to have every action")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    #[test]
    fn every_key_is_a_key_and_means_one_thing() {
        let mut seen = std::collections::HashMap::new();
        for entry in ACTIONS {
            for name in entry.keys {
                let key: Key = name.parse().unwrap_or_else(|error| panic!("{error}"));
                let before = seen.insert(key, entry.name);
                assert_eq!(before, None, "{name} is also {}", entry.name);
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ACTIONS.iter().map(|entry| entry.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
