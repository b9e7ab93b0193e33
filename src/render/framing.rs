//! Framing: where the crop lies that fills the frame, so that what matters is in it. Pure.

use super::resample::Crop;
use super::sides::{DOWN, Sides};
use crate::spec::{Focus, Point};
use crate::subject::{Face, Subject};

/// Around the box of a face, in its widths and heights: hair, and air above.
const ROOMY: Margins = Margins {
    side: 0.3,
    above: 0.6,
    below: 0.25,
};
/// The least that looks whole.
const TIGHT: Margins = Margins {
    side: 0.1,
    above: 0.2,
    below: 0.08,
};

/// None.
const NONE: Margins = Margins {
    side: 0.0,
    above: 0.0,
    below: 0.0,
};

/// A face with less of the largest one's area is in the background.
const LEAST_AREA: f64 = 0.125;

/// Where the middle of faces is in the crop, hair and air included, from its upper edge, as a fraction of its height.
const FACES_AT: f64 = 0.42;

struct Margins {
    side: f64,
    above: f64,
    below: f64,
}

/// A photo that fills a frame. All lengths are in pixels of the photo; of two values, the first is across and the
/// second down.
pub struct Framing {
    photo: [f64; 2],
    /// Sides of the largest crop that has the shape of the frame.
    cover: [f64; 2],
    /// The axis along which the photo exceeds that crop.
    longer: usize,
    /// What is to be in the middle.
    target: [f64; 2],
    /// Where that middle is in the crop, as a fraction of it.
    middle: [f64; 2],
    /// The part of the crop, from above, that titles leave free, as a fraction of its height.
    clear: f64,
    faces: Option<KeptFaces>,
}

/// The faces that fit the frame together.
struct KeptFaces {
    roomy: Region,
    tight: Region,
    /// Without anything around them.
    boxes: Region,
    /// With those that do not fit.
    all: Region,
    /// Whether no face of the foreground is missing.
    are_all: bool,
}

/// Along either axis, from and to.
type Region = [(f64, f64); 2];

impl Framing {
    /// `covered_below`: the part of the frame, from below, that titles cover, as a fraction of its height.
    pub fn new(sides: &Sides, focus: Focus, subject: &Subject, covered_below: f64) -> Self {
        let photo = [sides.photo.width, sides.photo.height].map(f64::from);
        let cover = sides.cover();
        let clear = 1.0 - covered_below;
        let at = |point: Point| [point.x * photo[0], point.y * photo[1]];
        let faces = match focus {
            Focus::Auto => KeptFaces::choose(&subject.faces, photo, cover),
            Focus::Centre | Focus::At(_) => None,
        };
        let (target, middle) = match (&faces, focus) {
            (Some(faces), _) => (faces.roomy.map(|(from, to)| (from + to) / 2.0), FACES_AT),
            (None, Focus::Auto) => (at(subject.point), clear / 2.0),
            (None, Focus::Centre) => (at(Point::CENTRE), 0.5),
            (None, Focus::At(point)) => (at(point), 0.5),
        };
        Self {
            photo,
            cover,
            longer: sides.longer_axis(),
            target,
            middle: [0.5, middle],
            clear,
            faces,
        }
    }

    /// How much longer the photo is than the crop, as a fraction of the crop.
    pub fn slack(&self) -> [f64; 2] {
        [0, 1].map(|axis| self.photo[axis] / self.cover[axis] - 1.0)
    }

    /// Whether a crop that fills the frame would cut faces off.
    pub fn loses_faces(&self) -> bool {
        self.faces.as_ref().is_some_and(|faces| !faces.are_all)
    }

    /// From where to where there are faces of the foreground along the axis on which the photo exceeds the crop, with air
    /// around them.
    pub fn faces_along_slack(&self) -> Option<(f64, f64)> {
        self.faces.as_ref().map(|faces| faces.all[self.longer])
    }

