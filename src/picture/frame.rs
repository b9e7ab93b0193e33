//! The three planes of a 4:2:0 frame.

use crate::spec::Size;

/// One of the three planes of a 4:2:0 picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    Y,
    Cb,
    Cr,
}

impl Component {
    /// Luma samples to one of this component's, on either axis.
    pub fn subsampling(self) -> usize {
        match self {
            Component::Y => 1,
            Component::Cb | Component::Cr => 2,
        }
    }

    /// The component's own size in a frame.
    pub fn size(self, frame: Size) -> (usize, usize) {
        let (width, height) = (frame.width as usize, frame.height as usize);
        (width / self.subsampling(), height / self.subsampling())
    }
}

/// Takes a frame apart into Y, Cb and Cr.
pub fn planes(frame: &mut [u8], size: Size) -> [&mut [u8]; 3] {
    let (width, height) = Component::Y.size(size);
    let (y, chroma) = frame.split_at_mut(width * height);
    let (cb, cr) = chroma.split_at_mut(width * height / 4);
    [y, cb, cr]
}
