//! Motion: which part of a photo a frame shows. Pure.

use std::f64::consts::PI;

use super::resample::Crop;
use crate::spec::{Motion, Move, Size};

/// A zoom stops here.
const MAX_ZOOM: f64 = 10.0;

/// Growth of the photo by an eased zoom, as a fraction of its size.
const ZOOM: Pace = Pace {
    speed: 0.045,
    max: 0.22,
};
/// Length of an eased pan, in widths or heights of the frame.
const PAN: Pace = Pace {
    speed: 0.06,
    max: 0.5,
};
/// How far a photo that hardly exceeds the frame may be enlarged to make room for a pan.
const MAX_PAN_ZOOM: f64 = 1.15;

/// Smallest and largest size of a photo that is shown whole, where 1 touches the edges of the frame;
/// and the distance that it moves, as a fraction of the frame.
const WHOLE: (f64, f64) = (0.90, 0.95);
const WHOLE_DRIFT: f64 = 0.02;
/// In a portrait frame, which has titles at the bottom, such a photo is above the centre: by this
/// fraction of the height, times 1 − width / height of the frame.
const WHOLE_LIFT: f64 = 0.22;
/// A photo of which more than half would have to be cropped to fill the frame is shown whole.
const MAX_ASPECT_RATIO: f64 = 2.0;

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

/// Whether a photo is shown whole, over a background, instead of filling the frame: if it has the
/// opposite orientation, or is far too long.
pub fn shows_whole(motion: Motion, photo: Size, frame: Size) -> bool {
    if let Motion::CentreZoom { .. } = motion {
        return false;
    }
    let aspect = |size: Size| f64::from(size.width) / f64::from(size.height);
    let (photo, frame) = (aspect(photo), aspect(frame));
    let opposite = photo < 1.0 && frame > 1.0 || photo > 1.0 && frame < 1.0;
    opposite || (photo / frame).max(frame / photo) > MAX_ASPECT_RATIO
}

/// The crop of the photo, in its pixels, that fills the frame at `share` (0 to 1) of a motion of
/// `seconds`. It has the aspect ratio of the frame, and extends beyond a photo that is shown whole.
pub fn crop(motion: Motion, photo: Size, frame: Size, seconds: f64, share: f64) -> Crop {
    let view = View { photo, frame };
    match motion {
        Motion::CentreZoom { speed } => {
            let zoom = 1.0 + speed / 100.0 * seconds * share;
            view.filled(zoom.min(MAX_ZOOM), (0.0, 0.0))
        }
        Motion::Eased(what) => {
            let eased = ease(share);
            if shows_whole(motion, photo, frame) {
                view.whole(what, eased)
            } else {
                view.eased(what, seconds, eased)
            }
        }
    }
}

/// Starts and ends at rest: half a cosine.
fn ease(share: f64) -> f64 {
    (1.0 - (PI * share).cos()) / 2.0
}

/// A photo in a frame.
struct View {
    photo: Size,
    frame: Size,
}

impl View {
    /// The crop of a photo that fills the frame, in an eased move.
    fn eased(&self, what: Move, seconds: f64, eased: f64) -> Crop {
        let growth = ZOOM.over(seconds);
        match what {
            Move::ZoomIn => self.filled(1.0 + growth * eased, (0.0, 0.0)),
            Move::ZoomOut => self.filled(1.0 + growth * (1.0 - eased), (0.0, 0.0)),
            Move::PanForth => self.panned(seconds, eased - 0.5),
            Move::PanBack => self.panned(seconds, 0.5 - eased),
        }
    }

    /// `place` runs from -0.5 to 0.5 of the pan, along the photo's longer side.
    fn panned(&self, seconds: f64, place: f64) -> Crop {
        let wanted = PAN.over(seconds);
        // Width and height of the photo in those of the frame, at the zoom that just fills it.
        let fitting = self.filled(1.0, (0.0, 0.0));
        let (across, down) = (
            f64::from(self.photo.width) / fitting.width,
            f64::from(self.photo.height) / fitting.height,
        );
        let sideways = self.photo.width > self.photo.height
            || self.photo.width == self.photo.height && across > down;
        let length = if sideways { across } else { down };
        let zoom = ((1.0 + wanted) / length).clamp(1.0, MAX_PAN_ZOOM);
        let offset = wanted.min(length * zoom - 1.0) * place;
        self.filled(
            zoom,
            if sideways {
                (offset, 0.0)
            } else {
                (0.0, offset)
            },
        )
    }

    /// The crop around a photo that is shown whole, in an eased move.
    fn whole(&self, what: Move, eased: f64) -> Crop {
        let (small, large) = WHOLE;
        let between = |share: f64| small + (large - small) * share;
        match what {
            Move::ZoomIn => self.contained(between(eased), 0.0),
            Move::ZoomOut => self.contained(between(1.0 - eased), 0.0),
            Move::PanForth => self.contained(between(0.5), WHOLE_DRIFT * (0.5 - eased)),
            Move::PanBack => self.contained(between(0.5), WHOLE_DRIFT * (eased - 0.5)),
        }
    }

