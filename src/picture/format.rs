//! Which format the bytes are in, told by the bytes alone.

use super::PictureError;
use std::fmt;

/// The formats that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    WebP,
    Gif,
    Bmp,
    Tiff,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
            Format::WebP => "WebP picture",
            Format::Gif => "GIF",
            Format::Bmp => "BMP",
            Format::Tiff => "TIFF",
        })
    }
}

/// Signatures at byte 0, of what is decoded.
const PICTURES: [(&[u8], Format); 6] = [
    (b"\xff\xd8\xff", Format::Jpeg),
    (b"\x89PNG\r\n\x1a\n", Format::Png),
    (b"GIF87a", Format::Gif),
    (b"GIF89a", Format::Gif),
    (b"MM\0*", Format::Tiff),
    (b"II*\0", Format::Tiff),
];

/// Signatures of pictures that are not decoded: offset, bytes, name with its article.
const OTHER_PICTURES: [(usize, &[u8], &str); 13] = [
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftypavis", "an AVIF picture"),
    (4, b"ftypheic", "a HEIC picture"),
    (4, b"ftypheix", "a HEIC picture"),
    (4, b"ftypmif1", "a HEIF picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (4, b"JXL \r\n", "a JPEG XL picture"),
    (4, b"jP  \r\n", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"\0\0\x01\0", "an icon (ICO)"),
    (0, b"II+\0", "a BigTIFF"),
    (0, b"MM\0+", "a BigTIFF"),
];

/// Signatures of what is no picture at all: offset, bytes, name with its article.
const NO_PICTURES: [(usize, &[u8], &str); 13] = [
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"ID3", "an MP3 file"),
    (0, b"\xff\xfb", "an MP3 file"),
    (0, b"\xff\xf3", "an MP3 file"),
    (0, b"OggS", "an Ogg file"),
    (0, b"fLaC", "a FLAC file"),
    (8, b"WAVE", "a WAV file"),
    (8, b"AVI ", "an AVI video"),
    (4, b"ftyp", "an MP4 or QuickTime video"),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM video"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
];

impl Format {
    /// Tells the format by the first bytes.
    ///
    /// # Errors
    /// Says what the bytes look like when they are none of the formats.
    pub(super) fn sniff(bytes: &[u8]) -> Result<Format, PictureError> {
        if bytes.is_empty() {
            return Err(PictureError::Empty);
        }
        if bytes.starts_with(b"RIFF") && has(bytes, 8, b"WEBP") {
            return Ok(Format::WebP);
        }
        // Two letters begin many a text; the length of the header that follows is below 256 in 32 bits.
        if bytes.starts_with(b"BM") && bytes.get(15..18).is_none_or(|length| length == [0; 3]) {
            return Ok(Format::Bmp);
        }
        if let Some((_, format)) = PICTURES.iter().find(|(sign, _)| bytes.starts_with(sign)) {
            return Ok(*format);
        }
        if let Some(name) = named(bytes, &OTHER_PICTURES) {
            return Err(PictureError::OtherFormat(name));
        }
        Err(match named(bytes, &NO_PICTURES).or_else(|| text(bytes)) {
            Some(name) => PictureError::LooksLike(name),
            None => cut_signature(bytes).map_or(PictureError::Unknown, PictureError::Truncated),
        })
    }
}

fn has(bytes: &[u8], offset: usize, sign: &[u8]) -> bool {
    bytes
        .get(offset..)
        .is_some_and(|tail| tail.starts_with(sign))
}

fn named(bytes: &[u8], signs: &[(usize, &[u8], &'static str)]) -> Option<&'static str> {
    let sign = signs
        .iter()
        .find(|(offset, sign, _)| has(bytes, *offset, sign));
    sign.map(|(_, _, name)| *name)
}

/// A file so short that not even its signature is whole.
fn cut_signature(bytes: &[u8]) -> Option<Format> {
    let sign = PICTURES
        .iter()
        .find(|(sign, _)| bytes.len() >= 2 && sign.starts_with(bytes));
    sign.map(|(_, format)| *format)
}

/// What kind of text it is, judged by its first KiB; `None` when it is not text.
fn text(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(1024)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if head
        .iter()
        .any(|&b| b < 0x20 && !b.is_ascii_whitespace() && b != 0x1b)
    {
        return None;
    }
    // A cut inside the last character is no reason to call it binary.
    if std::str::from_utf8(head).is_err_and(|e| e.error_len().is_some()) {
        return None;
    }
    let lower = head.to_ascii_lowercase();
    let start = lower.trim_ascii_start();
    let mentions = |word: &[u8]| lower.windows(word.len()).any(|w| w == word);
    Some(
        if start.starts_with(b"<!doctype html") || mentions(b"<html") || mentions(b"<body") {
            "an HTML page"
        } else if mentions(b"<svg") {
            "an SVG drawing"
        } else if start.starts_with(b"<") {
            "an XML or HTML document"
        } else if start.starts_with(b"{") || start.starts_with(b"[") {
            "JSON"
        } else {
            "text"
        },
    )
}
