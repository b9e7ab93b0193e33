//! What a Vorbis setup header asks to be allocated, told before the decoder does.

/// The pattern that each codebook begins with (Vorbis I, 3.2.1), in bits that fill bytes from the low end.
const SYNC: u64 = 0x56_4342;

/// Values of all codebooks together. libvorbis writes some 100 000; thirty bytes can ask for 4 million, 255 times.
const MAX_VALUES: u64 = 4 << 20;

/// Whether the codebooks stay within reason. Each shows its pattern, dimensions (16 bits) and entries (24 bits); to look
/// for them at every bit needs no parser, and finds all.
pub(super) fn modest(headers: &[u8]) -> bool {
    let mut values = 0_u64;
    // The last 64 bits: the oldest at the low end.
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

    /// A codebook's beginning: the pattern, two dimensions, a thousand entries.
    const BOOK: u64 = 1000 << 40 | 2 << 24 | SYNC;

    #[test]
    fn codebooks_add_up_at_any_bit() {
        for shift in 0..8 {
            let bits = u128::from(BOOK) << shift;
            assert!(modest(&bits.to_le_bytes()));
            assert!(!modest(&bits.to_le_bytes().repeat(2100)));
        }
    }
}
