//! Motion: which part of a photo each moment of a scene shows. Pure.

use std::f64::consts::PI;

use super::framing::Framing;
use super::resample::Crop;
use super::sides::{ACROSS, DOWN, Sides};
use crate::spec::{Easing, Fit, Focus, Motion, Move, Size};
use crate::subject::Subject;

/// A zoom stops here.
const MAX_ZOOM: f64 = 10.0;

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
/// The greatest speed of an eased move, in mean speeds.
const FASTEST: f64 = 1.0 - EASED + EASED * PI / 2.0;
/// How much of an eased move is half a cosine, from rest to rest. The remainder is linear, so that it also moves at
/// either end, where transitions are: frames do not repeat.
const EASED: f64 = 0.5;
/// Of a pan for the sake of the motion alone, over a photo of which the frame shows most.
const SHORT_PAN: Pace = Pace {
    speed: 0.06,
    max: 0.5,
};
/// How far a photo that hardly exceeds the frame may be enlarged to make room for a pan.
const MAX_PAN_ZOOM: f64 = 1.15;
/// A pan by less, in sides of the frame, is hardly seen.
const LEAST_PAN: f64 = 0.04;
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

/// Directions along an axis.
const FORE: f64 = 1.0;
const BACK: f64 = -1.0;

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

/// The way of the crop over the photo, from a share of the time of 0 to one of 1.
pub enum Path {
    /// A zoom into the centre by this growth, linear until it ends.
    CentreZoom { sides: Sides, growth: f64 },
    Between {
        from: Crop,
        to: Crop,
        easing: Easing,
        /// Over a background: the crops extend beyond the photo.
        is_contained: bool,
    },
}

impl Path {
    pub fn new(shot: &Shot) -> Self {
        let sides = Sides {
            photo: shot.photo,
            frame: shot.frame,
        };
        match shot.motion {
            Motion::CentreZoom { speed } => Self::CentreZoom {
                sides,
                growth: speed / 100.0 * shot.seconds,
            },
            Motion::Between { from, to, easing } => Self::Between {
                from: sides.shown(from),
                to: sides.shown(to),
                easing,
                is_contained: false,
            },
            Motion::Eased(what) => shot.eased(what, &sides),
        }
    }

    pub fn is_contained(&self) -> bool {
        match self {
            Self::CentreZoom { .. } => false,
            Self::Between { is_contained, .. } => *is_contained,
        }
    }

    /// The crop of the photo, in its pixels, that fills the frame at `share` of the time. It has the aspect ratio of
    /// the frame, and extends beyond a photo that does not fill it.
    pub fn crop(&self, share: f64) -> Crop {
        match self {
            Self::CentreZoom { sides, growth } => {
                sides.covering((1.0 + growth * share).min(MAX_ZOOM))
            }
            Self::Between {
                from, to, easing, ..
            } => between(from, to, easing.at(share)),
        }
    }
}

impl Easing {
    pub fn at(self, share: f64) -> f64 {
        match self {
            Self::Linear => share,
            Self::Smooth => (1.0 - EASED) * share + EASED * from_rest_to_rest(share),
        }
    }
}

/// Half a cosine.
pub fn from_rest_to_rest(share: f64) -> f64 {
    (1.0 - (PI * share).cos()) / 2.0
}

/// The crop on the way from one to another: its size changes evenly as the viewer sees it, and what it zooms into
/// stays where it is.
fn between(from: &Crop, to: &Crop, share: f64) -> Crop {
    let part = share * from.width / ((1.0 - share) * to.width + share * from.width);
    let between = |from: f64, to: f64| from + (to - from) * part;
    Crop {
        x: between(from.x, to.x),
        y: between(from.y, to.y),
        width: between(from.width, to.width),
        height: between(from.height, to.height),
    }
}

