//! Themes: what each colour means, and what doubles it for those who do not see it.
//!
//! Views ask for a [`Role`], never for a colour. Colours are those of the 256-colour palette that every terminal
//! has; with NO_COLOR there are none, and what the roles mean is told by bold, underlined and reversed text, and
//! always by a sign or a word beside it.

mod palette;

use ratatui::style::{Modifier, Style};
use serde::{Deserialize, Serialize};

/// Which colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colours {
    /// Light text on dark.
    #[default]
    Dark,
    /// Dark text on light: for bright rooms.
    Light,
    /// The brightest on the darkest.
    HighContrast,
    /// Those of Okabe and Ito, which people with any kind of colour vision tell apart.
    OkabeIto,
}

impl Colours {
    /// All of them, in the order in which a key goes through them.
    pub const ALL: [Colours; 4] = [
        Colours::Dark,
        Colours::Light,
        Colours::HighContrast,
        Colours::OkabeIto,
    ];

    /// The name on the command line and in the settings.
    pub fn name(self) -> &'static str {
        match self {
            Colours::Dark => "dark",
            Colours::Light => "light",
            Colours::HighContrast => "high-contrast",
            Colours::OkabeIto => "okabe-ito",
        }
    }

    /// The colours of this name.
    pub fn from_name(name: &str) -> Option<Colours> {
        Colours::ALL.into_iter().find(|colours| colours.name() == name)
    }

    /// The next ones; the first after the last.
    pub fn next(self) -> Colours {
        let place = Colours::ALL.iter().position(|one| *one == self).unwrap_or(0);
        Colours::ALL[(place + 1) % Colours::ALL.len()]
    }
}

/// What a part of the screen means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Plain text, and the ground of everything.
    Text,
    /// Beside the point.
    Dim,
    /// To the point.
    Strong,
    /// The name of a pane or of the program.
    Title,
    /// Around a pane.
    Border,
    /// Around the pane that keys go to.
    Focus,
    /// The line that is selected.
    Selection,
    /// Changed since the last stop.
    Changed,
    /// Where the guest is.
    Current,
    /// Where it will stop.
    Breakpoint,
    /// Holds, succeeded.
    Good,
    /// Broken, failed.
    Bad,
    /// To be noticed.
    Warn,
    /// The guest's programs.
    GuestUser,
    /// The guest's kernel.
    GuestKernel,
    /// The monitor.
    Monitor,
    /// The hardware.
    Hardware,
    /// An instruction that traps outside ring 0.
    Privileged,
    /// An instruction that a monitor must get to see.
    Sensitive,
    /// An instruction that is neither.
    Innocuous,
    /// Sensitive and not privileged.
    Hole,
    /// A key of the keyboard.
    Key,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 22] = [
        Role::Text,
        Role::Dim,
        Role::Strong,
        Role::Title,
        Role::Border,
        Role::Focus,
        Role::Selection,
        Role::Changed,
        Role::Current,
        Role::Breakpoint,
        Role::Good,
        Role::Bad,
        Role::Warn,
        Role::GuestUser,
        Role::GuestKernel,
        Role::Monitor,
        Role::Hardware,
        Role::Privileged,
        Role::Sensitive,
        Role::Innocuous,
        Role::Hole,
        Role::Key,
    ];

    /// How it is told without colours.
    fn modifier(self) -> Modifier {
        match self {
            Role::Strong | Role::Title | Role::Focus | Role::Key => Modifier::BOLD,
            Role::Changed | Role::Hole | Role::Breakpoint => Modifier::BOLD.union(Modifier::UNDERLINED),
            Role::Bad | Role::Warn | Role::Monitor => Modifier::BOLD,
            Role::Selection | Role::Current => Modifier::REVERSED,
            _ => Modifier::empty(),
        }
    }
}

/// How the screen looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    /// Which colours.
    pub colours: Colours,
    /// No colours at all: NO_COLOR.
    pub plain: bool,
    /// Only characters of ASCII.
    pub ascii: bool,
}

impl Theme {
    /// The style of a role. It is to be put on top of that of [`Role::Text`], which fills the screen.
    pub fn style(&self, role: Role) -> Style {
        if self.plain {
            return Style::new().add_modifier(role.modifier());
        }
        let ink = palette::ink(self.colours, role);
        let mut style = Style::new().add_modifier(ink.modifier);
        style.fg = ink.front;
        style.bg = ink.back;
        style
    }

    /// The signs of this theme.
    pub fn glyphs(&self) -> &'static Glyphs {
        if self.ascii { &ASCII } else { &UNICODE }
    }
}

