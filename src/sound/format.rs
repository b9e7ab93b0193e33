//! Which format the bytes are in, told by the bytes alone, and where the sound begins.

use super::SoundError;
use super::mpeg::{self, Frames};
use std::fmt;

/// The formats that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Mp3,
    Aac,
    Mp4,
    Ogg,
    Flac,
    Wav,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Mp3 => "MP3",
            Format::Aac => "AAC",
            Format::Mp4 => "MP4",
            Format::Ogg => "Ogg",
            Format::Flac => "FLAC",
            Format::Wav => "WAV",
        })
    }
}

/// Signatures of sound that is not decoded: offset, bytes, name with its article.
const OTHER_SOUND: [(usize, &[u8], &str); 19] = [
    (28, b"OpusHead", "Opus"),
    (28, b"Speex   ", "Speex"),
    (0, b"FORM", "an AIFF file"),
    (0, b"RF64", "an RF64 file"),
    (0, b"BW64", "an RF64 file"),
    (0, b"riff\x2e\x91\xcf\x11", "a Wave64 file"),
    (0, b"caff", "a Core Audio file"),
    (0, b"#!AMR", "an AMR file"),
    (0, b"MThd", "a MIDI file"),
    (0, b".snd", "an AU file"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"wvpk", "WavPack"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"TTA1", "True Audio"),
    (0, b"\x0b\x77", "AC-3"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (
        0,
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        "a Windows Media file",
    ),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM file"),
];

/// Signatures of what is no sound at all: offset, bytes, name with its article.
const NO_SOUND: [(usize, &[u8], &str); 25] = [
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (0, b"GIF87a", "a GIF picture"),
    (0, b"GIF89a", "a GIF picture"),
    (8, b"WEBP", "a WebP picture"),
    (0, b"MM\0*", "a TIFF picture"),
    (0, b"II*\0", "a TIFF picture"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftyphei", "a HEIC picture"),
    (4, b"ftypmif1", "a HEIF picture"),
    (8, b"AVI ", "an AVI video"),
    (0, b"FLV\x01", "a Flash video"),
    (0, b"\0\0\x01\xba", "an MPEG video"),
    (0, b"\0\0\x01\xb3", "an MPEG video"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"MZ\x90\0", "a program"),
    (0, b"\x7fELF", "a program"),
    (0, b"wOFF", "a font"),
    (0, b"wOF2", "a font"),
    (0, b"SQLite format 3\0", "a database"),
];

impl Format {
    /// Tells the format, and gives the bytes from where it begins: tags before it are of no use here, and the pictures in
    /// them may be large.
    ///
    /// # Errors
    /// Says what the bytes look like when they are none of the formats.
    pub(super) fn sniff(bytes: &[u8]) -> Result<(Format, &[u8]), SoundError> {
        if bytes.is_empty() {
            return Err(SoundError::Empty);
        }
        let tagged = bytes.starts_with(b"ID3");
        // A tag that claims more than the file has may still be followed by frames.
        let bytes = after_tags(bytes).unwrap_or(bytes);
        if let Some(name) = named(bytes, &NO_SOUND) {
            return Err(SoundError::LooksLike(name));
        }
        if let Some(name) = named(bytes, &OTHER_SOUND) {
            return Err(SoundError::OtherFormat(name));
        }
        if let Some(format) = signed(bytes) {
            return Ok((format, bytes));
        }
        if let Some(name) = text(bytes).filter(|_| !tagged) {
            return Err(SoundError::LooksLike(name));
        }
        match mpeg::find(bytes) {
            Some((Frames::Mp3, at)) => Ok((Format::Mp3, &bytes[at..])),
            Some((Frames::Adts, at)) => Ok((Format::Aac, &bytes[at..])),
            Some((Frames::Mp2, _)) => Err(SoundError::OtherFormat("MPEG layer II sound")),
            None if tagged => Err(SoundError::Damaged(Format::Mp3)),
            None if transport_stream(bytes) => {
                Err(SoundError::OtherFormat("an MPEG transport stream"))
            }
            None => Err(SoundError::Unknown),
        }
    }
}

/// The format that a signature tells.
fn signed(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(b"fLaC") {
        Some(Format::Flac)
    } else if bytes.starts_with(b"OggS") {
        Some(Format::Ogg)
    } else if bytes.starts_with(b"RIFF") && has(bytes, 8, b"WAVE") {
        Some(Format::Wav)
    } else if has(bytes, 4, b"ftyp") {
        Some(Format::Mp4)
    } else {
        None
    }
}

/// What follows the ID3v2 tags; more than one happens. `None` when a tag is longer than the file.
fn after_tags(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    while let [b'I', b'D', b'3', _, _, flags, a, b, c, d, ..] = *rest {
        // Seven bits a byte, so that no sync word appears.
        let size = [a, b, c, d]
            .iter()
            .fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        rest = rest.get(10 + size + footer..)?;
    }
    Some(rest)
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

/// Packets of 188 bytes, each with the same first byte.
fn transport_stream(bytes: &[u8]) -> bool {
    (0..4).all(|packet| bytes.get(packet * 188) == Some(&0x47))
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
    let playlist = start.starts_with(b"#extm3u")
        || start.starts_with(b"[playlist]")
        || start.starts_with(b"<asx")
        || mentions(b"<playlist")
        || only_addresses(start);
    Some(if playlist {
        "a playlist"
    } else if start.starts_with(b"<!doctype html") || mentions(b"<html") || mentions(b"<body") {
        "a web page"
    } else if mentions(b"<svg") {
        "an SVG drawing"
    } else if start.starts_with(b"<") {
        "an XML or HTML document"
    } else if start.starts_with(b"{") || start.starts_with(b"[") {
        "JSON"
    } else {
        "a text"
    })
}

/// A plain M3U: a line for each piece, and nothing else but comments.
fn only_addresses(text: &[u8]) -> bool {
    let mut lines = text
        .split(|&b| b == b'\n' || b == b'\r')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .peekable();
    lines.peek().is_some()
        && lines.all(|line| line.starts_with(b"http://") || line.starts_with(b"https://"))
}
