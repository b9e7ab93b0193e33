//! Whether a file is all there, where its decoder would not mind.

/// Whether a PNG's chunks reach IEND.
pub(super) fn png(bytes: &[u8]) -> bool {
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        at = at.saturating_add(length).saturating_add(12);
        if &head[4..] == b"IEND" {
            return at <= bytes.len();
        }
    }
    false
}

/// Whether a WebP is as long as its RIFF header says.
pub(super) fn webp(bytes: &[u8]) -> bool {
    let size = bytes
        .get(4..8)
        .map(|s| u32::from_le_bytes([s[0], s[1], s[2], s[3]]));
    size.is_some_and(|size| bytes.len() as u64 >= u64::from(size) + 8)
}

/// Whether a GIF ends with its trailer.
pub(super) fn gif(bytes: &[u8]) -> bool {
    bytes.last() == Some(&0x3b)
}
