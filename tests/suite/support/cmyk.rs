//! The least CMYK JPEG there can be, written by hand, as no encoder at hand writes any.

use actix_web::web::Bytes;

/// One 8 × 8 block in these inks, 255 being full, stored inverted as Adobe's programs do.
pub fn jpeg(inks: [u8; 4]) -> Bytes {
    let mut file = vec![0xff, 0xd8];
    // Adobe, version 100, no flags, no transform: the four components are the inks.
    segment(&mut file, 0xee, b"Adobe\0\x64\0\0\0\0\0");
    // One table of quantisers, all 8: a coefficient of 1 is a level of 1.
    segment(&mut file, 0xdb, &[&[0][..], &[8; 64]].concat());
    // Baseline, 8 bits, 8 × 8, four components without subsampling.
    let components = (1..=4).flat_map(|id| [id, 0x11, 0]);
    let frame: Vec<u8> = [8, 0, 8, 0, 8, 4].into_iter().chain(components).collect();
    segment(&mut file, 0xc0, &frame);
    // DC: nine sizes with codes of four bits. AC: the end of the block, a single zero bit.
    let mut dc = [0; 26];
    dc[4] = 9;
    (0..9).for_each(|size| dc[17 + size] = size as u8);
    segment(&mut file, 0xc4, &dc);
    let mut ac = [0; 18];
    (ac[0], ac[1]) = (0x10, 1);
    segment(&mut file, 0xc4, &ac);
    segment(&mut file, 0xda, &[4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]);
    file.extend(scan(inks));
    file.extend([0xff, 0xd9]);
    file.into()
}

fn segment(file: &mut Vec<u8>, marker: u8, content: &[u8]) {
    file.extend([0xff, marker]);
    file.extend((content.len() as u16 + 2).to_be_bytes());
    file.extend(content);
}

/// The entropy-coded blocks: for each ink the size of its DC value, the value, and the end.
fn scan(inks: [u8; 4]) -> Vec<u8> {
    let mut bits = String::new();
    for ink in inks {
        let value = i32::from(255 - ink) - 128;
        let size = (32 - value.unsigned_abs().leading_zeros()) as usize;
        bits += &format!("{size:04b}");
        if size > 0 {
            let coded = if value < 0 {
                value + (1 << size) - 1
            } else {
                value
            };
            bits += &format!("{coded:0size$b}");
        }
        bits += "0";
    }
    while !bits.len().is_multiple_of(8) {
        bits += "1";
    }
    let bytes = bits.as_bytes().chunks(8).map(|byte| {
        let digits = byte.iter().map(|digit| u8::from(*digit == b'1'));
        digits.fold(0, |byte, digit| byte << 1 | digit)
    });
    // A byte of ones is followed by a zero, lest it looks like a marker.
    bytes
        .flat_map(|byte| {
            if byte == 0xff {
                vec![0xff, 0]
            } else {
                vec![byte]
            }
        })
        .collect()
}
