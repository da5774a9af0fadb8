//! Settings: what the program remembers from one time to the next.

use serde::{Deserialize, Serialize};

use crate::session::Speed;
use crate::theme::Colours;

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which colours.
    pub theme: Colours,
    /// Only characters of ASCII.
    pub ascii: bool,
    /// Whether the mouse is the program's; else the terminal has it, to select text.
    pub mouse: bool,
    /// How fast the guest is played.
    pub speed: Speed,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            theme: Colours::default(),
            ascii: false,
            mouse: true,
            speed: Speed::default(),
        }
    }
}

impl Settings {
    /// Reads them from the text of their file. What it does not say is as usual.
    ///
    /// # Errors
    /// If it is not such a file; the message says where and why.
    pub fn parse(text: &str) -> Result<Settings, toml::de::Error> {
        toml::from_str(text)
    }

    /// The text of their file.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("settings are a table of plain values")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for theme in Colours::ALL {
            for speed in Speed::ALL {
                let settings = Settings {
                    theme,
                    speed,
                    ascii: true,
                    mouse: false,
                };
                assert_eq!(Settings::parse(&settings.to_toml()), Ok(settings));
            }
        }
    }

    #[test]
    fn what_is_not_said_is_as_usual_and_what_makes_no_sense_is_an_error() {
        let light = Settings::parse("theme = \"light\"").expect("settings");
        assert_eq!(light.theme, Colours::Light);
        assert!(light.mouse);
        for (text, wanted) in [
            ("theme = \"mauve\"", "mauve"),
            ("colour = 1", "unknown field"),
            ("mouse = 7", "line 1"),
            ("speed = 3.5", "line 1"),
        ] {
            let error = Settings::parse(text).expect_err(text).to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
