//! From a tour's file to a [`Tour`]: everything that it names is looked up.

mod target;
mod texts;

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toy_isa::profile::{Profile, ProfileName};
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;

use super::read::paragraphs;
use super::schema::{Document, StopTable};
use super::text::Text;
use super::{Stop, Target, Tour, View, limit, modes};
use crate::error::Error;
use crate::files::{Files, read_limited};
use crate::load::{Loader, text_of};
use crate::terminal::{escape, escape_line};
use crate::{Origin, Scenario, parse};

/// What is said of a file with nothing in it.
const EMPTY: &str =
    "the tour is empty: expected at least a title, a scenario, and one [[stop]] with what to say";

/// The tour in this file.
pub(super) fn from_file(path: &Path) -> Result<Tour, Error> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let bytes = read_limited(path, crate::limit::TOML)?;
    let (files, origin) = (
        Files::Folder(folder.to_path_buf()),
        Origin::File(path.to_path_buf()),
    );
    from_bytes(&files, path.display().to_string(), bytes, &name, origin)
}

/// The tour in this file of `files`.
pub(super) fn from_files(files: &Files, file: &str, name: &str, origin: Origin) -> Result<Tour, Error> {
    let shown = files.show(file);
    match files.read(file, crate::limit::TOML) {
        Ok(bytes) => from_bytes(files, shown, bytes, name, origin),
        Err(problem) => Err(Error::File { path: shown, problem }),
    }
}

/// Only the title of a tour; `None` if the file is none.
pub(super) fn title(files: &Files, file: &str) -> Option<String> {
    let text = files.read_text(file, crate::limit::TOML).ok()?;
    let document: Document = parse::document_of("", &text, EMPTY).ok()?;
    Some(document.title)
}

fn from_bytes(
    files: &Files,
    file: String,
    bytes: Vec<u8>,
    name: &str,
    origin: Origin,
) -> Result<Tour, Error> {
    let text = text_of(&file, bytes)?;
    let document: Document = parse::document_of(&file, &text, EMPTY)?;
    let loader = Loader {
        files,
        file: &file,
        text: &text,
    };
    TourLoader::new(loader).tour(document, name, origin)
}

/// What a stop takes over from the one before.
struct Scene {
    /// Its place among the tour's scenes.
    place: usize,
    mode: ModeName,
    prices: PriceList,
    view: View,
    compare: Vec<ModeName>,
}

/// A tour in the making.
struct TourLoader<'a> {
    loader: Loader<'a>,
    /// The scenarios, each with what the file names it by and the profile that it asks for.
    scenes: Vec<(String, Option<ProfileName>, Scenario)>,
    names: Vec<Option<String>>,
    wholes: Vec<(usize, ModeName)>,
}

