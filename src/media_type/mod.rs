//! Identification of files by their bytes alone. One list of signatures serves pictures and sound.
//!
//! The list is our own: the crate `infer` 0.22 lacks a third of it, takes any text that begins with "BM" for a picture,
//! and has no playlists, no sound after ID3 tags, no truncated signatures and no names for messages.

mod heif;
mod mpeg;
mod text;

use std::fmt;

/// Picture formats with a decoder in `picture`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureFormat {
    Jpeg,
    Png,
    WebP,
    Gif,
    Bmp,
    Tiff,
    Avif,
}

impl PictureFormat {
    /// Before its name, in messages.
    pub fn article(self) -> &'static str {
        match self {
            PictureFormat::Avif => "an",
            _ => "a",
        }
    }
}

impl fmt::Display for PictureFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PictureFormat::Jpeg => "JPEG",
            PictureFormat::Png => "PNG",
            PictureFormat::WebP => "WebP picture",
            PictureFormat::Gif => "GIF",
            PictureFormat::Bmp => "BMP",
            PictureFormat::Tiff => "TIFF",
            PictureFormat::Avif => "AVIF picture",
        })
    }
}

/// Sound formats with a decoder in `sound`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoundFormat {
    Mp3,
    Aac,
    Mp4,
    Ogg,
    Flac,
    Wav,
}

impl fmt::Display for SoundFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SoundFormat::Mp3 => "MP3",
            SoundFormat::Aac => "AAC",
            SoundFormat::Mp4 => "MP4",
            SoundFormat::Ogg => "Ogg",
            SoundFormat::Flac => "FLAC",
            SoundFormat::Wav => "WAV",
        })
    }
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType {
    pub kind: Kind,
    /// For messages, with its article: "a PDF document".
    pub name: &'static str,
    /// Offset in bytes of the first byte of sound, after any tags; 0 for everything else.
    pub start: usize,
}

/// What a decoder needs to know about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Picture(PictureFormat),
    /// A picture in a container of HEIF that is no AVIF, such as HEIC.
    Heif,
    /// A picture without a decoder here.
    OtherPicture,
    Sound(SoundFormat),
    /// Sound without a decoder here.
    OtherSound,
    /// An ID3 tag without sound after it.
    Id3,
    Svg,
    /// Markup that may still turn out to be SVG.
    Xml,
    Other,
}

use Kind::{Other, OtherPicture, OtherSound, Picture, Sound};

/// Offset, bytes, and what a file with these bytes there is. The first match counts.
type Signature = (usize, &'static [u8], Kind, &'static str);

