//! Titles as data: a template is a TOML file that says which facts appear where, when and how.
//!
//! ```text
//! tables: the file as it is written
//! check (with stylesheet, backdrop, item, placeholder; kind, number): tables → draft
//! diagnostic: what is wrong in a file, and where
//! draft: the template in memory, its panels with placeholders
//! fill (with fields, span): draft, facts and length → overlays
//! ```

mod backdrop;
mod check;
mod diagnostic;
mod draft;
mod error;
mod fields;
mod fill;
mod item;
mod kind;
mod number;
mod placeholder;
mod settings;
mod span;
mod stylesheet;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use include_dir::{Dir, include_dir};

pub use draft::Template;
pub use error::TemplateError;
pub use fields::{Field, Fields};
pub use fill::FilledTemplate;
pub use settings::Settings;

static BUNDLED: Dir = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// All templates, by name: that of the file, without `.toml`.
#[derive(Debug)]
pub struct Templates {
    by_name: BTreeMap<String, Template>,
}

impl Templates {
    /// The bundled templates, and those in `user_dir`, which replace bundled ones of the same name.
    ///
    /// # Errors
    /// If a template is invalid or unreadable. The error names the file, and the line and column of
    /// the mistake.
    pub fn load(user_dir: Option<&Path>) -> Result<Templates, TemplateError> {
        let mut templates = Templates {
            by_name: BTreeMap::new(),
        };
        for file in BUNDLED.files() {
            let text = file.contents_utf8();
            templates.add(
                file.path(),
                text.ok_or_else(|| TemplateError::not_text(file.path())),
            )?;
        }
        if let Some(dir) = user_dir {
            let unreadable = |e| TemplateError::unreadable(dir, e);
            for entry in fs::read_dir(dir).map_err(unreadable)? {
                let path = entry.map_err(unreadable)?.path();
                let text = read(&path);
                templates.add(&path, text.as_deref().map_err(Clone::clone))?;
            }
        }
        Ok(templates)
    }

    fn add(&mut self, path: &Path, text: Result<&str, TemplateError>) -> Result<(), TemplateError> {
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        let (true, Some(name)) = (is_toml, path.file_stem()) else {
            return Ok(());
        };
        let name = name.to_string_lossy().into_owned();
        let template =
            Template::parse(&name, text?).map_err(|diagnostic| diagnostic.in_file(path))?;
        self.by_name.insert(name, template);
        Ok(())
    }

    /// In alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub fn get(&self, name: &str) -> Option<&Template> {
        self.by_name.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.by_name.values()
    }
}

fn read(path: &Path) -> Result<String, TemplateError> {
    let bytes = fs::read(path).map_err(|e| TemplateError::unreadable(path, e))?;
    String::from_utf8(bytes).map_err(|_| TemplateError::not_text(path))
}

impl Template {
    /// The facts that the template shows.
    pub fn uses(&self) -> BTreeSet<Field> {
        self.panels.iter().flat_map(|panel| panel.uses()).collect()
    }

    /// The font families that the template names.
    pub fn fonts(&self) -> BTreeSet<&str> {
        self.panels.iter().flat_map(|panel| panel.fonts()).collect()
    }
}