impl<'a> TourLoader<'a> {
    fn new(loader: Loader<'a>) -> TourLoader<'a> {
        TourLoader {
            loader,
            scenes: Vec::new(),
            names: Vec::new(),
            wholes: Vec::new(),
        }
    }

    fn tour(mut self, document: Document, name: &str, origin: Origin) -> Result<Tour, Error> {
        let Some(first) = document.stops.first() else {
            let message = "a tour without stops: expected at least one [[stop]] with what to say";
            return Err(self.loader.error(0..0, message, None));
        };
        if let Some(beyond) = document.stops.get(limit::STOPS) {
            let message = format!("too many stops: expected at most {}", limit::STOPS);
            return Err(self.loader.error(beyond.span(), message, None));
        }
        let span = first.span();
        let place = self.scene(&document.scenario, document.profile.as_ref(), &origin)?;
        let mut scene = Scene {
            place,
            mode: self.scenes[place].2.default_mode(),
            prices: PriceList::textbook(),
            view: View::Machine,
            compare: Vec::new(),
        };
        if let Some(mode) = &document.mode {
            scene.mode = self.mode(mode, place)?;
        }
        if let Some(prices) = &document.prices {
            scene.prices = self.prices(prices)?;
        }
        self.runs(&scene, span)?;
        let mut named = (document.scenario, document.profile);
        let mut stops = Vec::new();
        for table in document.stops {
            stops.push(self.stop(table, &mut scene, &mut named, &origin)?);
        }
        Ok(Tour {
            name: name.to_string(),
            title: line(&document.title),
            about: escape(paragraphs(&document.about).as_bytes()),
            scenes: self
                .scenes
                .into_iter()
                .map(|(_, _, scenario)| scenario.into())
                .collect(),
            stops,
            origin,
            wholes: self.wholes,
        })
    }

    fn stop(
        &mut self,
        table: Spanned<StopTable>,
        scene: &mut Scene,
        named: &mut (Spanned<String>, Option<Spanned<String>>),
        origin: &Origin,
    ) -> Result<Stop, Error> {
        let span = table.span();
        let table = table.into_inner();
        if let Some(scenario) = table.scenario {
            *named = (scenario, None);
        }
        if table.profile.is_some() {
            named.1 = table.profile;
        }
        scene.place = self.scene(&named.0, named.1.as_ref(), origin)?;
        if let Some(mode) = &table.mode {
            scene.mode = self.mode(mode, scene.place)?;
        }
        if let Some(prices) = &table.prices {
            scene.prices = self.prices(prices)?;
        }
        if let Some(view) = &table.view {
            let names = View::ALL.iter().map(|view| view.name());
            scene.view =
                View::from_name(view.get_ref()).ok_or_else(|| self.loader.unknown("view", view, names))?;
        }
        if let Some(modes) = &table.compare {
            scene.compare = self.compared(modes, scene.place)?;
        }
        self.runs(scene, span)?;
        let name = match &table.name {
            Some(name) => Some(self.name(name)?),
            None => None,
        };
        let target = match &table.to {
            Some(to) => self.target(to, scene)?,
            None => Target::Stay,
        };
        let ask = match &table.ask {
            Some(ask) => Some(self.ask(ask.get_ref(), scene)?),
            None => None,
        };
        let notes = match &table.notes {
            Some(notes) => self.text(notes, "notes", limit::NOTES, scene)?,
            None => Text::default(),
        };
        let say = self.text(&table.say, "what is said", limit::SAY, scene)?;
        let claims = self.claims(&table.holds, scene)?;
        // Its own texts cannot refer to it by name: they speak of it in any case.
        self.names.push(name.clone());
        Ok(Stop {
            name,
            scene: scene.place,
            mode: scene.mode,
            target,
            view: scene.view,
            pane: table.pane.map(|pane| line(pane.get_ref())),
            compare: scene.compare.clone(),
            prices: scene.prices.clone(),
            ask,
            say,
            notes,
            claims,
        })
    }

    /// The place of a scenario on a profile among the scenes, where it is put if it is new.
    fn scene(
        &mut self,
        name: &Spanned<String>,
        profile: Option<&Spanned<String>>,
        origin: &Origin,
    ) -> Result<usize, Error> {
        let asked = match profile {
            None => None,
            Some(profile) => Some(ProfileName::from_name(profile.get_ref()).ok_or_else(|| {
                let names = ProfileName::ALL.iter().map(|name| name.name());
                self.loader.unknown("profile", profile, names)
            })?),
        };
        let known = |(named, on, _): &(String, Option<ProfileName>, Scenario)| {
            named == name.get_ref() && *on == asked
        };
        if let Some(place) = self.scenes.iter().position(known) {
            return Ok(place);
        }
        if self.scenes.len() == limit::SCENES {
            let message = format!(
                "too many scenarios and profiles: expected at most {}",
                limit::SCENES
            );
            return Err(self.loader.error(name.span(), message, None));
        }
        let mut scenario = self.find(name.get_ref(), origin).map_err(|error| {
            let message = format!("scenario '{}': {error}", name.get_ref());
            self.loader.error(name.span(), message, None)
        })?;
        if let Some(profile) = asked {
            scenario.set_profile(Profile::new(profile));
        }
        self.scenes.push((name.get_ref().clone(), asked, scenario));
        Ok(self.scenes.len() - 1)
    }

    /// A shipped tour has shipped scenarios; another one looks in its own folder, too.
    fn find(&self, name: &str, origin: &Origin) -> Result<Scenario, Error> {
        match (origin, Scenario::shipped(name)) {
            (Origin::Shipped, found) | (Origin::File(_), found @ Ok(_)) => found,
            (Origin::File(file), Err(missing)) => {
                let path = file.with_file_name("").join(name);
                match name.ends_with(".toml") || path.exists() {
                    true => Scenario::load(&path),
                    false => Err(missing),
                }
            }
        }
    }

    /// A mode that this scenario can be run in.
    fn mode(&self, name: &Spanned<String>, scene: usize) -> Result<ModeName, Error> {
        let scenario = &self.scenes[scene].2;
        let known = || modes().filter(|mode| scenario.runs_in(*mode));
        let found = known().find(|mode| mode.name() == name.get_ref());
        found.ok_or_else(|| {
            let what = "mode, of those in which this scenario runs on this profile,";
            self.loader.unknown(what, name, known().map(ModeName::name))
        })
    }

    /// That the mode, which may have been named before, runs on what the scene is now.
    fn runs(&self, scene: &Scene, span: Range<usize>) -> Result<(), Error> {
        let scenario = &self.scenes[scene.place].2;
        match scenario.runs_in(scene.mode) {
            true => Ok(()),
            false => {
                let message = format!(
                    "scenario '{}' does not run in mode '{}' on profile {}: expected another mode",
                    scenario.name,
                    scene.mode,
                    scenario.setup.profile.describe()
                );
                Err(self.loader.error(span, message, None))
            }
        }
    }

    fn prices(&self, name: &Spanned<String>) -> Result<PriceList, Error> {
        PriceList::shipped(name.get_ref()).map_err(|_| {
            let names = PriceList::NAMES.into_iter();
            self.loader.unknown("list of prices", name, names)
        })
    }

    fn compared(&self, modes: &Spanned<Vec<Spanned<String>>>, scene: usize) -> Result<Vec<ModeName>, Error> {
        if !(2..=4).contains(&modes.get_ref().len()) {
            let message = "modes are compared side by side: expected 2 to 4 of them";
            return Err(self.loader.error(modes.span(), message, None));
        }
        modes
            .get_ref()
            .iter()
            .map(|mode| self.mode(mode, scene))
            .collect()
    }

    /// The name of a stop, which no other has.
    fn name(&self, name: &Spanned<String>) -> Result<String, Error> {
        let text = name.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if text.is_empty() || !text.chars().all(plain) || text.len() > limit::TITLE {
            let message = format!("'{text}' is no name of a stop: expected letters, digits, '-' and '_'");
            return Err(self.loader.error(name.span(), message, None));
        }
        if self.names.iter().flatten().any(|known| known == text) {
            let message = format!("two stops are named '{text}': expected another name");
            return Err(self.loader.error(name.span(), message, None));
        }
        Ok(text.clone())
    }
}

/// One line, safe for a terminal and not too long for it.
fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    escape_line(words.join(" ").as_bytes())
        .chars()
        .take(limit::TITLE)
        .collect()
}