const SIGNATURES: &[Signature] = &[
    (
        0,
        b"\xff\xd8\xff",
        Picture(PictureFormat::Jpeg),
        "a JPEG picture",
    ),
    (
        0,
        b"\x89PNG\r\n\x1a\n",
        Picture(PictureFormat::Png),
        "a PNG picture",
    ),
    (0, b"GIF87a", Picture(PictureFormat::Gif), "a GIF picture"),
    (0, b"GIF89a", Picture(PictureFormat::Gif), "a GIF picture"),
    (0, b"MM\0*", Picture(PictureFormat::Tiff), "a TIFF picture"),
    (0, b"II*\0", Picture(PictureFormat::Tiff), "a TIFF picture"),
    (0, b"\xff\x0a", OtherPicture, "a JPEG XL picture"),
    (4, b"JXL \r\n", OtherPicture, "a JPEG XL picture"),
    (4, b"jP  \r\n", OtherPicture, "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", OtherPicture, "a JPEG 2000 picture"),
    (0, b"8BPS", OtherPicture, "a Photoshop document"),
    (0, b"\0\0\x01\0", OtherPicture, "an icon (ICO)"),
    (0, b"II+\0", Picture(PictureFormat::Tiff), "a TIFF picture"),
    (0, b"MM\0+", Picture(PictureFormat::Tiff), "a TIFF picture"),
    (28, b"OpusHead", OtherSound, "Opus"),
    (28, b"Speex   ", OtherSound, "Speex"),
    (0, b"OggS", Sound(SoundFormat::Ogg), "an Ogg file"),
    (0, b"fLaC", Sound(SoundFormat::Flac), "a FLAC file"),
    (
        4,
        b"ftyp",
        Sound(SoundFormat::Mp4),
        "an MP4 or QuickTime video",
    ),
    (0, b"FORM", OtherSound, "an AIFF file"),
    (0, b"RF64", OtherSound, "an RF64 file"),
    (0, b"BW64", OtherSound, "an RF64 file"),
    (0, b"riff\x2e\x91\xcf\x11", OtherSound, "a Wave64 file"),
    (0, b"caff", OtherSound, "a Core Audio file"),
    (0, b"#!AMR", OtherSound, "an AMR file"),
    (0, b"MThd", OtherSound, "a MIDI file"),
    (0, b".snd", OtherSound, "an AU file"),
    (0, b"MAC ", OtherSound, "Monkey's Audio"),
    (0, b"wvpk", OtherSound, "WavPack"),
    (0, b"MPCK", OtherSound, "Musepack"),
    (0, b"MP+", OtherSound, "Musepack"),
    (0, b"TTA1", OtherSound, "True Audio"),
    (0, b"\x0b\x77", OtherSound, "AC-3"),
    (0, b"\x7f\xfe\x80\x01", OtherSound, "DTS"),
    (
        0,
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        OtherSound,
        "a Windows Media file",
    ),
    (
        0,
        b"\x1a\x45\xdf\xa3",
        OtherSound,
        "a Matroska or WebM file",
    ),
    (0, b"%PDF", Other, "a PDF document"),
    (0, b"%!PS", Other, "a PostScript document"),
    (0, b"FLV\x01", Other, "a Flash video"),
    (0, b"\0\0\x01\xba", Other, "an MPEG video"),
    (0, b"\0\0\x01\xb3", Other, "an MPEG video"),
    (0, b"PK\x03\x04", Other, "a ZIP archive"),
    (0, b"\x1f\x8b", Other, "a gzip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", Other, "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", Other, "a RAR archive"),
    (0, b"MZ\x90\0", Other, "a program"),
    (0, b"\x7fELF", Other, "a program"),
    (0, b"wOFF", Other, "a font"),
    (0, b"wOF2", Other, "a font"),
    (0, b"SQLite format 3\0", Other, "a database"),
];

/// The same for RIFF files, whose form type follows their length.
const RIFF_FORMS: &[Signature] = &[
    (8, b"WEBP", Picture(PictureFormat::WebP), "a WebP picture"),
    (8, b"WAVE", Sound(SoundFormat::Wav), "a WAV file"),
    (8, b"AVI ", Other, "an AVI video"),
];

/// Identifies a file by its first bytes, MPEG audio by a search of the first 256 KiB. `None` for an unknown file.
pub fn sniff(bytes: &[u8]) -> Option<MediaType> {
    if bytes.starts_with(b"ID3") {
        return Some(tagged(bytes));
    }
    by_signature(bytes)
        .or_else(|| text::sniff(bytes))
        .or_else(|| by_frames(bytes))
        .or_else(|| transport_stream(bytes))
}

/// The picture format of a file so short that not even its signature is complete.
pub fn cut_picture(bytes: &[u8]) -> Option<PictureFormat> {
    SIGNATURES
        .iter()
        .find_map(|&(offset, signature, kind, _)| match kind {
            Picture(format) if offset == 0 && bytes.len() >= 2 && signature.starts_with(bytes) => {
                Some(format)
            }
            _ => None,
        })
}

fn found(kind: Kind, name: &'static str) -> MediaType {
    MediaType {
        kind,
        name,
        start: 0,
    }
}

fn by_signature(bytes: &[u8]) -> Option<MediaType> {
    // Text may begin with these letters, too. In a BMP, the upper three bytes of the header length at offset 14 are 0.
    if bytes.starts_with(b"BM") && bytes.get(15..18).is_none_or(|length| length == [0; 3]) {
        return Some(found(Picture(PictureFormat::Bmp), "a BMP picture"));
    }
    // Before the signature of videos, whose container this is.
    if let Some(picture) = heif::sniff(bytes) {
        return Some(picture);
    }
    let signatures = if bytes.starts_with(b"RIFF") {
        RIFF_FORMS
    } else {
        SIGNATURES
    };
    let matches = |(offset, signature, ..): &&Signature| {
        let tail = bytes.get(*offset..);
        tail.is_some_and(|tail| tail.starts_with(signature))
    };
    let &(_, _, kind, name) = signatures.iter().find(matches)?;
    Some(found(kind, name))
}

