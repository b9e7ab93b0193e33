//! The kinds of TIFF that photographers' programs write.

use std::io::Write;

use actix_web::web::Bytes;
use flate2::write::ZlibEncoder;
use image::{Rgb, RgbImage};

use crate::colour::{frame_of, is_colour};
use crate::support::picture::jpeg;
use crate::support::render::{kinora, stderr};
use crate::support::scratch::Scratch;
use crate::support::tiff::{
    BITS, COLOR_MAP, COMPRESSION, DNG_VERSION, EXTRA_SAMPLES, FILL_ORDER, PHOTOMETRIC, PLANAR,
    PREDICTOR, SAMPLE_FORMAT, SAMPLES, TILE_HEIGHT, TILE_WIDTH, Tiff,
};

const WIDTH: usize = 64;
const HEIGHT: usize = 36;

/// Rows whose left half has one pixel, and whose right half another.
fn halves(left: &[u8], right: &[u8]) -> Vec<u8> {
    [left.repeat(WIDTH / 2), right.repeat(WIDTH / 2)]
        .concat()
        .repeat(HEIGHT)
}

/// The colours that are seen on the left and on the right.
#[track_caller]
fn shows(file: &Bytes, left: [f64; 3], right: [f64; 3]) {
    let frame = frame_of(file);
    is_colour(&frame, (480, 540), left, 2.5);
    is_colour(&frame, (1440, 540), right, 2.5);
}

fn tiff(fields: &[(u16, &[u64])]) -> Tiff {
    Tiff::new(WIDTH, HEIGHT, fields)
}

#[test]
fn premultiplied_alpha_is_multiplied_once() {
    // Half and a quarter of (200, 100, 40).
    let rgba = halves(&[100, 50, 20, 128], &[50, 25, 10, 64]);
    let deep = |bytes: &[u8]| -> Vec<u8> { bytes.iter().flat_map(|&byte| [byte, byte]).collect() };
    for (bits, bytes) in [(8, rgba.clone()), (16, deep(&rgba))] {
        let fields: &[(u16, &[u64])] = &[
            (BITS, &[bits; 4]),
            (PHOTOMETRIC, &[2]),
            (SAMPLES, &[4]),
            (EXTRA_SAMPLES, &[1]),
        ];
        let file = tiff(fields).chunk(bytes).file();
        shows(&file, [100.0, 50.0, 20.0], [50.0, 25.0, 10.0]);
    }
    let gray = halves(&[100, 128], &[50, 64]);
    for (bits, bytes) in [(8, gray.clone()), (16, deep(&gray))] {
        let fields: &[(u16, &[u64])] = &[
            (BITS, &[bits; 2]),
            (PHOTOMETRIC, &[1]),
            (SAMPLES, &[2]),
            (EXTRA_SAMPLES, &[1]),
        ];
        let file = tiff(fields).chunk(bytes).file();
        shows(&file, [100.0; 3], [50.0; 3]);
    }
}

#[test]
fn other_alpha_is_multiplied() {
    let fields: &[(u16, &[u64])] = &[
        (BITS, &[8; 4]),
        (PHOTOMETRIC, &[2]),
        (SAMPLES, &[4]),
        (EXTRA_SAMPLES, &[2]),
    ];
    let rgba = halves(&[200, 100, 40, 128], &[200, 100, 40, 255]);
    let file = tiff(fields).chunk(rgba).file();
    shows(&file, [100.0, 50.0, 20.0], [200.0, 100.0, 40.0]);
}

#[test]
fn bits_are_read_in_the_order_that_the_file_tells() {
    let bytes = |byte: fn(u8) -> u8| halves(&[byte(0x2c)], &[byte(0xc4)]);
    let gray: &[(u16, &[u64])] = &[(BITS, &[8]), (PHOTOMETRIC, &[1])];
    let reversed: &[(u16, &[u64])] = &[(BITS, &[8]), (PHOTOMETRIC, &[1]), (FILL_ORDER, &[2])];
    let (left, right) = ([44.0; 3], [196.0; 3]);
    shows(&tiff(gray).chunk(bytes(|b| b)).file(), left, right);
    let file = tiff(reversed).chunk(bytes(u8::reverse_bits)).file();
    shows(&file, left, right);

    // Two pixels a byte.
    let row = [vec![0x33; WIDTH / 4], vec![0xcc; WIDTH / 4]].concat();
    let nibbles = row.repeat(HEIGHT);
    let fields: &[(u16, &[u64])] = &[(BITS, &[4]), (PHOTOMETRIC, &[1]), (FILL_ORDER, &[2])];
    // 0x33 becomes 0xcc.
    let file = tiff(fields).chunk(nibbles).file();
    shows(&file, [204.0; 3], [51.0; 3]);
}

