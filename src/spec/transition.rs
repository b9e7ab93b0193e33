//! How one scene becomes the next.

use serde::{Deserialize, Serialize};

/// How one scene becomes the next, around the cut between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Transition {
    pub kind: TransitionKind,
    /// Less where scenes are short.
    pub seconds: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransitionKind {
    /// The scene fades into the next.
    Fade,
    /// From one frame to the next, in no time.
    #[default]
    Cut,
    /// The next scene comes from the right and pushes the other out.
    Slide,
    /// An edge runs from the left to the right, and uncovers the next scene.
    Wipe,
    /// The scene fades to black, and the next one from it.
    Dip,
}

impl Transition {
    pub const CUT: Self = Self {
        kind: TransitionKind::Cut,
        seconds: 0.0,
    };
}

/// Older versions wrote the seconds of a fade alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Fade(f64),
    Any { kind: TransitionKind, seconds: f64 },
}

impl From<Stored> for Transition {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Fade(seconds) => Self {
                kind: TransitionKind::Fade,
                seconds,
            },
            Stored::Any { kind, seconds } => Self { kind, seconds },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions_of_older_versions_are_read() {
        let fade = Transition {
            kind: TransitionKind::Fade,
            seconds: 0.8,
        };
        assert_eq!(serde_json::from_str::<Transition>("0.8").unwrap(), fade);
        let stored = serde_json::to_string(&fade).unwrap();
        assert_eq!(serde_json::from_str::<Transition>(&stored).unwrap(), fade);
    }
}
