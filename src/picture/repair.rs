//! Headers that `image` refuses and other programs read, rewritten as it expects them.

use super::Format;
use image::metadata::Orientation;
use std::borrow::Cow;

/// The file to decode, and how its rows are to be turned after it.
pub(super) fn repaired(format: Format, bytes: &[u8]) -> (Cow<'_, [u8]>, Orientation) {
    let repaired = match format {
        Format::Bmp => bmp(bytes),
        Format::Gif => gif(bytes).map(|file| (file, Orientation::NoTransforms)),
        _ => None,
    };
    match repaired {
        Some((file, orientation)) => (Cow::Owned(file), orientation),
        None => (Cow::Borrowed(bytes), Orientation::NoTransforms),
    }
}

/// A GIF without a palette for all frames gets one of grays. A frame without a palette of its own needs it.
fn gif(bytes: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 13;
    const FLAGS: usize = 10;
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    if header[FLAGS] & 0x80 != 0 {
        return None;
    }
    let grays = (0..=255).flat_map(|level| [level; 3]);
    let mut file: Vec<u8> = header.iter().copied().chain(grays).collect();
    // A palette of 2^(7 + 1) colours.
    file[FLAGS] |= 0x87;
    file.extend_from_slice(rest);
    Some(file)
}

/// Offsets of the fields of a BMP.
mod field {
    pub const PIXELS: usize = 10;
    pub const HEADER: usize = 14;
    pub const HEIGHT: usize = 22;
    pub const PLANES: usize = 26;
    pub const COMPRESSION: usize = 30;
}

/// Windows' header, which OS/2 2.x either cuts after its first 16 bytes or continues up to 64.
const INFO_HEADER: usize = 40;
const OS2_HEADERS: [usize; 2] = [16, 64];
/// The codes that Windows and OS/2 share: none, and two of run lengths.
const MAX_COMPRESSION: u32 = 2;

fn bmp(bytes: &[u8]) -> Option<(Vec<u8>, Orientation)> {
    let length = u32_at(bytes, field::HEADER)? as usize;
    let is_os2 = OS2_HEADERS.contains(&length);
    // The header of OS/2 1.x has other fields.
    if length < INFO_HEADER && !is_os2 {
        return None;
    }
    let mut file = if is_os2 {
        with_info_header(bytes, length)?
    } else {
        bytes.to_vec()
    };
    let compression = u32_at(&file, field::COMPRESSION)?;
    if is_os2 && compression > MAX_COMPRESSION {
        return None;
    }
    // Always 1, and of no use.
    file[field::PLANES..field::PLANES + 2].copy_from_slice(&[1, 0]);
    // Rows of run lengths run upwards, but not in all files.
    let height = u32_at(&file, field::HEIGHT)?;
    let orientation = if matches!(compression, 1 | 2) && height > i32::MAX as u32 {
        set(&mut file, field::HEIGHT, height.wrapping_neg());
        Orientation::FlipVertical
    } else {
        Orientation::NoTransforms
    };
    (file != bytes).then_some((file, orientation))
}

fn with_info_header(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    let rest = bytes.get(field::HEADER + length..)?;
    let known = length.min(INFO_HEADER);
    let mut file = bytes[..field::HEADER + known].to_vec();
    file.resize(field::HEADER + INFO_HEADER, 0);
    file.extend_from_slice(rest);
    set(&mut file, field::HEADER, INFO_HEADER as u32);
    let pixels = u32_at(bytes, field::PIXELS)?
        .checked_add(INFO_HEADER as u32)?
        .checked_sub(length as u32)?;
    set(&mut file, field::PIXELS, pixels);
    Some(file)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn set(file: &mut [u8], at: usize, value: u32) {
    file[at..at + 4].copy_from_slice(&value.to_le_bytes());
}
