//! Crops that follow from the sides of a photo and of a frame alone. Pure.

use super::resample::Crop;
use crate::spec::{Move, Size, View};

/// Smallest and largest size of a photo that is shown whole, where it touches the edges of the frame at 1.
const WHOLE: (f64, f64) = (0.90, 0.95);
/// Smallest and largest size of a photo of which a part is kept, where that part touches them at 1.
const PART: (f64, f64) = (0.95, 1.0);
/// How much of the frame a photo that is enlarged for its part covers at most: the background is to be seen as one.
const MOST_COVERED: f64 = 0.78;
/// In a portrait frame, which has titles at the bottom, such a photo is above the centre: by this
/// fraction of the height, times 1 − width / height of the frame.
const LIFT: f64 = 0.22;

/// Axes of a photo.
pub const ACROSS: usize = 0;
pub const DOWN: usize = 1;

/// The height of the background above a photo that is above the centre, as a fraction of the frame's, at least.
const LEAST_STRIP: f64 = 0.1;

/// How far a photo over its background moves at most.
#[derive(Clone, Copy)]
pub struct Extent {
    /// Of a zoom, as a fraction of its smaller size.
    pub growth: f64,
    /// Of a pan, as a fraction of the frame.
    pub drift: f64,
}

/// The sides of a photo and of a frame.
#[derive(Clone, Copy)]
pub struct Sides {
    pub photo: Size,
    pub frame: Size,
}

impl Sides {
    /// The crop around the centre that fills the frame at `zoom`: the longer side is cropped, never stretched.
    pub fn covering(&self, zoom: f64) -> Crop {
        let (across, down) = self.steps();
        self.around_centre(across.min(down) / zoom)
    }

    /// Across and down, in pixels of the photo, of the largest crop that has the shape of the frame. One is exactly that of
    /// the photo.
    pub fn cover(&self) -> [f64; 2] {
        let Self { photo, frame } = self;
        let [photo_width, photo_height] = [photo.width, photo.height].map(f64::from);
        let [width, height] = [frame.width, frame.height].map(f64::from);
        match self.longer_axis() {
            ACROSS => [photo_height * width / height, photo_height],
            _ => [photo_width, photo_width * height / width],
        }
    }

    /// The axis along which the photo exceeds the frame if it fills it; across, if it has the frame's shape.
    pub fn longer_axis(&self) -> usize {
        let Self { photo, frame } = self;
        let across = u64::from(photo.width) * u64::from(frame.height);
        let down = u64::from(photo.height) * u64::from(frame.width);
        if across >= down { ACROSS } else { DOWN }
    }

    /// The crop that fills the frame and has the centre of `crop`, as far as the photo permits.
    pub fn covering_behind(&self, crop: Crop) -> Crop {
        let covering = self.covering(1.0);
        let (x, y) = (crop.x + crop.width / 2.0, crop.y + crop.height / 2.0);
        Crop {
            x: origin_around(x, covering.width, f64::from(self.photo.width)),
            y: origin_around(y, covering.height, f64::from(self.photo.height)),
            ..covering
        }
    }

    /// The share of the photo that the largest crop shows.
    pub fn shown_by_crop(&self) -> f64 {
        let (across, down) = self.steps();
        across.min(down) / across.max(down)
    }

    /// The crop of a view: on the photo, and in the shape of the frame.
    pub fn shown(&self, view: View) -> Crop {
        let [photo_width, photo_height] = [self.photo.width, self.photo.height].map(f64::from);
        let shape = f64::from(self.frame.height) / f64::from(self.frame.width);
        let wanted = (view.width * photo_width).min(photo_width);
        // Of a view that is too high for the photo, its middle.
        let width = wanted.min(photo_height / shape);
        let height = width * shape;
        let left = view.x * photo_width + (wanted - width) / 2.0;
        Crop {
            x: left.clamp(0.0, photo_width - width),
            y: (view.y * photo_height).clamp(0.0, photo_height - height),
            width,
            height,
        }
    }

    /// The first and the last crop of a photo over its background. `kept` is the part of its longer axis, from and to in
    /// pixels, that has to be seen: the smaller it is, the larger is the photo. `None`: all of it.
    pub fn contained(&self, what: Move, kept: Option<(f64, f64)>, extent: Extent) -> (Crop, Crop) {
        let (smallest, large) = self.contained_sizes(kept);
        let small = smallest.max(large / (1.0 + extent.growth));
        let zoomed = |size| self.over_background(size, [0.0; 2], kept);
        let drift = |axis: usize, direction: f64| {
            let moved = |share: f64| {
                let mut off = [0.0; 2];
                off[axis] = direction * share * extent.drift;
                self.over_background((smallest + large) / 2.0, off, kept)
            };
            (moved(-0.5), moved(0.5))
        };
        match what {
            Move::Auto | Move::ZoomIn => (zoomed(small), zoomed(large)),
            Move::ZoomOut => (zoomed(large), zoomed(small)),
            Move::Still => (zoomed(large), zoomed(large)),
            Move::PanLeft => drift(ACROSS, -1.0),
            Move::PanRight => drift(ACROSS, 1.0),
            Move::PanUp => drift(DOWN, -1.0),
            Move::PanDown => drift(DOWN, 1.0),
        }
    }