#[test]
fn every_depth_spans_black_to_white() {
    let row = |left: u8, right: u8, bytes: usize| {
        [vec![left; bytes / 2], vec![right; bytes / 2]].concat()
    };
    for (bits, left, right, levels) in [
        // Two pixels of one colour have bytes of one value.
        (1, 0x00, 0xff, [0.0, 255.0]),
        (2, 0x55, 0xaa, [85.0, 170.0]),
        (4, 0x33, 0xcc, [51.0, 204.0]),
        (12, 0x33, 0xcc, [51.0, 204.0]),
        (32, 0x33, 0xcc, [51.0, 204.0]),
    ] {
        let bytes = row(left, right, WIDTH * bits / 8).repeat(HEIGHT);
        for (photometric, invert) in [(1, 0.0), (0, 255.0)] {
            let fields: &[(u16, &[u64])] = &[(BITS, &[bits as u64]), (PHOTOMETRIC, &[photometric])];
            let file = tiff(fields).chunk(bytes.clone()).file();
            let [left, right] = levels.map(|level: f64| [(invert - level).abs(); 3]);
            shows(&file, left, right);
        }
    }
}

#[test]
fn floating_point_numbers_span_0_to_1() {
    let pixels: [(u64, Vec<u8>); 3] = [
        (
            16,
            halves(&0x3400u16.to_le_bytes(), &0x3800u16.to_le_bytes()),
        ),
        (32, halves(&0.25f32.to_le_bytes(), &0.5f32.to_le_bytes())),
        (64, halves(&0.25f64.to_le_bytes(), &0.5f64.to_le_bytes())),
    ];
    for (bits, bytes) in pixels {
        let fields: &[(u16, &[u64])] =
            &[(BITS, &[bits]), (PHOTOMETRIC, &[1]), (SAMPLE_FORMAT, &[3])];
        let file = tiff(fields).chunk(bytes).file();
        shows(&file, [63.75; 3], [127.5; 3]);
    }
    let outside = halves(&(-3.0f32).to_le_bytes(), &7.0f32.to_le_bytes());
    let fields: &[(u16, &[u64])] = &[(BITS, &[32]), (PHOTOMETRIC, &[1]), (SAMPLE_FORMAT, &[3])];
    shows(&tiff(fields).chunk(outside).file(), [0.0; 3], [255.0; 3]);
}

#[test]
fn a_palette_is_looked_up() {
    let mut map = [0u64; 48];
    for (index, colour) in [(3, [200, 100, 40]), (12, [10, 150, 250])] {
        (0..3).for_each(|c| map[c * 16 + index] = colour[c] * 257);
    }
    let fields: &[(u16, &[u64])] = &[(BITS, &[4]), (PHOTOMETRIC, &[3]), (COLOR_MAP, &map)];
    let row = [vec![0x33; WIDTH / 4], vec![0xcc; WIDTH / 4]].concat();
    let file = tiff(fields).chunk(row.repeat(HEIGHT)).file();
    shows(&file, [200.0, 100.0, 40.0], [10.0, 150.0, 250.0]);
}

const RGB: &[(u16, &[u64])] = &[(BITS, &[8; 3]), (PHOTOMETRIC, &[2]), (SAMPLES, &[3])];
const LEFT: [u8; 3] = [200, 100, 40];
const RIGHT: [u8; 3] = [10, 150, 250];

#[track_caller]
fn shows_rgb(file: &Bytes) {
    shows(file, LEFT.map(f64::from), RIGHT.map(f64::from));
}

#[test]
fn offsets_may_have_64_bits() {
    shows_rgb(&tiff(RGB).big().chunk(halves(&LEFT, &RIGHT)).file());
}

#[test]
fn tiles_may_be_planes() {
    let fields = [
        RGB,
        &[(PLANAR, &[2]), (TILE_WIDTH, &[32]), (TILE_HEIGHT, &[32])],
    ]
    .concat();
    let mut file = tiff(&fields);
    for c in 0..3 {
        for _row in 0..2 {
            file = file.chunk(vec![LEFT[c]; 1024]).chunk(vec![RIGHT[c]; 1024]);
        }
    }
    shows_rgb(&file.file());
}

#[test]
fn inks_are_printed_on_white() {
    let fields: &[(u16, &[u64])] = &[(BITS, &[8; 4]), (PHOTOMETRIC, &[5]), (SAMPLES, &[4])];
    let file = tiff(fields)
        .chunk(halves(&[255, 0, 0, 0], &[0, 0, 0, 128]))
        .file();
    shows(&file, [0.0, 255.0, 255.0], [127.0; 3]);
}

