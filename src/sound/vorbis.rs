//! The memory that a Vorbis setup header asks for, estimated before the decoder allocates it.

/// The sync pattern at the start of each codebook (Vorbis I, 3.2.1), in bits that fill bytes from the low end.
const SYNC: u64 = 0x56_4342;

/// Values in all codebooks together. libvorbis writes about 100 000; 30 bytes can ask for 4 million, 255 times over.
const MAX_VALUES: u64 = 4 << 20;

/// Whether the codebooks ask for no more than [`MAX_VALUES`]. The pattern is followed by the dimensions (16 bits) and the
/// entries (24 bits); a search at every bit finds all codebooks without a parser.
pub(super) fn within_limit(headers: &[u8]) -> bool {
    let mut values = 0_u64;
    // The last 64 bits, the oldest in the lowest.
    let mut window = 0_u64;
    for byte in headers {
        for bit in 0..8 {
            window = window >> 1 | u64::from(byte >> bit & 1) << 63;
            if window & 0xff_ffff == SYNC {
                let dimensions = window >> 24 & 0xffff;
                let entries = window >> 40;
                values += dimensions.max(1) * entries;
            }
        }
    }
    values <= MAX_VALUES
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The start of a codebook: the pattern, 2 dimensions, 1000 entries.
    const BOOK: u64 = 1000 << 40 | 2 << 24 | SYNC;

    #[test]
    fn codebooks_add_up_at_any_bit() {
        for shift in 0..8 {
            let bits = u128::from(BOOK) << shift;
            assert!(within_limit(&bits.to_le_bytes()));
            assert!(!within_limit(&bits.to_le_bytes().repeat(2100)));
        }
    }
}
