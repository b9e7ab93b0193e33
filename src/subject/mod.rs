//! What has to be seen of a photo: its faces, and the point that draws the eye. Pure, and the same for the same
//! planes.
//!
//! ```text
//! reduced ─ planes → a small RGB picture
//! faces ─ a neural network → boxes
//! saliency ─ colour and sharpness against their surroundings → a point, for photos without faces
//! ```

mod faces;
mod reduced;
mod saliency;

pub use faces::Face;

use crate::picture::Picture;
use crate::spec::Point;
use faces::FaceFinder;
use reduced::Reduced;

/// Pixels of the picture in which faces are looked for. Of 276 faces in 57 photos all were found at 480 × 360, and
/// most of the small ones were not at 320 × 240.
const FACES_PIXELS: usize = 480 * 360;

/// Pixels of the picture in which the salient point is looked for.
const SALIENCY_PIXELS: usize = 160 * 120;

/// More faces than this, all of them smaller than this part of the photo, are a crowd: background.
const MOST_FACES: usize = 12;
const SMALL_FACE: f64 = 0.002;

/// What has to be seen of a photo, in fractions of its width and height.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The largest first, without those of a crowd. Heads of cats and dogs may be among them.
    pub faces: Vec<Face>,
    /// The centre of the largest face, or else of what stands out.
    pub point: Point,
}

/// Of a photo that nobody has looked at.
impl Default for Subject {
    fn default() -> Self {
        Self {
            faces: Vec::new(),
            point: Point::CENTRE,
        }
    }
}

/// Looks at photos. Keeps some megabytes, so that the next photo does not ask for them again.
#[derive(Default)]
pub struct Finder {
    faces: FaceFinder,
}

impl Finder {
    pub fn find(&mut self, picture: &Picture) -> Subject {
        let small = Reduced::new(picture, FACES_PIXELS);
        let mut faces = self.faces.find(&small);
        if is_crowd(&faces) {
            faces.clear();
        }
        let point = match faces.first() {
            Some(largest) => largest.centre(),
            None => saliency::find(&small.reduced_to(SALIENCY_PIXELS), &small),
        };
        Subject { faces, point }
    }
}

/// Of faces, the largest first.
fn is_crowd(faces: &[Face]) -> bool {
    faces.len() > MOST_FACES && faces[0].area() < SMALL_FACE
}