    /// The crop that fills the frame at `zoom`, `off` the centre by a fraction of its own size.
    fn filled(&self, zoom: f64, off: (f64, f64)) -> Crop {
        // The scale that just covers the frame: the longer side is cropped, never stretched.
        let (across, down) = self.steps();
        self.around_centre(across.min(down) / zoom, off)
    }

    /// The crop around the whole photo at a fraction of the size that just fits, `off` the centre by
    /// a fraction of the frame along the axis with more room.
    fn contained(&self, share: f64, off: f64) -> Crop {
        let (across, down) = self.steps();
        let aspect = f64::from(self.frame.width) / f64::from(self.frame.height);
        let lift = WHOLE_LIFT * (1.0 - aspect).max(0.0);
        let off = if across < down {
            (off, 0.0)
        } else {
            (0.0, off + lift)
        };
        self.around_centre(across.max(down) / share, off)
    }

    /// Photo pixels per frame pixel if the photo had the width of the frame, and if it had its height.
    fn steps(&self) -> (f64, f64) {
        (
            f64::from(self.photo.width) / f64::from(self.frame.width),
            f64::from(self.photo.height) / f64::from(self.frame.height),
        )
    }

    fn around_centre(&self, step: f64, (right, down): (f64, f64)) -> Crop {
        let width = f64::from(self.frame.width) * step;
        let height = f64::from(self.frame.height) * step;
        Crop {
            x: (f64::from(self.photo.width) - width) / 2.0 + right * width,
            y: (f64::from(self.photo.height) - height) / 2.0 + down * height,
            width,
            height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    const FULL_HD: Size = size(1920, 1080);

    fn zoom(speed: f64, seconds: f64, share: f64) -> f64 {
        let crop = crop(
            Motion::CentreZoom { speed },
            FULL_HD,
            FULL_HD,
            seconds,
            share,
        );
        1920.0 / crop.width
    }

    #[test]
    fn the_zoom_is_linear_and_ends_at_ten() {
        assert_eq!(zoom(3.0, 5.0, 0.0), 1.0);
        assert!((zoom(3.0, 5.0, 0.5) - 1.075).abs() < 1e-12);
        assert!((zoom(100.0, 60.0, 0.99) - 10.0).abs() < 1e-12);
    }

    #[test]
    fn a_panorama_loses_its_sides_and_a_square_its_top_and_bottom() {
        let view = |photo| View {
            photo,
            frame: FULL_HD,
        };
        let panorama = view(size(6000, 1080)).filled(1.0, (0.0, 0.0));
        assert_eq!(
            (panorama.x, panorama.y, panorama.width, panorama.height),
            (2040.0, 0.0, 1920.0, 1080.0)
        );
        let square = view(size(3840, 3840)).filled(2.0, (0.0, 0.0));
        assert_eq!(
            (square.x, square.y, square.width, square.height),
            (960.0, 1380.0, 1920.0, 1080.0)
        );
    }

    #[test]
    fn eased_moves_stay_on_the_photo_or_show_all_of_it() {
        let frames = [
            FULL_HD,
            size(1080, 1080),
            size(1080, 1350),
            size(1080, 1920),
        ];
        let photos = [
            size(2560, 1600),
            size(1600, 2560),
            size(900, 900),
            size(7000, 1200),
            size(64, 4000),
            size(1, 1),
        ];
        let moves = [Move::ZoomIn, Move::ZoomOut, Move::PanForth, Move::PanBack];
        for (frame, photo) in frames
            .iter()
            .flat_map(|f| photos.iter().map(move |p| (*f, *p)))
        {
            for (what, seconds) in moves.iter().flat_map(|m| [0.3, 2.0, 30.0].map(|s| (*m, s))) {
                for share in [0.0, 0.31, 0.5, 1.0] {
                    let motion = Motion::Eased(what);
                    let crop = crop(motion, photo, frame, seconds, share);
                    let (width, height) = (f64::from(photo.width), f64::from(photo.height));
                    let edges = [
                        crop.x,
                        crop.y,
                        width - crop.x - crop.width,
                        height - crop.y - crop.height,
                    ];
                    let whole = shows_whole(motion, photo, frame);
                    let good = edges.map(|edge| if whole { edge < 0.0 } else { edge >= -1e-9 });
                    assert_eq!(
                        good, [true; 4],
                        "{photo:?} in {frame:?}: {what:?} at {share}"
                    );
                }
            }
        }
    }

    #[test]
    fn photos_of_the_opposite_orientation_and_long_ones_are_shown_whole() {
        let whole = |photo, frame| shows_whole(Motion::Eased(Move::ZoomIn), photo, frame);
        assert!(whole(size(1000, 1500), FULL_HD));
        assert!(whole(size(1500, 1000), size(1080, 1350)));
        assert!(whole(size(4000, 1000), size(1080, 1080)));
        assert!(!whole(size(2560, 1600), size(1080, 1080)));
        assert!(!whole(size(1500, 1000), FULL_HD));
    }
}
