//! Motion: how a camera moves over the photo of a scene. Pure.

use super::framing::Framing;
use super::pan::{BACK, FORE, Pan, length};
use super::path::{FASTEST, Path};
use super::resample::Crop;
use super::sides::{ACROSS, DOWN, Extent, Sides};
use crate::spec::{Easing, Fit, Focus, Motion, Move, Size};
use crate::subject::Subject;

/// Growth of the photo by an eased zoom, as a fraction of its size.
const ZOOM: Pace = Pace {
    speed: 0.045,
    max: 0.22,
};

/// Length of an eased pan, in widths of the frame across and in heights down. No pan is to be faster than 0.14 a
/// second, in its middle.
const PAN: Pace = Pace {
    speed: 0.14 / FASTEST,
    max: f64::INFINITY,
};
/// Of a pan for the sake of the motion alone, over a photo of which the frame shows most.
const SHORT_PAN: Pace = Pace {
    speed: 0.06,
    max: 0.5,
};
/// A pan by less, in sides of the frame, is hardly seen.
const LEAST_PAN: f64 = 0.04;
/// A zoom by less looks as if it stood still.
const LEAST_GROWTH: f64 = 0.01;
/// The way of a photo over its background, as a fraction of the frame.
const DRIFT: Pace = Pace {
    speed: 0.006,
    max: 0.05,
};
/// A photo that exceeds the frame by this fraction of it, or by more, is panned over.
const PANNED_SLACK: f64 = 0.5;

/// A photo of which a crop would show less than this is shown whole.
const LEAST_SHOWN: f64 = 0.1;

/// A change over time.
struct Pace {
    /// Per second.
    speed: f64,
    max: f64,
}

impl Pace {
    fn over(&self, seconds: f64) -> f64 {
        (self.speed * seconds).min(self.max)
    }
}

/// What scenes do in turn where they may choose. Those over a background and those that fill the frame take the same
/// turns, so that neighbours differ.
enum Turn {
    ZoomIn,
    ZoomOut,
    /// The zoom, where there is no room for the pan.
    PanForeOrZoomOut,
    PanBackOrZoomIn,
}

impl Turn {
    fn of(scene: usize) -> Self {
        match scene % 6 {
            0 | 2 => Self::ZoomIn,
            1 => Self::PanForeOrZoomOut,
            4 => Self::PanBackOrZoomIn,
            _ => Self::ZoomOut,
        }
    }
}

/// What a scene is to show, and how.
#[derive(Clone, Copy, Debug)]
pub struct Shot<'a> {
    pub motion: Motion,
    pub focus: Focus,
    pub fit: Fit,
    /// Of the upright photo, in pixels.
    pub photo: Size,
    /// Of the video, in pixels.
    pub frame: Size,
    pub subject: &'a Subject,
    /// The part of the frame, from below, that titles cover, as a fraction of its height.
    pub covered_below: f64,
    /// That decide how far it goes.
    pub seconds: f64,
    /// Of the scene: consecutive ones move differently.
    pub index: usize,
}

