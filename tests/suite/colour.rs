//! Colours come back as they went in.

use image::{
    DynamicImage, ImageBuffer, ImageEncoder, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage,
};

use crate::support::cmyk;
use crate::support::frames::{self, Frame};
use crate::support::picture::{PngChunk, encode, jpeg, png, with_png_chunks};
use crate::support::render::still;
use crate::support::scratch::Scratch;

const LEVELS: f64 = 2.0;
const PATCHES: [[u8; 3]; 12] = [
    [0, 0, 0],
    [255, 255, 255],
    [128, 128, 128],
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 0],
    [0, 255, 255],
    [255, 0, 255],
    [200, 120, 70],
    [40, 90, 160],
    [12, 34, 20],
];

/// Four columns and three rows, 1:1 with the frame.
fn patches() -> RgbImage {
    RgbImage::from_fn(1920, 1080, |x, y| {
        Rgb(PATCHES[(y / 360 * 4 + x / 480) as usize])
    })
}

fn are_patches(frame: &Frame, levels: f64) {
    for (n, colour) in PATCHES.into_iter().enumerate() {
        is_colour(
            frame,
            (n % 4 * 480 + 240, n / 4 * 360 + 180),
            colour.map(f64::from),
            levels,
        );
    }
}

#[track_caller]
pub fn is_colour(frame: &Frame, (x, y): (usize, usize), colour: [f64; 3], levels: f64) {
    let seen = frame.rgb(x, y);
    for c in 0..3 {
        assert!(
            (seen[c] - colour[c]).abs() <= levels,
            "{seen:.1?} for {colour:?} at {x},{y}"
        );
    }
}

pub fn frame_of(photo: &[u8]) -> Frame {
    frames::first(&still(&Scratch::new(), photo))
}

#[test]
fn flat_colours_of_a_png_come_back_from_bt_709() {
    are_patches(&frame_of(&png(&patches())), LEVELS);
}

#[test]
fn flat_colours_of_a_jpeg_come_back_from_bt_709() {
    // A JPEG is stored in BT.601 over the full range, and rounds on its own.
    are_patches(&frame_of(&jpeg(&patches())), LEVELS + 1.0);
}

#[test]
fn every_lossless_format_shows_the_same_colours() {
    for format in [ImageFormat::Bmp, ImageFormat::WebP] {
        are_patches(&frame_of(&encode(patches().into(), format)), LEVELS);
    }
}

#[test]
fn a_gif_shows_its_first_frame() {
    let red = DynamicImage::from(RgbImage::from_pixel(640, 360, Rgb([200, 30, 40])));
    is_colour(
        &frame_of(&encode(red, ImageFormat::Gif)),
        (960, 540),
        [200.0, 30.0, 40.0],
        6.0,
    );
}

#[test]
fn alpha_is_laid_over_black() {
    for (alpha, level) in [(128, 64.0), (255, 128.0), (0, 0.0)] {
        let image = RgbaImage::from_pixel(640, 360, Rgba([128, 128, 128, alpha]));
        let photo = encode(image.into(), ImageFormat::Png);
        is_colour(&frame_of(&photo), (960, 540), [level; 3], LEVELS);
    }
}

#[test]
fn sixteen_bits_and_greys_keep_their_levels() {
    let deep =
        ImageBuffer::<Rgb<u16>, _>::from_pixel(640, 360, Rgb([200 * 257, 100 * 257, 50 * 257]));
    let photo = encode(deep.into(), ImageFormat::Png);
    is_colour(&frame_of(&photo), (960, 540), [200.0, 100.0, 50.0], LEVELS);

    let grey = ImageBuffer::<Luma<u8>, _>::from_pixel(640, 360, Luma([77]));
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let photo = encode(grey.clone().into(), format);
        is_colour(&frame_of(&photo), (960, 540), [77.0; 3], LEVELS);
    }
}

#[test]
fn an_embedded_profile_is_followed_to_srgb() {
    let profile = moxcms::ColorProfile::new_display_p3()
        .encode()
        .expect("a profile");
    let image = RgbImage::from_pixel(640, 360, Rgb([180, 120, 90]));
    let mut photo = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut photo);
    encoder
        .set_icc_profile(profile)
        .expect("a PNG with a profile");
    encoder
        .write_image(&image, 640, 360, image::ExtendedColorType::Rgb8)
        .expect("a PNG");
    let expected = p3_to_srgb([180.0, 120.0, 90.0]);
    assert!(
        (expected[0] - 180.0).abs() > 4.0,
        "{expected:?} tells nothing"
    );
    is_colour(&frame_of(&photo), (960, 540), expected, LEVELS + 1.0);
}

