//! Pictures in containers of ISO/IEC 23008-12, which AVIF and HEIC share.

use super::{Kind, MediaType, PictureFormat, found};

/// The picture format that the brands of a file name. `None` for a file without one, such as a video.
///
/// The first brand may be general, such as `mif1`: then the others tell.
pub(super) fn sniff(bytes: &[u8]) -> Option<MediaType> {
    if bytes.get(4..8) != Some(b"ftyp") {
        return None;
    }
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    let brands = bytes.get(8..length.clamp(12, 8 + MAX_BRANDS * 4).min(bytes.len()))?;
    let (major, rest) = brands.as_chunks::<4>().0.split_first()?;
    // After the first brand comes its version.
    let others = rest.get(1..).unwrap_or_default();
    kind(major).or_else(|| {
        let general = GENERAL.contains(&major);
        let specific = others.iter().find_map(kind);
        specific
            .filter(|_| general)
            .or_else(|| general.then(|| found(Kind::Heif, "a HEIF picture")))
    })
}

/// A file has a handful.
const MAX_BRANDS: usize = 64;

const GENERAL: [&[u8; 4]; 3] = [b"mif1", b"mif2", b"msf1"];

fn kind(brand: &[u8; 4]) -> Option<MediaType> {
    match brand {
        b"avif" | b"avis" => Some(found(Kind::Picture(PictureFormat::Avif), "an AVIF picture")),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            Some(found(Kind::Heif, "a HEIC picture"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(brands: &[&[u8; 4]]) -> Option<&'static str> {
        let length = (12 + 4 * brands.len()) as u32;
        let mut file = [&length.to_be_bytes(), &b"ftyp"[..], brands[0], &[0; 4]].concat();
        file.extend(brands[1..].iter().flat_map(|brand| brand.iter()));
        file.extend(b"\0\0\0\x08avif");
        sniff(&file).map(|media_type| media_type.name)
    }

    #[test]
    fn brands_tell_the_picture() {
        assert_eq!(name(&[b"avif", b"mif1", b"miaf"]), Some("an AVIF picture"));
        assert_eq!(name(&[b"avis", b"msf1"]), Some("an AVIF picture"));
        assert_eq!(name(&[b"mif1", b"miaf", b"avif"]), Some("an AVIF picture"));
        assert_eq!(name(&[b"heic", b"mif1", b"avif"]), Some("a HEIC picture"));
        assert_eq!(name(&[b"mif1", b"heic"]), Some("a HEIC picture"));
        assert_eq!(name(&[b"msf1", b"hevc"]), Some("a HEIC picture"));
        assert_eq!(name(&[b"mif1", b"jpeg"]), Some("a HEIF picture"));
        // The bytes after the box are no brands.
        assert_eq!(name(&[b"isom", b"avif"]), None);
        assert_eq!(name(&[b"mp42", b"isom"]), None);
    }
}