/// The signs that the screen is drawn with. Each is one column wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// Points to where the guest is.
    pub current: &'static str,
    /// Points to what is selected.
    pub selected: &'static str,
    /// Where the guest will stop.
    pub breakpoint: &'static str,
    /// Where it would stop, if that were not turned off.
    pub off: &'static str,
    /// Changed since the last stop.
    pub changed: &'static str,
    /// Holds.
    pub good: &'static str,
    /// Broken.
    pub bad: &'static str,
    /// To be noticed.
    pub warn: &'static str,
    /// Playing.
    pub playing: &'static str,
    /// Not playing.
    pub paused: &'static str,
    /// Over.
    pub ended: &'static str,
    /// Between two things that are not the same.
    pub differs: &'static str,
    /// Between words of a line.
    pub dot: &'static str,
    /// Text was cut off.
    pub cut: &'static str,
    /// Arrows.
    pub left: &'static str,
    /// To the right.
    pub right: &'static str,
    /// Up.
    pub up: &'static str,
    /// Down.
    pub down: &'static str,
    /// A horizontal line.
    pub horizontal: &'static str,
    /// A vertical line.
    pub vertical: &'static str,
    /// Where lines cross.
    pub cross: &'static str,
    /// The corners of a box: upper left, upper right, lower left, lower right.
    pub corners: [&'static str; 4],
    /// The same, of the box that keys go to.
    pub strong_corners: [&'static str; 4],
    /// A horizontal line of that box.
    pub strong_horizontal: &'static str,
    /// A vertical line of that box.
    pub strong_vertical: &'static str,
    /// A full piece of a bar.
    pub full: &'static str,
    /// Pieces of a bar, by eighths from nothing to full; fewer where the signs have no eighths.
    pub eighths: &'static [&'static str],
    /// An empty piece of a bar.
    pub empty: &'static str,
    /// A place on a bar.
    pub mark: &'static str,
    /// A snapshot on the timeline.
    pub snapshot: &'static str,
    /// The present on the timeline.
    pub here: &'static str,
    /// Where an arrow begins.
    pub start: &'static str,
    /// Where something happens and nothing goes anywhere.
    pub stays: &'static str,
}

/// Each sign beside the character of ASCII for it.
pub(crate) fn in_ascii() -> impl Iterator<Item = (&'static str, &'static str)> {
    let pairs = |of: &'static Glyphs| {
        let signs = [
            of.current,
            of.selected,
            of.breakpoint,
            of.off,
            of.changed,
            of.good,
            of.bad,
            of.warn,
            of.playing,
            of.paused,
            of.ended,
            of.differs,
            of.dot,
            of.cut,
            of.left,
            of.right,
            of.up,
            of.down,
            of.horizontal,
            of.vertical,
            of.cross,
            of.strong_horizontal,
            of.strong_vertical,
            of.full,
            of.empty,
            of.mark,
            of.snapshot,
            of.here,
            of.start,
            of.stays,
        ];
        signs.into_iter().chain(of.corners).chain(of.strong_corners)
    };
    pairs(&UNICODE).zip(pairs(&ASCII))
}

static UNICODE: Glyphs = Glyphs {
    current: "▶",
    selected: "›",
    breakpoint: "●",
    off: "○",
    changed: "◆",
    good: "✓",
    bad: "✗",
    warn: "!",
    playing: "▶",
    paused: "‖",
    ended: "■",
    differs: "≠",
    dot: "·",
    cut: "…",
    left: "←",
    right: "→",
    up: "↑",
    down: "↓",
    horizontal: "─",
    vertical: "│",
    cross: "┼",
    corners: ["┌", "┐", "└", "┘"],
    strong_corners: ["╔", "╗", "╚", "╝"],
    strong_horizontal: "═",
    strong_vertical: "║",
    full: "█",
    eighths: &[" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    empty: "░",
    mark: "┃",
    snapshot: "┴",
    here: "┃",
    start: "●",
    stays: "↻",
};

static ASCII: Glyphs = Glyphs {
    current: ">",
    selected: ">",
    breakpoint: "*",
    off: "o",
    changed: "+",
    good: "v",
    bad: "x",
    warn: "!",
    playing: ">",
    paused: "=",
    ended: "#",
    differs: "#",
    dot: "-",
    cut: "~",
    left: "<",
    right: ">",
    up: "^",
    down: "v",
    horizontal: "-",
    vertical: "|",
    cross: "+",
    corners: ["+", "+", "+", "+"],
    strong_corners: ["#", "#", "#", "#"],
    strong_horizontal: "=",
    strong_vertical: "#",
    full: "#",
    eighths: &[" ", "#"],
    empty: ".",
    mark: "|",
    snapshot: "'",
    here: "|",
    start: "o",
    stays: "@",
};
