//! Transitions: how two scenes share a frame. Pure.

use pulp::Arch;

use super::path::from_rest_to_rest;
use crate::picture::{Component, planes, planes_mut};
use crate::spec::{Size, TransitionKind};

/// Width of the soft edge of a wipe, as a fraction of the frame's width.
const SOFT_EDGE: f64 = 0.03;

/// Luma and chroma of black in BT.709 limited range.
const BLACK: [u8; 3] = [16, 128, 128];

/// Full weight of a sample. With the half that rounds, 255 times it still fits 16 bits, of which twice as many lanes
/// fit a register.
const ONE: u16 = 1 << 8;

/// One moment of a transition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blend {
    kind: TransitionKind,
    /// How much of it has happened, between 0 and 1.
    share: f64,
    frame: Size,
}

impl Blend {
    pub fn new(kind: TransitionKind, share: f64, frame: Size) -> Self {
        Self { kind, share, frame }
    }

    /// How far both scenes are to the right of their place, in luma pixels. They are drawn so by the fraction of a
    /// sample; whole samples are left to [`Self::blend`].
    pub fn offset(&self) -> f64 {
        match self.kind {
            TransitionKind::Slide => self.slide_edge(),
            _ => 0.0,
        }
    }

    /// Turns `frame`, which shows the first scene, into the moment; `next` shows the second one.
    pub fn blend(&self, frame: &mut [u8], next: &[u8]) {
        match self.kind {
            TransitionKind::Fade | TransitionKind::Cut => mix(frame, next, self.share),
            TransitionKind::Dip => self.dip(frame, next),
            TransitionKind::Slide => {
                let edge = self.slide_edge();
                self.by_rows(frame, next, |component, row, next| {
                    slide(edge / component.subsampling() as f64, row, next);
                });
            }
            TransitionKind::Wipe => {
                let share = from_rest_to_rest(self.share);
                self.by_rows(frame, next, |_, row, next| wipe(share, row, next));
            }
        }
    }

    fn dip(&self, frame: &mut [u8], next: &[u8]) {
        if self.share >= 0.5 {
            frame.copy_from_slice(next);
        }
        let black = 1.0 - (2.0 * self.share - 1.0).abs();
        for (samples, level) in planes_mut(frame, self.frame).into_iter().zip(BLACK) {
            let (kept, black) = weights(black);
            for sample in samples {
                *sample = mixed(u16::from(*sample) * kept + u16::from(level) * black);
            }
        }
    }

    /// Blends each row of each plane.
    fn by_rows(&self, frame: &mut [u8], next: &[u8], blend: impl Fn(Component, &mut [u8], &[u8])) {
        let planes = planes_mut(frame, self.frame)
            .into_iter()
            .zip(planes(next, self.frame));
        let components = [Component::Y, Component::Cb, Component::Cr];
        for (component, (samples, next)) in components.into_iter().zip(planes) {
            let (width, _) = component.size(self.frame);
            let rows = samples
                .chunks_exact_mut(width)
                .zip(next.chunks_exact(width));
            rows.for_each(|(row, next)| blend(component, row, next));
        }
    }

    /// Where the second scene begins, in luma pixels from the left.
    fn slide_edge(&self) -> f64 {
        f64::from(self.frame.width) * (1.0 - from_rest_to_rest(self.share))
    }
}

/// Moves the first scene out to the left of `edge`, in samples, and the second one in from there. Both rows were drawn
/// to the right by its fraction; they share the sample that it cuts.
fn slide(edge: f64, row: &mut [u8], next: &[u8]) {
    let length = row.len();
    let whole = (edge as usize).min(length - 1);
    let last = row[length - 1];
    row.copy_within(length - whole.., 0);
    let (kept, added) = weights(1.0 - edge.fract());
    row[whole] = mixed(u16::from(last) * kept + u16::from(next[0]) * added);
    row[whole + 1..].copy_from_slice(&next[1..length - whole]);
}

/// A soft edge runs from the left to the right.
fn wipe(share: f64, row: &mut [u8], next: &[u8]) {
    let width = row.len() as f64;
    let soft = SOFT_EDGE * width;
    let middle = share * (width + soft) - soft / 2.0;
    for (x, (sample, next)) in row.iter_mut().zip(next).enumerate() {
        let share = ((middle - x as f64 - 0.5) / soft + 0.5).clamp(0.0, 1.0);
        let (kept, added) = weights(share);
        *sample = mixed(u16::from(*sample) * kept + u16::from(*next) * added);
    }
}

/// Turns `share` of `frame` into `other`.
pub fn mix(frame: &mut [u8], other: &[u8], share: f64) {
    let (kept, added) = weights(share);
    Arch::new().dispatch(|| {
        for (under, over) in frame.iter_mut().zip(other) {
            *under = mixed(u16::from(*under) * kept + u16::from(*over) * added);
        }
    });
}

/// Of what is there, and of a `share` of something else.
fn weights(share: f64) -> (u16, u16) {
    let added = (share * f64::from(ONE)).round() as u16;
    (ONE - added, added)
}

#[inline(always)]
fn mixed(sum: u16) -> u8 {
    ((sum + ONE / 2) >> 8) as u8
}
