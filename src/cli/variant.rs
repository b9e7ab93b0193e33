//! The flag for further videos of the same photos.

use std::path::{Path, PathBuf};

use crate::listing::template::Template;
use crate::listing::{AspectRatio, Variant};

/// A further video, beside that of `--output`.
#[derive(Clone, Debug)]
pub struct VariantFlag {
    /// Becomes a part of file names.
    name: String,
    aspect_ratio: AspectRatio,
    has_titles: bool,
    is_branded: bool,
    max_bytes: Option<u64>,
}

impl VariantFlag {
    /// Reads `NAME=RATIO`, with options behind commas.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, rest) = text
            .split_once('=')
            .ok_or("not of the form NAME=RATIO, such as reel=9:16")?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(format!(
                "{name:?} is not a name of letters, digits, - and _"
            ));
        }
        let mut options = rest.split(',');
        let mut flag = Self {
            name: name.to_owned(),
            aspect_ratio: aspect_ratio(options.next().unwrap_or_default())?,
            has_titles: true,
            is_branded: true,
            max_bytes: None,
        };
        for option in options {
            match option.split_once('=') {
                None if option == "plain" => flag.has_titles = false,
                None if option == "unbranded" => flag.is_branded = false,
                Some(("max-mb", megabytes)) => flag.max_bytes = Some(max_bytes(megabytes)?),
                _ => {
                    return Err(format!(
                        "{option:?} is not one of plain, unbranded and max-mb=NUMBER"
                    ));
                }
            }
        }
        Ok(flag)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn variant<'a>(&self, template: Option<&'a Template>) -> Variant<'a> {
        Variant {
            aspect_ratio: self.aspect_ratio,
            template: template.filter(|_| self.has_titles),
            is_branded: self.is_branded,
            max_bytes: self.max_bytes,
        }
    }

    /// `listing.mp4` → `listing-NAME.mp4`.
    pub fn beside(&self, file: &Path) -> PathBuf {
        let mut name = file.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{}", self.name));
        let mut beside = file.with_file_name(name);
        if let Some(ending) = file.extension() {
            beside.add_extension(ending);
        }
        beside
    }
}

/// Reads a number of megabytes.
pub fn max_bytes(text: &str) -> Result<u64, String> {
    match text.parse::<f64>() {
        Ok(megabytes) if (0.01..=1e6).contains(&megabytes) => Ok((megabytes * 1e6) as u64),
        _ => Err("not a number of megabytes from 0.01 to 1000000".to_owned()),
    }
}

pub fn aspect_ratio(name: &str) -> Result<AspectRatio, String> {
    AspectRatio::named(name).ok_or_else(|| "not one of 16:9, 1:1, 4:5 and 9:16".to_owned())
}
