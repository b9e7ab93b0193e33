//! Decoded frames, as they stand in the file: no scaling, no conversion of colours.

use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};

use super::probe::Probe;

/// A frame in planar 4:2:0, limited range.
#[derive(PartialEq)]
pub struct Frame {
    pub width: usize,
    pub height: usize,
    samples: Vec<u8>,
}

impl Frame {
    /// Planar 4:2:0.
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// Luma.
    pub fn y(&self, x: usize, y: usize) -> f64 {
        f64::from(self.samples[y * self.width + x])
    }

    fn chroma(&self, plane: usize, x: usize, y: usize) -> f64 {
        let (luma, quarter) = (self.width * self.height, self.width * self.height / 4);
        f64::from(self.samples[luma + plane * quarter + y / 2 * (self.width / 2) + x / 2])
    }

    /// The mean colour of a square around a place.
    pub fn rgb(&self, x: usize, y: usize) -> [f64; 3] {
        const REACH: usize = 8;
        self.mean(x - REACH..x + REACH, y - REACH..y + REACH)
    }

    /// The colour of one pixel.
    pub fn pixel(&self, x: usize, y: usize) -> [f64; 3] {
        self.mean(x..x + 1, y..y + 1)
    }

    /// The mean colour of columns and rows, taken as BT.709 in limited range, 0 to 255.
    fn mean(&self, columns: Range<usize>, rows: Range<usize>) -> [f64; 3] {
        let samples = (columns.len() * rows.len()) as f64;
        let mut sum = [0.0; 3];
        for y in rows {
            for x in columns.clone() {
                sum[0] += self.y(x, y);
                sum[1] += self.chroma(0, x, y);
                sum[2] += self.chroma(1, x, y);
            }
        }
        let [y, cb, cr] = sum.map(|sum| sum / samples);
        // ITU-R BT.709-6, items 3.2 to 3.4, solved for R, G and B.
        let (y, cb, cr) = (
            (y - 16.0) / 219.0,
            (cb - 128.0) / 224.0,
            (cr - 128.0) / 224.0,
        );
        let (r, b) = (y + 1.5748 * cr, y + 1.8556 * cb);
        let g = (y - 0.2126 * r - 0.0722 * b) / 0.7152;
        [r, g, b].map(|level| 255.0 * level)
    }
}

/// Hands each frame of a video to `look`, in order.
pub fn each(file: &Path, mut look: impl FnMut(usize, Frame)) {
    let (width, height) = Probe::of(file).size();
    let (width, height) = (width as usize, height as usize);
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg");
    let mut stdout = child.stdout.take().expect("ffmpeg's frames");
    for k in 0.. {
        let mut samples = vec![0; width * height * 3 / 2];
        if stdout.read_exact(&mut samples).is_err() {
            break;
        }
        let frame = Frame {
            width,
            height,
            samples,
        };
        look(k, frame);
    }
    assert!(child.wait().expect("ffmpeg's end").success());
}

/// All frames at once, for short videos.
pub fn all(file: &Path) -> Vec<Frame> {
    let mut frames = Vec::new();
    each(file, |_, frame| frames.push(frame));
    frames
}

pub fn first(file: &Path) -> Frame {
    all(file).swap_remove(0)
}