impl Shot<'_> {
    fn eased(&self, what: Move, sides: &Sides) -> Path {
        let framing = Framing::new(sides, self.focus, self.subject, self.covered_below);
        let contained = |kept| sides.contained(self.contained_move(what, sides), kept);
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
        let pan = |axis, direction| self.pan(framing, axis, direction, &PAN);
        match what {
            Move::Auto => self.auto(framing, sides.longer_axis()),
            Move::Still => {
                let crop = framing.best(framing.least_zoom());
                (crop, crop)
            }
            Move::ZoomIn => self.zoom(framing),
            Move::ZoomOut => swapped(self.zoom(framing)),
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
            self.zoom(framing)
        } else if preferred.0 >= 0.6 * longest {
            preferred.1
        } else {
            other.1
        }
    }

    /// One of six in turn: whether there is room for the pans or not, no two consecutive ones are the same.
    fn turn(&self, framing: &Framing, axis: usize) -> (Crop, Crop) {
        let zoom_in = || self.zoom(framing);
        let zoom_out = || swapped(self.zoom(framing));
        let pan = |direction| {
            let (from, to) = self.pan(framing, axis, direction, &SHORT_PAN);
            (length(framing, axis, &from, &to) >= LEAST_PAN).then_some((from, to))
        };
        match Turn::of(self.index) {
            Turn::ZoomIn => zoom_in(),
            Turn::ZoomOut => zoom_out(),
            Turn::PanForeOrZoomOut => pan(FORE).unwrap_or_else(zoom_out),
            Turn::PanBackOrZoomIn => pan(BACK).unwrap_or_else(zoom_in),
        }
    }

    /// Into the focus.
    fn zoom(&self, framing: &Framing) -> (Crop, Crop) {
        let least = framing.least_zoom();
        let most = (least * (1.0 + ZOOM.over(self.seconds))).min(framing.most_zoom());
        (framing.best(least), framing.best(most.max(least)))
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

/// Places along one axis.
struct Pan<'a> {
    framing: &'a Framing,
    axis: usize,
    zoom: f64,
    /// Of the whole pan, in pixels of the photo.
    length: f64,
    /// Where the crop begins that suits the focus.
    focus: f64,
}

impl<'a> Pan<'a> {
    /// `wanted` is its length in sides of the frame.
    fn new(framing: &'a Framing, axis: usize, wanted: f64) -> Self {
        // A photo that hardly exceeds the frame is enlarged.
        let zoom = ((1.0 + wanted) / (1.0 + framing.slack()[axis])).clamp(1.0, MAX_PAN_ZOOM);
        let zoom = zoom.min(framing.most_zoom()).max(framing.least_zoom());
        Self {
            framing,
            axis,
            zoom,
            length: wanted * framing.cover()[axis] / zoom,
            focus: framing.best_origin(axis, zoom),
        }
    }

    /// To where the crop may begin.
    fn clamp(&self, origin: f64) -> f64 {
        let (first, last) = self.framing.origins(self.axis, self.zoom);
        origin.clamp(first, last)
    }

    fn crop(&self, origin: f64) -> Crop {
        let mut origins = [ACROSS, DOWN].map(|axis| self.framing.best_origin(axis, self.zoom));
        origins[self.axis] = origin;
        self.framing.crop(self.zoom, origins)
    }
}

/// How far a pan goes, in sides of the frame.
fn length(framing: &Framing, axis: usize, from: &Crop, to: &Crop) -> f64 {
    let (from, to) = match axis {
        ACROSS => (from.x, to.x),
        _ => (from.y, to.y),
    };
    (to - from).abs() / framing.cover()[axis]
}

