//! The presets: encoding time against file size. What they mean to a codec is in its entry.

/// Named in the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// Shortest time, larger files.
    Fast,
    /// Nearly the quality of the encoder's defaults in a sixth of their time, in files a quarter
    /// larger.
    #[default]
    Balanced,
    /// Files a third smaller than the balanced ones, in three times the encoder's time.
    Small,
}

impl Preset {
    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "fast" => Some(Self::Fast),
            "balanced" => Some(Self::Balanced),
            "small" => Some(Self::Small),
            _ => None,
        }
    }
}