#[test]
fn lightness_and_its_two_opponents_become_colours() {
    // L*, a*, b* of a red and of a blue, a* and b* in two's complement or with 128 added.
    let signed = halves(&[138, 81, 70], &[138, 10, 186]);
    let offset = halves(&[138, 209, 198], &[138, 138, 58]);
    for (photometric, samples) in [(8, signed), (9, offset)] {
        let photometric = [photometric];
        let fields: [(u16, &[u64]); 3] = [
            (BITS, &[8; 3]),
            (PHOTOMETRIC, &photometric),
            (SAMPLES, &[3]),
        ];
        let file = tiff(&fields).chunk(samples).file();
        shows(&file, [254.6, 0.0, 0.0], [45.5, 128.4, 252.1]);
    }
}

#[test]
fn strips_may_be_jpegs() {
    let picture = RgbImage::from_fn(WIDTH as u32, HEIGHT as u32, |x, _| {
        Rgb(if x < 32 { LEFT } else { RIGHT })
    });
    let fields: &[(u16, &[u64])] = &[
        (BITS, &[8; 3]),
        (COMPRESSION, &[7]),
        (PHOTOMETRIC, &[6]),
        (SAMPLES, &[3]),
    ];
    shows_rgb(&tiff(fields).chunk(jpeg(&picture).to_vec()).file());
}

#[test]
fn compressed_differences_add_up() {
    let mut differences = halves(&LEFT, &RIGHT);
    for row in differences.chunks_mut(3 * WIDTH) {
        for i in (3..row.len()).rev() {
            row[i] = row[i].wrapping_sub(row[i - 3]);
        }
    }
    let mut deflate = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    deflate.write_all(&differences).expect("to memory");
    let deflated = deflate.finish().expect("in memory");
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
        .encode(&differences)
        .expect("to memory");
    for (compression, chunk) in [(8, deflated), (5, lzw)] {
        let compression = [compression];
        let fields = [RGB, &[(COMPRESSION, &compression), (PREDICTOR, &[2])]].concat();
        shows_rgb(&tiff(&fields).chunk(chunk).file());
    }
}

#[test]
fn what_is_not_compressed_has_no_differences() {
    let fields = [RGB, &[(PREDICTOR, &[2])]].concat();
    shows_rgb(&tiff(&fields).chunk(halves(&LEFT, &RIGHT)).file());
}

#[test]
fn the_preview_of_a_raw_photo_is_not_taken_for_it() {
    let fields = [RGB, &[(DNG_VERSION, &[1])]].concat();
    let file = tiff(&fields).chunk(halves(&LEFT, &RIGHT)).file();
    assert!(refusal(&file).contains("not supported"));
}

/// What is said of a file that is refused.
fn refusal(file: &[u8]) -> String {
    let home = Scratch::new();
    home.write("photo", file);
    let output = kinora(&home, ["render", "photo", "-o", "video.mp4"]);
    assert!(!output.status.success());
    let message = stderr(&output);
    assert!(!message.contains("panicked"), "{message}");
    message
}

#[test]
fn a_cut_file_is_refused() {
    let file = tiff(RGB).chunk(halves(&LEFT, &RIGHT)).file();
    assert!(refusal(&file[..file.len() - 9]).contains("truncated TIFF"));
    // The directory is whole, and the strip is not.
    let file = tiff(RGB).chunk(vec![0; 40]).file();
    assert!(refusal(&file).contains("truncated TIFF"));
    let fields = [
        RGB,
        &[(PLANAR, &[2]), (TILE_WIDTH, &[32]), (TILE_HEIGHT, &[32])],
    ]
    .concat();
    let file = tiff(&fields).chunk(vec![0; 40]).listed(12).file();
    assert!(refusal(&file).contains("truncated TIFF"));
}

#[test]
fn white_lines_of_a_fax_may_be_left_out_but_not_cut_off() {
    let fields: &[(u16, &[u64])] = &[(BITS, &[1]), (PHOTOMETRIC, &[0]), (COMPRESSION, &[4])];
    // Three lines like the white one before them, and the two marks of the end.
    let white = [255.0; 3];
    shows(
        &tiff(fields).chunk(b"\xe0\x02\x00\x20").file(),
        white,
        white,
    );
    for cut in [&b"\xe0"[..], b"\xe0\0\0\0\0", b"\0\0\0\0"] {
        let told = refusal(&tiff(fields).chunk(cut).file());
        assert!(told.contains("TIFF"), "{told}");
    }
}

#[test]
fn tiles_that_share_a_large_piece_of_data_are_refused() {
    let fields: &[(u16, &[u64])] = &[
        (BITS, &[8]),
        (PHOTOMETRIC, &[1]),
        (COMPRESSION, &[8]),
        (TILE_WIDTH, &[1]),
        (TILE_HEIGHT, &[1]),
    ];
    let mut deflate = ZlibEncoder::new(Vec::new(), flate2::Compression::none());
    deflate.write_all(&[7; 200_000]).expect("to memory");
    let data = deflate.finish().expect("in memory");
    let file = tiff(fields).chunk(data).listed(WIDTH * HEIGHT).file();
    assert!(refusal(&file).contains("takes too long to decode"));
}