fn swapped((from, to): (Crop, Crop)) -> (Crop, Crop) {
    (to, from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Face;

    const fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    const FULL_HD: Size = size(1920, 1080);

    fn path(motion: Motion, photo: Size, frame: Size, seconds: f64) -> Path {
        path_to(motion, photo, frame, seconds, &Subject::default())
    }

    fn path_to(motion: Motion, photo: Size, frame: Size, seconds: f64, subject: &Subject) -> Path {
        Path::new(&Shot {
            motion,
            focus: Focus::Auto,
            fit: Fit::Auto,
            photo,
            frame,
            subject,
            covered_below: 0.0,
            seconds,
            index: 0,
        })
    }

    fn zoom(speed: f64, seconds: f64, share: f64) -> f64 {
        let crop = path(Motion::CentreZoom { speed }, FULL_HD, FULL_HD, seconds).crop(share);
        1920.0 / crop.width
    }

    #[test]
    fn the_zoom_is_linear_and_ends_at_ten() {
        assert_eq!(zoom(3.0, 5.0, 0.0), 1.0);
        assert!((zoom(3.0, 5.0, 0.5) - 1.075).abs() < 1e-12);
        assert!((zoom(100.0, 60.0, 0.99) - 10.0).abs() < 1e-12);
    }

    const MOVES: [Move; 8] = [
        Move::Auto,
        Move::Still,
        Move::ZoomIn,
        Move::ZoomOut,
        Move::PanLeft,
        Move::PanRight,
        Move::PanUp,
        Move::PanDown,
    ];
    const FRAMES: [Size; 4] = [
        FULL_HD,
        size(1080, 1080),
        size(1080, 1350),
        size(1080, 1920),
    ];
    const PHOTOS: [Size; 7] = [
        size(2560, 1600),
        size(772, 1366),
        size(1600, 2560),
        size(900, 900),
        size(7000, 1200),
        size(64, 4000),
        size(1, 1),
    ];

    /// Calls `check` for every move over every photo in every frame, with a face in one of some places.
    fn every_path(check: impl Fn(&Shot, &Path)) {
        let faces = [(0.1, 0.2), (0.5, 0.5), (0.9, 0.3), (0.4, 1.0)].map(|(x, y)| Face {
            left: x - 0.05,
            top: y - 0.08,
            right: x + 0.05,
            bottom: y + 0.08,
        });
        let cases = FRAMES.iter().flat_map(|frame| {
            let photos = PHOTOS.iter().map(move |photo| (*frame, *photo));
            photos.flat_map(|case| MOVES.map(|what| (case, what)))
        });
        for (i, ((frame, photo), what)) in cases.enumerate() {
            for (seconds, fit) in [(0.3, Fit::Auto), (2.0, Fit::Cover), (30.0, Fit::Contain)] {
                let face = faces[i % faces.len()];
                let subject = Subject {
                    faces: vec![face],
                    point: face.centre(),
                };
                let shot = Shot {
                    motion: Motion::Eased(what),
                    focus: Focus::Auto,
                    fit,
                    photo,
                    frame,
                    subject: &subject,
                    covered_below: [0.0, 0.3][i % 2],
                    seconds,
                    index: i,
                };
                check(&shot, &Path::new(&shot));
            }
        }
    }

    #[test]
    fn eased_moves_stay_on_the_photo_or_show_all_of_it_along_an_axis() {
        every_path(|shot, path| {
            for share in [0.0, 0.31, 0.5, 1.0] {
                let crop = path.crop(share);
                let (width, height) = (f64::from(shot.photo.width), f64::from(shot.photo.height));
                let edges = [
                    crop.x,
                    crop.y,
                    width - crop.x - crop.width,
                    height - crop.y - crop.height,
                ];
                let is_on = edges.map(|edge| edge >= -1e-9);
                let good = match (path.is_contained(), shot.fit) {
                    (false, _) => is_on == [true; 4],
                    (true, Fit::Contain) => is_on == [false; 4],
                    // Where faces are kept, it may reach beyond the frame on two sides.
                    (true, _) => {
                        let [left, top, right, bottom] = is_on;
                        left == right && top == bottom && !(left && top)
                    }
                };
                assert!(good, "{:?} at {share}: {edges:?}", shot.motion);
            }
        });
    }

    #[test]
    fn crops_have_the_shape_of_the_frame() {
        every_path(|shot, path| {
            let crop = path.crop(0.4);
            let shape = f64::from(shot.frame.width) / f64::from(shot.frame.height);
            assert!((crop.width / crop.height / shape - 1.0).abs() < 1e-9);
        });
    }

    #[test]
    fn no_pan_is_faster_than_a_seventh_of_the_frame_a_second() {
        every_path(|shot, path| {
            let step = 0.01 / shot.seconds;
            let speed = |share: f64| {
                let (a, b) = (path.crop(share), path.crop(share + step));
                let across = (b.x + b.width / 2.0 - a.x - a.width / 2.0) / a.width;
                let down = (b.y + b.height / 2.0 - a.y - a.height / 2.0) / a.height;
                across.abs().max(down.abs()) / 0.01
            };
            let fastest = speed(0.5 - step / 2.0);
            assert!(fastest < 0.1401, "{:?}: {fastest}", shot.motion);
        });
    }

    #[test]
    fn a_face_that_fits_is_whole_all_the_time() {
        every_path(|shot, path| {
            let face = shot.subject.faces[0];
            let (width, height) = (f64::from(shot.photo.width), f64::from(shot.photo.height));
            for share in [0.0, 0.2, 0.5, 0.9, 1.0] {
                let crop = path.crop(share);
                if (face.right - face.left) * width > 0.8 * crop.width
                    || (face.bottom - face.top) * height > 0.7 * crop.height
                {
                    return;
                }
                let room = [
                    face.left * width - crop.x,
                    face.top * height - crop.y,
                    crop.x + crop.width - face.right * width,
                    // A face may go on below the photo.
                    crop.y + crop.height - face.bottom.min(1.0) * height,
                ];
                let whole = room.iter().all(|room| *room >= -1e-6);
                assert!(whole, "{shot:?} at {share}: {room:?}");
            }
        });
    }

    #[test]
    fn a_face_that_is_above_titles_stays_there() {
        /// The middle of a face and its size, as fractions of the photo.
        const FACES: [(f64, f64, f64); 5] = [
            (0.5, 0.52, 0.37),
            (0.1, 0.45, 0.45),
            (0.5, 0.52, 0.29),
            (0.3, 0.7, 0.2),
            (0.8, 0.2, 0.1),
        ];
        let photos = [
            size(4000, 3000),
            size(3000, 1000),
            size(3000, 4000),
            size(1600, 1600),
        ];
        for (photo, frame) in photos.iter().flat_map(|p| FRAMES.map(|f| (*p, f))) {
            for (x, y, height) in FACES {
                let face = Face {
                    left: x - 0.06,
                    top: y - height / 2.0,
                    right: x + 0.06,
                    bottom: y + height / 2.0,
                };
                let subject = Subject {
                    faces: vec![face],
                    point: face.centre(),
                };
                let lowest = |what| {
                    let path = Path::new(&Shot {
                        motion: Motion::Eased(what),
                        focus: Focus::Auto,
                        fit: Fit::Cover,
                        photo,
                        frame,
                        subject: &subject,
                        covered_below: 0.25,
                        seconds: 4.0,
                        index: 0,
                    });
                    let chins = [0.0, 0.5, 1.0].map(|share| {
                        let crop = path.crop(share);
                        (face.bottom * f64::from(photo.height) - crop.y) / crop.height
                    });
                    chins.into_iter().fold(0.0, f64::max)
                };
                // With the margin below a chin.
                if lowest(Move::Still) > 0.75 - 0.08 * height {
                    continue;
                }
                for what in MOVES {
                    let chin = lowest(what);
                    assert!(chin < 0.75, "{photo:?} in {frame:?}, {y}, {what:?}: {chin}");
                }
            }
        }
    }

    #[test]
    fn neighbours_move_differently_whatever_their_shapes() {
        let subject = Subject::default();
        // Whether it grows, and where it goes, each as -1, 0 or 1.
        let kind = |photo, frame, fit, index| {
            let path = Path::new(&Shot {
                motion: Motion::Eased(Move::Auto),
                focus: Focus::Auto,
                fit,
                photo,
                frame,
                subject: &subject,
                covered_below: 0.0,
                seconds: 3.0,
                index,
            });
            let (from, to) = (path.crop(0.0), path.crop(1.0));
            let middle = |crop: &Crop| (crop.x + crop.width / 2.0, crop.y + crop.height / 2.0);
            let ((x0, y0), (x1, y1)) = (middle(&from), middle(&to));
            let sign = |change: f64| match change / from.width {
                small if small.abs() < 0.005 => 0,
                large => large.signum() as i32,
            };
            [sign(to.width - from.width), sign(x1 - x0), sign(y1 - y0)]
        };
        let photos = [
            size(2560, 1600),
            size(900, 900),
            size(7000, 1200),
            size(1600, 2560),
        ];
        let shapes = || {
            photos
                .iter()
                .flat_map(|p| [Fit::Auto, Fit::Contain].map(|f| (*p, f)))
        };
        for frame in FRAMES {
            for ((photo, fit), (other, other_fit)) in
                shapes().flat_map(|a| shapes().map(move |b| (a, b)))
            {
                for index in 0..6 {
                    let one = kind(photo, frame, fit, index);
                    let two = kind(other, frame, other_fit, index + 1);
                    assert_ne!(
                        one, two,
                        "{photo:?} {fit:?}, {other:?} {other_fit:?} in {frame:?}, {index}"
                    );
                }
            }
        }
    }

    #[test]
    fn consecutive_scenes_move_differently() {
        let subject = Subject::default();
        for (photo, frame) in PHOTOS.iter().flat_map(|p| FRAMES.map(|f| (*p, f))) {
            let ends = |index| {
                let path = Path::new(&Shot {
                    motion: Motion::Eased(Move::Auto),
                    focus: Focus::Auto,
                    fit: Fit::Auto,
                    photo,
                    frame,
                    subject: &subject,
                    covered_below: 0.2,
                    seconds: 3.0,
                    index,
                });
                (path.crop(0.0), path.crop(1.0))
            };
            for index in 0..12 {
                assert_ne!(
                    ends(index),
                    ends(index + 1),
                    "{photo:?} in {frame:?}, {index}"
                );
            }
        }
    }
}