    /// How far the photo may be enlarged from the crop that just fills the frame until faces leave it, or go below titles
    /// above which they can be: 1 or more.
    pub fn most_zoom(&self) -> f64 {
        let Some(faces) = &self.faces else {
            return f64::INFINITY;
        };
        self.wanted_most_zoom(faces).min(self.cutting_zoom(faces))
    }

    /// The same, but for faces that fill the frame so much that they would be cut by what can be seen of a zoom.
    fn wanted_most_zoom(&self, faces: &KeptFaces) -> f64 {
        let clear = match self.raising_zoom(faces) {
            Some(_) => self.clear,
            // A larger zoom would only move them further below.
            None if self.clear < 1.0 => return NOTICEABLE_ZOOM,
            None => 1.0,
        };
        let least = self.least_zoom();
        let noticeable = NOTICEABLE_ZOOM * least;
        let roomy = self.zoom_to(&faces.roomy, clear);
        if roomy >= noticeable {
            return roomy;
        }
        let until_tight = noticeable.max(self.zoom_to(&faces.roomy, 1.0));
        let tight = self.zoom_to(&faces.tight, clear);
        tight.clamp(LEAST_ZOOM * least, until_tight)
    }

    /// The zoom from which on faces are cut. Infinite if they are in any case.
    fn cutting_zoom(&self, faces: &KeptFaces) -> f64 {
        match self.zoom_to(&faces.boxes, 1.0) {
            zoom if zoom < 1.0 => f64::INFINITY,
            zoom => zoom,
        }
    }

    /// How far the photo has to be enlarged for its faces to be above titles, where that is not far: 1 or more.
    pub fn least_zoom(&self) -> f64 {
        let raised = self
            .faces
            .as_ref()
            .and_then(|faces| self.raising_zoom(faces));
        raised.unwrap_or(1.0)
    }

    /// The same. `None`: it is far, or they do not fit there.
    fn raising_zoom(&self, faces: &KeptFaces) -> Option<f64> {
        let covered = (1.0 - self.clear) * self.cover[DOWN];
        let (_, to) = faces.tight[DOWN];
        // Not a number where nothing is covered, and a face reaches the lower edge.
        let zoom = (covered / (self.photo[DOWN] - to)).max(1.0);
        let most = self.zoom_to(&faces.tight, self.clear);
        (zoom <= most.min(MOST_RAISING_ZOOM)).then_some(zoom)
    }

    /// The zoom at which a region just fits the crop, of whose height it may have the part `clear`.
    fn zoom_to(&self, region: &Region, clear: f64) -> f64 {
        let [across, down] = [0, 1].map(|axis| self.cover[axis] / length(region[axis]));
        across.min(clear * down)
    }

    /// The crop at `zoom` that suits its subject best.
    pub fn best(&self, zoom: f64) -> Crop {
        let [x, y] = [0, 1].map(|axis| self.best_origin(axis, zoom));
        self.crop(zoom, [x, y])
    }

    /// The crop at `zoom` whose edges to the left and above are at `origin`.
    pub fn crop(&self, zoom: f64, [x, y]: [f64; 2]) -> Crop {
        let [width, height] = self.cover.map(|side| side / zoom);
        Crop {
            x,
            y,
            width,
            height,
        }
    }

    /// Where the crop begins along an axis: its subject as near to its place as faces and the photo permit.
    pub fn best_origin(&self, axis: usize, zoom: f64) -> f64 {
        let side = self.cover[axis] / zoom;
        let wanted = self.target[axis] - self.middle[axis] * side;
        let (first, last) = self.origins(axis, zoom);
        wanted.clamp(first, last)
    }

