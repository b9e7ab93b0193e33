//! Whether a file is complete, for formats whose decoders accept cut files.

/// Whether all chunks of a WebP end inside the file. The decoder would allocate as much as the header of a chunk says.
pub(super) fn webp(bytes: &[u8]) -> bool {
    let length = |at: usize| {
        let size = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize;
        // RIFF pads chunks to even lengths.
        size.checked_next_multiple_of(2)
    };
    let Some(end) = length(4)
        .and_then(|size| size.checked_add(8))
        .filter(|&end| end <= bytes.len())
    else {
        return false;
    };
    let mut at = 12;
    while at + 8 <= end {
        match length(at + 4).and_then(|size| size.checked_add(at + 8)) {
            Some(next) if next <= end => at = next,
            _ => return false,
        }
    }
    true
}

/// Whether a GIF ends with its trailer.
pub(super) fn gif(bytes: &[u8]) -> bool {
    bytes.last() == Some(&0x3b)
}
