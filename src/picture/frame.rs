//! The planes of a 4:2:0 frame: Y, Cb and Cr, one after the other.

use crate::spec::Size;

/// One of the three planes of a 4:2:0 picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    Y,
    Cb,
    Cr,
}

impl Component {
    /// Luma samples per sample of this component, along either axis.
    pub fn subsampling(self) -> usize {
        match self {
            Component::Y => 1,
            Component::Cb | Component::Cr => 2,
        }
    }

    /// Width and height of the component's plane in a frame, in samples.
    pub fn size(self, frame: Size) -> (usize, usize) {
        let (width, height) = (frame.width as usize, frame.height as usize);
        (width / self.subsampling(), height / self.subsampling())
    }
}

/// The Y, Cb and Cr planes of a frame of `size`, whose sides are even.
///
/// # Panics
/// If the frame is not of this size.
pub fn planes(frame: &[u8], size: Size) -> [&[u8]; 3] {
    let (luma, chroma) = lengths(frame, size);
    let (y, rest) = frame.split_at(luma);
    let (cb, cr) = rest.split_at(chroma);
    [y, cb, cr]
}

/// [`planes`] to be written to.
///
/// # Panics
/// If the frame is not of this size.
pub fn planes_mut(frame: &mut [u8], size: Size) -> [&mut [u8]; 3] {
    let (luma, chroma) = lengths(frame, size);
    let (y, rest) = frame.split_at_mut(luma);
    let (cb, cr) = rest.split_at_mut(chroma);
    [y, cb, cr]
}

/// Samples of luma, and of each chroma plane.
fn lengths(frame: &[u8], size: Size) -> (usize, usize) {
    assert_eq!(frame.len(), size.frame_bytes(), "the frame's size");
    let length = |component: Component| {
        let (width, height) = component.size(size);
        width * height
    };
    (length(Component::Y), length(Component::Cb))
}
