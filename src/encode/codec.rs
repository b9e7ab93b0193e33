//! The codecs: what ffmpeg is told to encode with. To add one, or a hardware encoder, is to add an
//! entry here.

use super::preset::Preset;

/// One way to encode frames in planar 4:2:0.
pub struct Codec {
    /// In the settings.
    pub name: &'static str,
    /// ffmpeg's arguments, for a preset, a number of threads, and frames that are soft or not.
    pub arguments: fn(Preset, usize, bool) -> Vec<String>,
    /// Width and height of the frame that the probe encodes, in pixels: the encoder's least.
    pub probe: (u32, u32),
}

/// The first is the default.
pub static CODECS: [Codec; 1] = [Codec {
    name: "h264",
    arguments: x264,
    probe: (64, 64),
}];

/// For the message about a codec that is not in the list.
pub const NAMES: &str = "h264";

impl Codec {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Codec> {
        CODECS.iter().find(|codec| codec.name == name)
    }
}

/// H.264 in High profile, by x264. `docs/encoder.md` has the measurements, and `make bench-encoder`
/// makes them again.
///
/// What the two quick presets share, and why:
///
/// - `b-adapt=0`: the motion is the same throughout, so a fixed pattern of B-frames is right.
/// - `pbratio=2`: B-frames get few bits, since most of each is found in the frames around it. The
///   bits go to the P-frames, from which all others are predicted. More blocks are skipped, which is fast.
/// - `bframes=3`: with longer runs, the edges of soft photos begin to swim.
/// - `ipratio=1.12`: one intra frame in 250 is not worth more.
/// - `qcomp=0.8`: a detailed photo is coded more coarsely than a soft one, by half as much again as
///   with x264's default.
/// - `no-deblock=1`: at these quantisers there are no block edges to smooth.
///
/// Soft frames, gradients without texture, have settings of their own, whatever the preset. B-frames of blocks that
/// are skipped cannot place the edges between two levels where they belong: motion advances in steps. P-frames whose
/// blocks are skipped early leave streaks in dark gradients.
fn x264(preset: Preset, threads: usize, is_soft: bool) -> Vec<String> {
    /// Beside x264's preset `ultrafast`, which lacks the transform that High profile is for.
    const QUICK: &str = "bframes=3:b-adapt=0:pbratio=2:ipratio=1.12:qcomp=0.8:subme=2:8x8dct=1:\
        no-deblock=1";
    /// Beside x264's preset `veryfast`.
    const SMALL: &str = "bframes=7:b-adapt=0:pbratio=2:qcomp=0.8:subme=4:aq-mode=0:mbtree=0:\
        scenecut=0:weightp=0";
    /// Beside `ultrafast`.
    const SOFT: &str = "bframes=0:no-fast-pskip=1:ipratio=1.12:qcomp=0.8:subme=1:8x8dct=1:\
        no-deblock=1:cabac=1";
    let (x264_preset, crf, params) = match preset {
        _ if is_soft => ("ultrafast", "18", SOFT.to_owned()),
        Preset::Fast => ("ultrafast", "21", format!("{QUICK}:cabac=0")),
        Preset::Balanced => ("ultrafast", "20.5", format!("{QUICK}:cabac=1")),
        Preset::Small => ("veryfast", "20.5", SMALL.to_owned()),
    };
    let threads = threads.to_string();
    [
        ["-c:v", "libx264"],
        ["-profile:v", "high"],
        ["-threads", &threads],
        ["-preset", x264_preset],
        ["-crf", crf],
        ["-x264-params", &params],
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect()
}
