//! Where a user's own templates are.

use std::path::PathBuf;

use crate::setting::{Setting, assign};

#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// A directory of templates and fonts beside the shipped ones.
    pub directory: Option<PathBuf>,
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[Setting {
        key: "templates.directory",
        env: Some("KINORA_TEMPLATES"),
        accepts: "the path of a directory with templates, *.toml, and their fonts",
        set: |s, text| assign(&mut s.directory, Some(Some(text.into()))),
    }];
}
