//! What the container says of its picture.

use image::metadata::Orientation;
use zenavif_parse::{AvifParser, CleanAperture, ColorInformation};

use crate::picture::raster::Area;

/// EXIF does not count: the container says how the picture is to be turned (ISO/IEC 23000-22, 7.3.6.7).
pub fn orientation(parser: &AvifParser) -> Orientation {
    let angle = parser.rotation().map_or(0, |rotation| rotation.angle);
    let axis = parser.mirror().map(|mirror| mirror.axis);
    // Turned to the left by the angle first, then mirrored: top to bottom by axis 0, left to right by axis 1.
    match (angle, axis) {
        (90, None) => Orientation::Rotate270,
        (90, Some(0)) => Orientation::Rotate90FlipH,
        (90, Some(_)) => Orientation::Rotate270FlipH,
        (180, None) => Orientation::Rotate180,
        (180, Some(0)) => Orientation::FlipHorizontal,
        (180, Some(_)) => Orientation::FlipVertical,
        (270, None) => Orientation::Rotate90,
        (270, Some(0)) => Orientation::Rotate270FlipH,
        (270, Some(_)) => Orientation::Rotate90FlipH,
        (_, None) => Orientation::NoTransforms,
        (_, Some(0)) => Orientation::FlipVertical,
        (_, Some(_)) => Orientation::FlipHorizontal,
    }
}

/// The part that is to be shown, of a picture of these sides (ISO/IEC 14496-12, 12.1.4). `None`: all of it, or
/// a part that is not in whole pixels or not within the picture.
pub fn aperture(parser: &AvifParser, width: usize, height: usize) -> Option<Area> {
    let CleanAperture {
        width_n,
        width_d,
        height_n,
        height_d,
        horiz_off_n,
        horiz_off_d,
        vert_off_n,
        vert_off_d,
    } = *parser.clean_aperture()?;
    let (left, width) = span(width, (width_n, width_d), (horiz_off_n, horiz_off_d))?;
    let (top, height) = span(height, (height_n, height_d), (vert_off_n, vert_off_d))?;
    Some(Area {
        left,
        top,
        width,
        height,
    })
}

/// The start and the length of a part whose centre is `offset` away from the centre of the whole.
fn span(whole: usize, length: (u32, u32), offset: (i32, u32)) -> Option<(usize, usize)> {
    let length = quotient(length.0.into(), length.1.into())?;
    let whole = i128::try_from(whole).ok()?;
    let (n, d) = (i128::from(offset.0), i128::from(offset.1));
    let start = quotient((whole - length) * d + 2 * n, 2 * d)?;
    let fits = length > 0 && start >= 0 && start + length <= whole;
    fits.then_some((usize::try_from(start).ok()?, usize::try_from(length).ok()?))
}

/// `None` if it is not whole.
fn quotient(n: i128, d: i128) -> Option<i128> {
    (d != 0 && n % d == 0).then(|| n / d)
}

/// The ICC profile. The parser tells one of the two colour boxes that there may be: the first.
pub fn profile<'a>(bytes: &'a [u8], parser: &'a AvifParser) -> Option<&'a [u8]> {
    match parser.color_info()? {
        ColorInformation::IccProfile(profile) => Some(profile),
        ColorInformation::Nclx { .. } => {
            let meta = boxes(bytes).find(|(kind, _)| *kind == b"meta")?.1;
            // Version and flags come first.
            let properties = child(child(meta.get(4..)?, b"iprp")?, b"ipco")?;
            boxes(properties).find_map(|(kind, content)| match content.split_first_chunk()? {
                (b"prof" | b"rICC", profile) if kind == b"colr" => Some(profile),
                _ => None,
            })
        }
    }
}

fn child<'a>(content: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(content)
        .find(|(found, _)| *found == kind)
        .map(|(_, content)| content)
}

/// The boxes one after the other, up to the first that does not fit (ISO/IEC 14496-12, 4.2).
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (size, rest) = bytes.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let (length, rest) = match u32::from_be_bytes(*size) {
            0 => (rest.len(), rest),
            1 => {
                let (size, rest) = rest.split_first_chunk()?;
                let size = u64::from_be_bytes(*size).checked_sub(16)?;
                (usize::try_from(size).ok()?, rest)
            }
            size => (usize::try_from(size.checked_sub(8)?).ok()?, rest),
        };
        let (content, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        Some((kind, content))
    })
}
