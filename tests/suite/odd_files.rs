//! Files that break a rule of their format, and that every viewer shows all the same; and those that none does.

use actix_web::web::Bytes;
use image::{ImageFormat, Rgb, RgbImage};

use crate::colour::{frame_of, is_colour};
use crate::support::picture::{encode, jpeg};
use crate::support::render::{kinora, stderr};
use crate::support::scratch::Scratch;

const COLOUR: [u8; 3] = [200, 100, 40];
const OTHER: [u8; 3] = [10, 150, 250];

fn picture() -> RgbImage {
    RgbImage::from_fn(64, 36, |_, y| Rgb(if y < 18 { COLOUR } else { OTHER }))
}

/// The first colour is above the other.
#[track_caller]
fn shows_both(file: &[u8]) {
    let frame = frame_of(file);
    is_colour(&frame, (960, 270), COLOUR.map(f64::from), 3.0);
    is_colour(&frame, (960, 810), OTHER.map(f64::from), 3.0);
}

fn bmp() -> Vec<u8> {
    encode(picture().into(), ImageFormat::Bmp).to_vec()
}

#[test]
fn a_bitmap_may_have_the_header_of_os_2() {
    let windows = bmp();
    assert_eq!(windows[14], 40, "the header of Windows");
    for length in [16u32, 64] {
        let mut header = windows[14..54].to_vec();
        header.resize(length as usize, 0);
        header[..4].copy_from_slice(&length.to_le_bytes());
        let mut file = [&windows[..14], &header, &windows[54..]].concat();
        file[10..14].copy_from_slice(&(14 + length).to_le_bytes());
        shows_both(&file);
    }
}

#[test]
fn a_bitmap_may_count_its_planes_wrong() {
    let mut file = bmp();
    file[26..28].copy_from_slice(&[0x30, 0x75]);
    shows_both(&file);
}

#[test]
fn a_bitmap_of_run_lengths_may_run_downwards() {
    let mut file = bmp()[..54].to_vec();
    file[22..26].copy_from_slice(&(-36i32).to_le_bytes());
    // 8 bits, run lengths, two colours after the header.
    file[28] = 8;
    file[30] = 1;
    file[46] = 2;
    file[10..14].copy_from_slice(&62u32.to_le_bytes());
    for [r, g, b] in [COLOUR, OTHER] {
        file.extend([b, g, r, 0]);
    }
    for y in 0..36 {
        // 64 pixels of one colour, and the end of the row.
        file.extend([64, u8::from(y >= 18), 0, 0]);
    }
    file.extend([0, 1]);
    shows_both(&file);
}

#[test]
fn a_gif_without_a_palette_is_gray() {
    // One pixel of the level 2, without a palette for it: the clear code, the index and the end in codes of three bits.
    let file = b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02\x54\x01\0;";
    is_colour(&frame_of(file), (960, 540), [2.0; 3], 2.0);
}

#[test]
fn an_adobe_segment_may_be_cut() {
    let whole = jpeg(&picture());
    // Eleven bytes of twelve, and the last one after the segment.
    let segment = b"\xff\xee\0\x0dAdobe\0\x64\0\0\0\0\x01";
    shows_both(&[&whole[..2], segment, &whole[2..]].concat());
}

/// What is said of a JPEG whose frame header has this marker.
fn refusal(frame: u8) -> String {
    let mut file = jpeg(&picture()).to_vec();
    let baseline = file.windows(2).position(|pair| pair == [0xff, 0xc0]);
    file[baseline.expect("a baseline JPEG") + 1] = frame;
    let home = Scratch::new();
    home.write("photo", Bytes::from(file));
    let output = kinora(&home, ["render", "photo", "-o", "video.mp4"]);
    assert!(!output.status.success());
    stderr(&output)
}

#[test]
fn arithmetic_coding_is_named() {
    let message = refusal(0xc9);
    assert!(message.contains("JPEG with arithmetic coding"), "{message}");
}

#[test]
fn rare_kinds_of_jpeg_are_not_called_damaged() {
    // Lossless, hierarchical, and lossless with arithmetic coding.
    for frame in [0xc3, 0xc5, 0xcb] {
        let message = refusal(frame);
        let told = "is a JPEG of a kind that is not supported";
        assert!(message.contains(told), "{message}");
    }
}