#[test]
fn a_gray_profile_may_lead_to_lightness() {
    let mut profile = moxcms::ColorProfile::new_gray_with_gamma(1.0);
    profile.pcs = moxcms::DataColorSpace::Lab;
    let profile = profile.encode().expect("a profile");
    // L* of 20, 50 and 80, in sRGB (CSS Color 4).
    for (level, expected) in [(51, 48.0), (128, 119.5), (204, 198.0)] {
        let image = image::GrayImage::from_pixel(640, 360, Luma([level]));
        let mut photo = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut photo);
        encoder
            .set_icc_profile(profile.clone())
            .expect("a PNG with a profile");
        encoder
            .write_image(&image, 640, 360, image::ExtendedColorType::L8)
            .expect("a PNG");
        is_colour(&frame_of(&photo), (960, 540), [expected; 3], LEVELS);
    }
}

#[test]
fn a_png_may_say_its_colours_in_chunks_of_its_own() {
    const COLOUR: [f64; 3] = [180.0, 120.0, 90.0];
    /// sRGB of light that is proportional to `COLOUR`.
    const LINEAR: [f64; 3] = [218.7, 182.5, 160.3];
    /// D65, and the primaries of Display P3.
    const P3: [u32; 8] = [31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000];
    let p3 = P3.map(u32::to_be_bytes).concat();
    let nearest_to_srgb = 45455u32.to_be_bytes();
    let linear = 100_000u32.to_be_bytes();
    let as_p3 = p3_to_srgb(COLOUR);
    let full_p3 = [12, 13, 0, 1];
    let cases: [(&str, &[PngChunk], [f64; 3]); 8] = [
        ("gAMA", &[(*b"gAMA", &linear)], LINEAR),
        ("gAMA of sRGB", &[(*b"gAMA", &nearest_to_srgb)], COLOUR),
        ("cHRM", &[(*b"cHRM", &p3)], as_p3),
        ("cICP", &[(*b"cICP", &full_p3)], as_p3),
        (
            "sRGB before gAMA",
            &[(*b"gAMA", &linear), (*b"sRGB", &[0])],
            COLOUR,
        ),
        (
            "cICP before sRGB",
            &[(*b"sRGB", &[0]), (*b"cICP", &full_p3)],
            as_p3,
        ),
        ("a cHRM of nothing", &[(*b"cHRM", &[0; 32])], COLOUR),
        ("a gAMA of nothing", &[(*b"gAMA", &[0; 4])], COLOUR),
    ];
    let plain = png(&RgbImage::from_pixel(640, 360, Rgb([180, 120, 90])));
    for (name, chunks, expected) in cases {
        println!("{name}");
        let frame = frame_of(&with_png_chunks(&plain, chunks));
        is_colour(&frame, (960, 540), expected, LEVELS + 1.0);
    }
}

#[test]
fn a_gray_png_may_be_linear() {
    let image = image::GrayImage::from_pixel(640, 360, Luma([128]));
    let photo = encode(image.into(), ImageFormat::Png);
    let linear = 100_000u32.to_be_bytes();
    let photo = with_png_chunks(&photo, &[(*b"gAMA", &linear)]);
    is_colour(&frame_of(&photo), (960, 540), [187.8; 3], LEVELS);
}

/// Display P3 and sRGB share their curve and white; the matrix is of CSS Color 4, section 10.12.
pub fn p3_to_srgb(levels: [f64; 3]) -> [f64; 3] {
    let linear = levels.map(|level| {
        let v = level / 255.0;
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    });
    let matrix = [
        [1.224_940_2, -0.224_940_2, 0.0],
        [-0.042_056_9, 1.042_056_9, 0.0],
        [-0.019_637_6, -0.078_636_1, 1.098_273_7],
    ];
    matrix.map(|row: [f64; 3]| {
        let v: f64 = row.iter().zip(linear).map(|(m, v)| m * v).sum();
        let v = v.clamp(0.0, 1.0);
        255.0
            * if v <= 0.003_130_8 {
                v * 12.92
            } else {
                1.055 * v.powf(1.0 / 2.4) - 0.055
            }
    })
}

#[test]
fn printing_inks_look_like_their_colours() {
    // How exactly, is a matter of the profile that is assumed; which is which, is not.
    for (inks, bright) in [
        ([0, 0, 0, 0], [true, true, true]),
        ([255, 0, 0, 0], [false, true, true]),
        ([0, 255, 0, 0], [true, false, true]),
        ([0, 0, 255, 0], [true, true, false]),
        ([0, 255, 255, 0], [true, false, false]),
        ([0, 0, 0, 255], [false, false, false]),
    ] {
        let seen = frame_of(&cmyk::jpeg(inks)).rgb(540, 960);
        for c in 0..3 {
            assert_eq!(
                seen[c] > 128.0,
                bright[c],
                "{seen:.0?} for the inks {inks:?}"
            );
        }
    }
}
