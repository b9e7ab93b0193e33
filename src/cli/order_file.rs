//! A file with an order in JSON, as `POST /api/videos` takes it. It may also name local files, by their paths.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::output_video::OutputVideo;
use crate::listing::template::Templates;
use crate::net::Policy;
use crate::order::{self, AllowedSources, Order};
use crate::schema::Violation;

pub struct OrderFile {
    payload: Value,
    /// Where paths begin.
    directory: PathBuf,
}

impl OrderFile {
    pub fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let payload = serde_json::from_str(&text)
            .map_err(|error| format!("{} is not JSON: {error}", file.display()))?;
        Ok(Self {
            payload,
            directory: file.parent().unwrap_or(Path::new("")).to_owned(),
        })
    }

    /// The order, with addresses in the place of paths. `replace` is told the place of each, as a JSON pointer.
    pub fn with_addresses(
        mut self,
        replace: impl FnMut(&str, &Path) -> Result<String, String>,
    ) -> Result<Value, String> {
        order::replace_paths(&mut self.payload, &self.directory, replace)?;
        Ok(self.payload)
    }

    /// Its videos, whose files are begun in a directory: NAME.mp4, and the thumbnail beside it.
    pub fn videos(
        self,
        directory: &Path,
        policy: &Policy,
        templates: &Templates,
    ) -> Result<Vec<OutputVideo>, String> {
        let payload = self.with_addresses(|_, path| Ok(order::of_file(path)))?;
        let allowed = AllowedSources {
            policy,
            uploads: &Default::default(),
            allows_files: true,
        };
        let order = Order::read(payload, &allowed, templates).map_err(|violations| {
            let sentences: Vec<String> = violations.iter().map(Violation::sentence).collect();
            sentences.join("; ")
        })?;
        for warning in &order.warnings {
            eprintln!("kinora: {warning}");
        }
        create(directory)?;
        let videos = order.outputs.iter().zip(order.specs);
        let videos = videos.map(|(name, spec)| {
            let file = |ending| directory.join(format!("{name}.{ending}"));
            OutputVideo::begin(spec, file("mp4"), Some(file("jpg")))
        });
        videos.collect()
    }
}

/// Makes a directory, unless it is there.
pub fn create(directory: &Path) -> Result<(), String> {
    let made = std::fs::create_dir_all(directory);
    made.map_err(|error| format!("{} cannot be made: {error}", directory.display()))
}
