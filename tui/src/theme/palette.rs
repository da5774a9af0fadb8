//! The colours of each role in each theme.

use ratatui::style::{Color, Modifier};

use super::{Colours, Role};

/// What a role is written with.
pub(super) struct Ink {
    pub(super) front: Option<Color>,
    pub(super) back: Option<Color>,
    pub(super) modifier: Modifier,
}

const BOLD: Modifier = Modifier::BOLD;
const NONE: Modifier = Modifier::empty();

/// The colours by what they say, as numbers of the 256-colour palette.
struct Palette {
    text: u8,
    ground: u8,
    dim: u8,
    strong: u8,
    title: u8,
    border: u8,
    focus: u8,
    selection: u8,
    changed: u8,
    breakpoint: u8,
    good: u8,
    bad: u8,
    warn: u8,
    user: u8,
    kernel: u8,
    monitor: u8,
    hardware: u8,
    key: u8,
}

const DARK: Palette = Palette {
    text: 252,
    ground: 234,
    dim: 246,
    strong: 231,
    title: 117,
    border: 240,
    focus: 117,
    selection: 238,
    changed: 221,
    breakpoint: 203,
    good: 114,
    bad: 210,
    warn: 221,
    user: 114,
    kernel: 117,
    monitor: 216,
    hardware: 183,
    key: 221,
};

const LIGHT: Palette = Palette {
    text: 235,
    ground: 231,
    dim: 241,
    strong: 16,
    title: 25,
    border: 245,
    focus: 25,
    selection: 252,
    changed: 130,
    breakpoint: 160,
    good: 22,
    bad: 160,
    warn: 130,
    user: 22,
    kernel: 25,
    monitor: 124,
    hardware: 90,
    key: 25,
};

const HIGH_CONTRAST: Palette = Palette {
    text: 231,
    ground: 16,
    dim: 252,
    strong: 231,
    title: 226,
    border: 231,
    focus: 226,
    selection: 19,
    changed: 226,
    breakpoint: 213,
    good: 46,
    bad: 213,
    warn: 226,
    user: 46,
    kernel: 51,
    monitor: 226,
    hardware: 213,
    key: 226,
};

/// The nearest that the 256-colour palette has to the colours of Okabe and Ito, "Color Universal Design" (2002):
/// orange 214, sky blue 74, bluish green 36, yellow 227, blue 25, vermilion 166, reddish purple 175.
const OKABE_ITO: Palette = Palette {
    text: 254,
    ground: 16,
    dim: 248,
    strong: 231,
    title: 74,
    border: 242,
    focus: 74,
    selection: 237,
    changed: 227,
    breakpoint: 175,
    good: 36,
    bad: 166,
    warn: 214,
    user: 36,
    kernel: 74,
    monitor: 214,
    hardware: 175,
    key: 227,
};

/// What this role is written with.
pub(super) fn ink(colours: Colours, role: Role) -> Ink {
    let palette = match colours {
        Colours::Dark => &DARK,
        Colours::Light => &LIGHT,
        Colours::HighContrast => &HIGH_CONTRAST,
        Colours::OkabeIto => &OKABE_ITO,
    };
    let (front, back, modifier) = match role {
        Role::Text => (Some(palette.text), Some(palette.ground), NONE),
        Role::Dim => (Some(palette.dim), None, NONE),
        Role::Strong => (Some(palette.strong), None, BOLD),
        Role::Title => (Some(palette.title), None, BOLD),
        Role::Border => (Some(palette.border), None, NONE),
        Role::Focus => (Some(palette.focus), None, BOLD),
        Role::Selection => (None, Some(palette.selection), NONE),
        Role::Changed => (Some(palette.changed), None, BOLD),
        Role::Current => (Some(palette.ground), Some(palette.focus), BOLD),
        Role::Breakpoint => (Some(palette.breakpoint), None, BOLD),
        Role::Good => (Some(palette.good), None, NONE),
        Role::Bad => (Some(palette.bad), None, BOLD),
        Role::Warn => (Some(palette.warn), None, NONE),
        Role::GuestUser => (Some(palette.user), None, NONE),
        Role::GuestKernel => (Some(palette.kernel), None, NONE),
        Role::Monitor => (Some(palette.monitor), None, NONE),
        Role::Hardware => (Some(palette.hardware), None, NONE),
        Role::Privileged => (Some(palette.kernel), None, NONE),
        Role::Sensitive => (Some(palette.monitor), None, NONE),
        Role::Innocuous => (Some(palette.dim), None, NONE),
        Role::Hole => (Some(palette.ground), Some(palette.bad), BOLD),
        Role::Key => (Some(palette.key), None, BOLD),
    };
    Ink {
        front: front.map(Color::Indexed),
        back: back.map(Color::Indexed),
        modifier,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, green and blue of a colour of the palette, as xterm has them.
    fn rgb(colour: Color) -> [u8; 3] {
        let Color::Indexed(number) = colour else {
            panic!("{colour} is not of the palette");
        };
        const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        match number {
            0..16 => panic!("users give the first sixteen other colours"),
            16..232 => {
                let cube = usize::from(number - 16);
                [cube / 36, cube / 6 % 6, cube % 6].map(|level| LEVELS[level])
            }
            232.. => [8 + 10 * (number - 232); 3],
        }
    }

    /// Relative luminance: Web Content Accessibility Guidelines 2.1.
    fn luminance(colour: Color) -> f64 {
        let [red, green, blue] = rgb(colour).map(|level| match f64::from(level) / 255.0 {
            level if level <= 0.03928 => level / 12.92,
            level => ((level + 0.055) / 1.055).powf(2.4),
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    #[test]
    fn everything_can_be_read_in_every_theme() {
        for colours in Colours::ALL {
            let text = ink(colours, Role::Text);
            for role in Role::ALL {
                let ink = ink(colours, role);
                let (front, back) = (ink.front.or(text.front), ink.back.or(text.back));
                let [front, back] =
                    [front, back].map(|colour| luminance(colour.expect("the ground has all")));
                let contrast = (front.max(back) + 0.05) / (front.min(back) + 0.05);
                // Lines need not be read; AA for text, and AAA in high contrast.
                let wanted = match (role, colours) {
                    (Role::Border, _) => 1.5,
                    (_, Colours::HighContrast) => 7.0,
                    _ => 4.5,
                };
                assert!(
                    contrast >= wanted,
                    "{role:?} in {}: {contrast:.1}",
                    colours.name()
                );
            }
        }
    }
}
