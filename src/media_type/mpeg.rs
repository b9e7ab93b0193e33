//! MPEG audio frames. They have no signature, only a sync word that occurs in other files too.

/// The kind of frames, given by their layer bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frames {
    /// MPEG-1, 2 or 2.5, layer III.
    Mp3,
    /// Layer II.
    Mp2,
    /// AAC with ADTS headers.
    Adts,
}

/// Bytes that are searched for the first frame: players find it after a damaged tag, or in a stream that was cut
/// anywhere.
const SEARCH: usize = 256 << 10;

/// Frames in a row that tell a stream from a chance sync word.
const CHAIN: usize = 3;

/// The kind of the frames, and the offset of the first.
pub(super) fn find(bytes: &[u8]) -> Option<(Frames, usize)> {
    (0..bytes.len().min(SEARCH)).find_map(|at| {
        let first = Header::read(bytes.get(at..)?)?;
        chained(bytes, at, first).then_some((first.frames, at))
    })
}

/// Whether frames of the same kind follow the first. Fewer than [`CHAIN`] suffice when they make up the whole file.
fn chained(bytes: &[u8], start: usize, first: Header) -> bool {
    let mut at = start;
    for _ in 0..CHAIN {
        let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) else {
            return start == 0;
        };
        match Header::read(rest) {
            Some(header) if header.kind == first.kind => at += header.length,
            _ => return false,
        }
    }
    true
}

#[derive(Clone, Copy)]
struct Header {
    frames: Frames,
    /// What all frames of a stream share: the bits of version, layer and sample rate.
    kind: u16,
    /// In bytes, with the header.
    length: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Header> {
        let &[0xff, second, third, fourth, ..] = bytes else {
            return None;
        };
        match second {
            0xf0 | 0xf1 | 0xf8 | 0xf9 => Header::adts(second, third, fourth, bytes),
            0xe0.. => Header::mpeg(second, third),
            _ => None,
        }
    }

    fn adts(second: u8, third: u8, fourth: u8, bytes: &[u8]) -> Option<Header> {
        let &[_, _, _, _, fifth, sixth, ..] = bytes else {
            return None;
        };
        let length =
            usize::from(fourth & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth >> 5);
        let rate = third >> 2 & 15;
        (rate < 13 && length > 7).then_some(Header {
            frames: Frames::Adts,
            kind: u16::from(second & 0xf8) << 8 | u16::from(third & 0xfc),
            length,
        })
    }

    fn mpeg(second: u8, third: u8) -> Option<Header> {
        let version = usize::from(second >> 3 & 3);
        let (frames, rates) = match (second >> 1 & 3, version) {
            (_, 1) => return None,
            (1, 3) => (Frames::Mp3, &KBITS_LAYER_3),
            (2, 3) => (Frames::Mp2, &KBITS_LAYER_2),
            (1, _) => (Frames::Mp3, &KBITS_VERSION_2),
            (2, _) => (Frames::Mp2, &KBITS_VERSION_2),
            _ => return None,
        };
        let kbits = *rates.get(usize::from(third >> 4).checked_sub(1)?)?;
        // 44.1, 48 and 32 kHz; half of that in version 2, a quarter in 2.5.
        let full = *[44_100, 48_000, 32_000].get(usize::from(third >> 2 & 3))?;
        let rate = match version {
            3 => full,
            2 => full / 2,
            _ => full / 4,
        };
        // 1152 samples, or 576 in layer III of version 2, as bytes.
        let samples_by_8 = match (frames, version) {
            (Frames::Mp3, 0 | 2) => 72,
            _ => 144,
        };
        Some(Header {
            frames,
            kind: u16::from(second & 0xfe) << 8 | u16::from(third & 0x0c),
            length: samples_by_8 * kbits * 1000 / rate + usize::from(third >> 1 & 1),
        })
    }
}

/// Bit rates by their index, from 1: MPEG-1 layer III, layer II, and either in version 2 and 2.5.
const KBITS_LAYER_3: [usize; 14] = [
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
];
const KBITS_LAYER_2: [usize; 14] = [
    32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
];
const KBITS_VERSION_2: [usize; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
