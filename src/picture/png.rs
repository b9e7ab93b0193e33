//! The chunks of a PNG file that `image` does not tell of (W3C, Portable Network Graphics, third edition).

use super::colour::Model;
use super::icc::{Chromaticities, Transform};

/// The length and the type of a chunk, before its data.
const HEAD: usize = 8;
/// After its data.
const CHECKSUM: usize = 4;

/// The size in IHDR, known before the decoder allocates its first row.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    Some((side(16)?, side(20)?))
}

/// Whether the chunks reach IEND.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    chunks(bytes).any(|(kind, _)| kind == b"IEND")
}

/// Prepares the conversion to sRGB, by the chunk that counts before the others (section 4.3). `profile` is the content
/// of iCCP.
pub(super) fn transform(bytes: &[u8], profile: Option<&[u8]>, model: Model) -> Option<Transform> {
    let chunk = |wanted: &[u8; 4]| {
        let mut head = chunks(bytes).take_while(|(kind, _)| *kind != b"IDAT");
        head.find(|(kind, _)| *kind == wanted).map(|(_, data)| data)
    };
    // RGB, over the full range.
    if let Some(&[primaries, transfer, 0, 1]) = chunk(b"cICP") {
        return Transform::cicp(primaries.into(), transfer.into(), model);
    }
    if let Some(profile) = profile {
        return Transform::new(profile, model);
    }
    if chunk(b"sRGB").is_some() {
        return None;
    }
    let gamma = chunk(b"gAMA").and_then(|data| fractions(data).next());
    Transform::calibrated(gamma, chunk(b"cHRM").and_then(chromaticities), model)
}

fn chromaticities(data: &[u8]) -> Option<Chromaticities> {
    let mut fractions = fractions(data);
    let mut next = || Some([fractions.next()?, fractions.next()?]);
    Some(Chromaticities {
        white: next()?,
        red: next()?,
        green: next()?,
        blue: next()?,
    })
}

/// Numbers that are stored as multiples of 1/100,000.
fn fractions(data: &[u8]) -> impl Iterator<Item = f32> {
    let numbers = data.as_chunks().0.iter();
    numbers.map(|&number| u32::from_be_bytes(number) as f32 / 100_000.0)
}

/// The type and the data of each chunk, up to the first that is cut.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    const SIGNATURE: usize = 8;
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
        let kind = rest.get(4..)?.first_chunk()?;
        let end = length.checked_add(HEAD)?;
        let data = rest.get(HEAD..end)?;
        rest = rest.get(end.checked_add(CHECKSUM)?..)?;
        Some((kind, data))
    })
}
