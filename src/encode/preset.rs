//! How much the encoder works: three settings of x264 to choose from.
//!
//! `docs/encoder.md` has the measurements, and `make bench-encoder` makes them again. What the two
//! quick ones share, and why a moving still wants it:
//!
//! - `b-adapt=0`: the motion is the same throughout, so B-frames in a fixed pattern are right.
//! - `pbratio=2`: B-frames get few bits, for most of each is found in the frames around it. The bits
//!   go to the P-frames, which all others are made from. More blocks are skipped, which is quick.
//! - `bframes=3`: with longer runs the edges of soft photos begin to swim.
//! - `ipratio=1.12`: one intra frame in 250 is worth no more.
//! - `qcomp=0.8`: a detailed photo is coded more coarsely than a soft one, but half as much more as
//!   by x264's default.
//! - `no-deblock=1`: at these quantisers there are no edges of blocks to be smoothed.

/// Beside x264's preset `ultrafast`, which lacks the transform that High profile is for.
const QUICK: &str = "bframes=3:b-adapt=0:pbratio=2:ipratio=1.12:qcomp=0.8:subme=2:8x8dct=1:\
    no-deblock=1";

/// Beside x264's preset `veryfast`.
const SMALL: &str = "bframes=7:b-adapt=0:pbratio=2:qcomp=0.8:subme=4:aq-mode=0:mbtree=0:\
    scenecut=0:weightp=0";

/// Named in the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// Shortest time, larger files.
    Fast,
    /// Nearly the quality of x264's defaults in a sixth of their time, in files a quarter larger.
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

    /// ffmpeg's arguments for x264.
    pub(super) fn x264(self) -> [String; 6] {
        let (preset, crf, params) = match self {
            Self::Fast => ("ultrafast", "21", format!("{QUICK}:cabac=0")),
            Self::Balanced => ("ultrafast", "20.5", format!("{QUICK}:cabac=1")),
            Self::Small => ("veryfast", "20.5", SMALL.to_owned()),
        };
        ["-preset", preset, "-crf", crf, "-x264-params", &params].map(str::to_owned)
    }
}
