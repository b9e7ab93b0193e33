//! The three planes of a 4:2:0 frame.

use crate::video::Size;

/// One of the three planes of a 4:2:0 picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    Y,
    Cb,
    Cr,
}

impl Channel {
    /// Luma samples to one of this channel's, on either axis.
    pub fn subsampling(self) -> usize {
        match self {
            Channel::Y => 1,
            Channel::Cb | Channel::Cr => 2,
        }
    }

    /// The channel's own size in a frame.
    pub fn size(self, frame: Size) -> (usize, usize) {
        let (width, height) = (frame.width as usize, frame.height as usize);
        (width / self.subsampling(), height / self.subsampling())
    }
}

/// Bytes of one frame in planar 4:2:0. Width and height are even.
pub fn frame_bytes(size: Size) -> usize {
    size.width as usize * size.height as usize * 3 / 2
}

/// Takes a frame apart into Y, Cb and Cr.
pub fn planes(frame: &mut [u8], size: Size) -> [&mut [u8]; 3] {
    let (width, height) = Channel::Y.size(size);
    let (y, chroma) = frame.split_at_mut(width * height);
    let (cb, cr) = chroma.split_at_mut(width * height / 4);
    [y, cb, cr]
}