impl Shot<'_> {
    /// What the crop does.
    pub fn path(&self) -> Path {
        let sides = Sides {
            photo: self.photo,
            frame: self.frame,
        };
        match self.motion {
            Motion::CentreZoom { speed } => Path::CentreZoom {
                sides,
                growth: speed / 100.0 * self.seconds,
            },
            Motion::Between { from, to, easing } => Path::Between {
                from: sides.shown(from),
                to: sides.shown(to),
                easing,
                is_contained: false,
            },
            Motion::Eased(what) => self.eased(what, &sides),
        }
    }

    fn eased(&self, what: Move, sides: &Sides) -> Path {
        let framing = Framing::new(sides, self.focus, self.subject, self.covered_below);
        let extent = Extent {
            growth: ZOOM.over(self.seconds),
            drift: DRIFT.over(self.seconds),
        };
        let contained = |kept| sides.contained(self.contained_move(what, sides), kept, extent);
        let ((from, to), is_contained) = match self.fit {
            Fit::Contain => (contained(None), true),
            Fit::Auto if sides.shown_by_crop() < LEAST_SHOWN => (contained(None), true),
            // As large as its faces permit.
            Fit::Auto if framing.loses_faces() => (contained(framing.faces_along_slack()), true),
            Fit::Auto | Fit::Cover => (self.covering(what, &framing, sides), false),
        };
        Path::Between {
            from,
            to,
            easing: Easing::Smooth,
            is_contained,
        }
    }

    /// A photo over a background has most room along the axis on which the frame exceeds it.
    fn contained_move(&self, what: Move, sides: &Sides) -> Move {
        let [fore, back] = match sides.longer_axis() {
            ACROSS => [Move::PanDown, Move::PanUp],
            _ => [Move::PanRight, Move::PanLeft],
        };
        match (what, Turn::of(self.index)) {
            (Move::Auto, Turn::ZoomIn) => Move::ZoomIn,
            (Move::Auto, Turn::ZoomOut) => Move::ZoomOut,
            (Move::Auto, Turn::PanForeOrZoomOut) => fore,
            (Move::Auto, Turn::PanBackOrZoomIn) => back,
            (other, _) => other,
        }
    }

    /// The first and the last crop of a photo that fills the frame.
    fn covering(&self, what: Move, framing: &Framing, sides: &Sides) -> (Crop, Crop) {
        let zoom = || self.zoom(framing, sides.longer_axis());
        let pan = |axis, direction| {
            let (from, to) = self.pan(framing, axis, direction, &PAN);
            let least = LEAST_PAN.min(PAN.over(self.seconds) / 2.0);
            match length(framing, axis, &from, &to) >= least {
                true => (from, to),
                // Faces leave no room for it.
                false => zoom(),
            }
        };
        match what {
            Move::Auto => self.auto(framing, sides.longer_axis()),
            Move::Still => {
                let crop = framing.best(framing.least_zoom());
                (crop, crop)
            }
            Move::ZoomIn => zoom(),
            Move::ZoomOut => swapped(zoom()),
            Move::PanLeft => pan(ACROSS, -1.0),
            Move::PanRight => pan(ACROSS, 1.0),
            Move::PanUp => pan(DOWN, -1.0),
            Move::PanDown => pan(DOWN, 1.0),
        }
    }

    /// Over a photo that exceeds the frame by far, a pan, else what its turn is.
    fn auto(&self, framing: &Framing, axis: usize) -> (Crop, Crop) {
        if framing.slack()[axis] >= PANNED_SLACK {
            self.pan_over(framing, axis)
        } else {
            self.turn(framing, axis)
        }
    }

    /// In the direction that its neighbours do not have, unless the subject is on that side.
    fn pan_over(&self, framing: &Framing, axis: usize) -> (Crop, Crop) {
        let preferred = match self.index % 2 {
            0 => BACK,
            _ => FORE,
        };
        let [preferred, other] = [preferred, -preferred].map(|direction| {
            let (from, to) = self.pan_to_focus(framing, axis, direction);
            (length(framing, axis, &from, &to), (from, to))
        });
        let longest = preferred.0.max(other.0);
        if longest < LEAST_PAN {
            self.turn(framing, axis)
        } else if preferred.0 >= 0.6 * longest {
            preferred.1
        } else {
            other.1
        }
    }

    /// One of six in turn: whether there is room for the pans or not, no two consecutive ones are the same.
    fn turn(&self, framing: &Framing, axis: usize) -> (Crop, Crop) {
        let zoom = self.zoom(framing, axis);
        let pan = |direction| self.short_pan(framing, axis, direction);
        match Turn::of(self.index) {
            Turn::ZoomIn => zoom,
            Turn::ZoomOut => swapped(zoom),
            Turn::PanForeOrZoomOut => pan(FORE).unwrap_or_else(|| swapped(zoom)),
            Turn::PanBackOrZoomIn => pan(BACK).unwrap_or(zoom),
        }
    }

    /// Into the focus. Where faces at the edges leave no room for that, a pan along `axis`, if there is room.
    fn zoom(&self, framing: &Framing, axis: usize) -> (Crop, Crop) {
        let least = framing.least_zoom();
        let wanted = ZOOM.over(self.seconds);
        let most = (least * (1.0 + wanted)).min(framing.most_zoom()).max(least);
        let pan = |direction| self.short_pan(framing, axis, direction);
        let instead = match most / least - 1.0 < LEAST_GROWTH.min(wanted / 2.0) {
            true => pan(FORE).or_else(|| pan(BACK)),
            false => None,
        };
        instead.unwrap_or_else(|| (framing.best(least), framing.best(most)))
    }

    /// `None`: there is no room.
    fn short_pan(&self, framing: &Framing, axis: usize, direction: f64) -> Option<(Crop, Crop)> {
        let (from, to) = self.pan(framing, axis, direction, &SHORT_PAN);
        (length(framing, axis, &from, &to) >= LEAST_PAN).then_some((from, to))
    }

    /// Along an axis, in the direction of 1 or -1, to the focus; where that is too near to the edge that the pan comes
    /// from, it is shorter.
    fn pan_to_focus(&self, framing: &Framing, axis: usize, direction: f64) -> (Crop, Crop) {
        let pan = Pan::new(framing, axis, PAN.over(self.seconds));
        let start = pan.clamp(pan.focus - direction * pan.length);
        (pan.crop(start), pan.crop(pan.focus))
    }

    /// The same, and on past the focus where it would be shorter.
    fn pan(&self, framing: &Framing, axis: usize, direction: f64, pace: &Pace) -> (Crop, Crop) {
        let pan = Pan::new(framing, axis, pace.over(self.seconds));
        let start = pan.clamp(pan.focus - direction * pan.length);
        let end = pan.clamp(start + direction * pan.length);
        (pan.crop(start), pan.crop(end))
    }
}

fn swapped((from, to): (Crop, Crop)) -> (Crop, Crop) {
    (to, from)
}

#[cfg(test)]
mod tests;