    /// The smallest and the largest size of such a photo, where all of it just fits the frame at 1.
    fn contained_sizes(&self, kept: Option<(f64, f64)>) -> (f64, f64) {
        let Some(kept) = kept else {
            return WHOLE;
        };
        let (small, large) = PART;
        match self.enlargement(kept) {
            // Its edges would be near those of the frame: it ends with them.
            size if small * size < 1.0 => PART,
            size => (small * size, large * size),
        }
    }

    /// How much larger than the whole photo a part of it fits the frame, and still has a background.
    fn enlargement(&self, (from, to): (f64, f64)) -> f64 {
        let length = [self.photo.width, self.photo.height][self.longer_axis()];
        (f64::from(length) / (to - from)).min(MOST_COVERED / self.shown_by_crop())
    }

    /// The crop around the photo at a multiple of the size that just fits, `off` its place by fractions of the frame, but
    /// without an edge of the photo that would cross one of the frame. What is kept is as near to the middle as the photo
    /// permits.
    fn over_background(&self, size: f64, off: [f64; 2], kept: Option<(f64, f64)>) -> Crop {
        let (across, down) = self.steps();
        let step = across.max(down) / size;
        let photo = [self.photo.width, self.photo.height].map(f64::from);
        let crop = [self.frame.width, self.frame.height].map(|side| f64::from(side) * step);
        let mut middle = photo.map(|side| side / 2.0);
        if let Some((from, to)) = kept {
            middle[self.longer_axis()] = (from + to) / 2.0;
        }
        let off = [off[ACROSS], off[DOWN] + self.lift(size)];
        let [x, y] = [ACROSS, DOWN].map(|axis| {
            let room = photo[axis] - crop[axis];
            let place = origin_around(middle[axis], crop[axis], photo[axis]);
            (place + off[axis] * crop[axis]).clamp(room.min(0.0), room.max(0.0))
        });
        Crop {
            x,
            y,
            width: crop[ACROSS],
            height: crop[DOWN],
        }
    }

    /// How far above the centre of the frame a photo of a size is, as a fraction of its height.
    fn lift(&self, size: f64) -> f64 {
        if self.longer_axis() == DOWN {
            return 0.0;
        }
        let aspect = f64::from(self.frame.width) / f64::from(self.frame.height);
        // Narrow strips above and below the photo are alike.
        let room = (1.0 - size * self.shown_by_crop()) / 2.0 - LEAST_STRIP;
        (LIFT * (1.0 - aspect).max(0.0)).min(room.max(0.0))
    }

    /// Photo pixels per frame pixel if the photo had the width of the frame, and if it had its height.
    fn steps(&self) -> (f64, f64) {
        (
            f64::from(self.photo.width) / f64::from(self.frame.width),
            f64::from(self.photo.height) / f64::from(self.frame.height),
        )
    }

    fn around_centre(&self, step: f64) -> Crop {
        let width = f64::from(self.frame.width) * step;
        let height = f64::from(self.frame.height) * step;
        Crop {
            x: (f64::from(self.photo.width) - width) / 2.0,
            y: (f64::from(self.photo.height) - height) / 2.0,
            width,
            height,
        }
    }
}

/// Where a side begins that has its middle at `middle`, or as near to it as the photo permits; one that is longer than
/// the photo, at the photo's. All in pixels.
fn origin_around(middle: f64, side: f64, photo: f64) -> f64 {
    let most = photo - side;
    if most > 0.0 {
        (middle - side / 2.0).clamp(0.0, most)
    } else {
        most / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    const FULL_HD: Size = size(1920, 1080);

    #[test]
    fn a_panorama_loses_its_sides_and_a_square_its_top_and_bottom() {
        let covering = |photo, zoom| {
            let frame = FULL_HD;
            let crop = Sides { photo, frame }.covering(zoom);
            (crop.x, crop.y, crop.width, crop.height)
        };
        let panorama = covering(size(6000, 1080), 1.0);
        assert_eq!(panorama, (2040.0, 0.0, 1920.0, 1080.0));
        let square = covering(size(3840, 3840), 2.0);
        assert_eq!(square, (960.0, 1380.0, 1920.0, 1080.0));
    }

    #[test]
    fn views_get_the_shape_of_the_frame_and_stay_on_the_photo() {
        let sides = Sides {
            photo: size(3000, 2000),
            frame: FULL_HD,
        };
        let shown = |x, y, width| {
            let crop = sides.shown(View { x, y, width });
            (crop.x, crop.y, crop.width, crop.height)
        };
        assert_eq!(shown(0.1, 0.2, 0.64), (300.0, 400.0, 1920.0, 1080.0));
        assert_eq!(shown(0.0, 0.9, 0.64), (0.0, 920.0, 1920.0, 1080.0));
        let portrait = Sides {
            frame: size(1080, 1920),
            ..sides
        };
        // Higher than the photo: its middle.
        // A width of 1, with the rounding that `View::is_on_photo` lets pass.
        let crop = portrait.shown(View {
            x: 0.0,
            y: 0.0,
            width: 1.0 + 1e-10,
        });
        assert_eq!((crop.x, crop.width, crop.height), (937.5, 1125.0, 2000.0));
    }
}