    /// The first and the last place where the crop may begin along an axis: on the photo, with the faces whole, and with
    /// these above titles if they can be.
    pub fn origins(&self, axis: usize, zoom: f64) -> (f64, f64) {
        let side = self.cover[axis] / zoom;
        let most = (self.photo[axis] - side).max(0.0);
        let Some(faces) = &self.faces else {
            return (0.0, most);
        };
        let clear = if axis == DOWN {
            self.clear * side
        } else {
            side
        };
        // At the zoom at which a region just fits, its length may be more by its rounding.
        let fits = |region: &(f64, f64), room: f64| length(*region) <= room * (1.0 + 1e-9);
        let [roomy, tight, boxes] =
            [&faces.roomy, &faces.tight, &faces.boxes].map(|region| region[axis]);
        let around = |(from, to): (f64, f64)| ((to - clear).min(from), from);
        let (first, last) = if fits(&roomy, clear) {
            around(roomy)
        } else if fits(&tight, clear) {
            let (first, last) = around(tight);
            // As much air above as there is room for.
            let last = match axis {
                DOWN => roomy.0.clamp(first, last),
                _ => last,
            };
            (first, last)
        } else if fits(&tight, side) {
            // Below titles in part, and as high as they stay whole.
            (tight.0, tight.0)
        } else if fits(&boxes, side) {
            ((boxes.1 - side).min(boxes.0), boxes.0)
        } else {
            // Larger than the crop: their middle.
            let middle = (tight.0 + tight.1 - side) / 2.0;
            (middle, middle)
        };
        (first.clamp(0.0, most), last.clamp(0.0, most))
    }

    /// Sides of the crop that just fills the frame.
    pub fn cover(&self) -> [f64; 2] {
        self.cover
    }
}

/// Even where faces leave no room for a zoom, it ends at this: what stands still looks like a fault.
const LEAST_ZOOM: f64 = 1.03;

/// A zoom by less is hardly seen.
const NOTICEABLE_ZOOM: f64 = 1.05;

/// How far a photo may be enlarged for the sake of titles.
const MOST_RAISING_ZOOM: f64 = 1.2;

impl KeptFaces {
    /// The largest face, and of the others in the foreground, from the larger to the smaller, those that a crop with
    /// sides of `most` can hold with it. `faces` has the largest first. `None`: there are no faces.
    fn choose(faces: &[Face], photo: [f64; 2], most: [f64; 2]) -> Option<Self> {
        let largest = faces.first()?;
        let foreground = |face: &&Face| face.area() >= LEAST_AREA * largest.area();
        let roomy = region(largest, &ROOMY, photo);
        let mut kept = Self {
            roomy,
            tight: region(largest, &TIGHT, photo),
            boxes: region(largest, &NONE, photo),
            all: roomy,
            are_all: true,
        };
        for face in faces.iter().skip(1).filter(foreground) {
            let roomy = region(face, &ROOMY, photo);
            kept.all = joined(kept.all, roomy);
            let tight = joined(kept.tight, region(face, &TIGHT, photo));
            if (0..2).all(|axis| length(tight[axis]) <= most[axis]) {
                kept.tight = tight;
                kept.boxes = joined(kept.boxes, region(face, &NONE, photo));
                kept.roomy = joined(kept.roomy, roomy);
            } else {
                kept.are_all = false;
            }
        }
        // The largest may be too large by itself.
        kept.are_all &= (0..2).all(|axis| length(kept.tight[axis]) <= most[axis]);
        Some(kept)
    }
}

/// A face and what is around it, as far as it is on the photo.
fn region(face: &Face, margins: &Margins, photo: [f64; 2]) -> Region {
    let (width, height) = (face.right - face.left, face.bottom - face.top);
    let side = margins.side * width;
    let across = (face.left - side, face.right + side);
    let down = (
        face.top - margins.above * height,
        face.bottom + margins.below * height,
    );
    let on_photo = |(from, to): (f64, f64), length: f64| {
        (from.clamp(0.0, 1.0) * length, to.clamp(0.0, 1.0) * length)
    };
    [on_photo(across, photo[0]), on_photo(down, photo[1])]
}

fn joined(a: Region, b: Region) -> Region {
    [0, 1].map(|axis| (a[axis].0.min(b[axis].0), a[axis].1.max(b[axis].1)))
}

fn length((from, to): (f64, f64)) -> f64 {
    to - from
}