/// A file that begins with an ID3 tag, which is skipped: it may contain large pictures.
fn tagged(bytes: &[u8]) -> MediaType {
    // A tag that claims more than the file has may still be followed by frames.
    let start = end_of_tags(bytes).unwrap_or(0);
    let rest = &bytes[start..];
    let sound = by_signature(rest)
        .filter(|media_type| matches!(media_type.kind, Sound(_) | OtherSound))
        .or_else(|| by_frames(rest));
    match sound {
        Some(sound) => MediaType {
            start: start + sound.start,
            ..sound
        },
        None => found(Kind::Id3, "an MP3 file"),
    }
}

/// Where the ID3v2 tags end, of which there may be more than one. `None` when a tag is longer than the file.
fn end_of_tags(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let [b'I', b'D', b'3', _, _, flags, a, b, c, d, ..] = *bytes.get(at..)? {
        // Seven bits per byte, so that a tag contains no sync word.
        let size = [a, b, c, d]
            .iter()
            .fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        at += 10 + size + footer;
    }
    Some(at)
}

fn by_frames(bytes: &[u8]) -> Option<MediaType> {
    let (frames, start) = mpeg::find(bytes)?;
    let (kind, name) = match frames {
        mpeg::Frames::Mp3 => (Sound(SoundFormat::Mp3), "an MP3 file"),
        mpeg::Frames::Adts => (Sound(SoundFormat::Aac), "an AAC file"),
        mpeg::Frames::Mp2 => (OtherSound, "MPEG layer II sound"),
    };
    Some(MediaType { kind, name, start })
}

/// Packets of 188 bytes, each with the same first byte.
fn transport_stream(bytes: &[u8]) -> Option<MediaType> {
    (0..4)
        .all(|packet| bytes.get(packet * 188) == Some(&0x47))
        .then(|| found(OtherSound, "an MPEG transport stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Option<Kind> {
        sniff(bytes).map(|media_type| media_type.kind)
    }

    #[test]
    fn every_signature_is_reached() {
        let riff = RIFF_FORMS.iter().map(|row| (&b"RIFF"[..], row));
        let plain = SIGNATURES.iter().map(|row| (&b""[..], row));
        for (start, &(offset, signature, kind, name)) in riff.chain(plain) {
            let mut file = start.to_vec();
            file.resize(offset, b'.');
            file.extend_from_slice(signature);
            file.resize(64, b'.');
            assert_eq!(sniff(&file), Some(found(kind, name)));
        }
    }

    #[test]
    fn text_that_begins_like_a_bitmap_is_text() {
        assert_eq!(kind(b"BMW builds cars, and motorcycles too"), Some(Other));
        assert_eq!(kind(b"BM"), Some(Picture(PictureFormat::Bmp)));
    }

    #[test]
    fn tags_are_skipped() {
        let tag = b"ID3\x04\0\0\0\0\0\x02..";
        let file = [&tag[..], tag, b"fLaC...."].concat();
        let flac = MediaType {
            start: 2 * tag.len(),
            ..found(Sound(SoundFormat::Flac), "a FLAC file")
        };
        assert_eq!(sniff(&file), Some(flac));
        assert_eq!(kind(tag), Some(Kind::Id3));
        // A picture after a tag cannot be decoded.
        assert_eq!(kind(&[tag, &b"\xff\xd8\xff"[..]].concat()), Some(Kind::Id3));
    }

    #[test]
    fn a_cut_signature_still_tells_the_picture() {
        assert_eq!(cut_picture(b"\x89PN"), Some(PictureFormat::Png));
        assert_eq!(cut_picture(b"\x89"), None);
        assert_eq!(cut_picture(b"PN"), None);
    }
}
