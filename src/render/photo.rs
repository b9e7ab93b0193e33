//! A decoded photo, which several videos may show.

use crate::picture::Picture;
use crate::subject::Subject;

/// A decoded photo, and what has to be seen of it.
pub struct Photo {
    pub picture: Picture,
    /// Found if a video [needs](super::Composition::needs_subject) it.
    pub subject: Subject,
}
