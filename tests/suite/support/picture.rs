//! Pictures made for the tests, as files in memory.

use std::io::Cursor;
use std::sync::LazyLock;

use actix_web::web::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A little landscape with some colour, quick to send and to render.
pub fn small() -> Bytes {
    static SMALL: LazyLock<Bytes> = LazyLock::new(|| {
        png(&RgbImage::from_fn(320, 180, |x, y| {
            Rgb([x as u8, y as u8, 128])
        }))
    });
    SMALL.clone()
}

/// Detail everywhere, so that any motion changes every part of a frame.
pub fn detailed(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let wave = |step: f64, at: u32| (f64::from(at) / step).sin();
        let level = 128.0 + 50.0 * wave(5.0, x) * wave(7.0, y) + 40.0 * wave(31.0, x + y);
        Rgb([level as u8, (255.0 - level) as u8, (level / 2.0) as u8 + 60])
    })
}

pub fn png(image: &RgbImage) -> Bytes {
    encode(image.clone().into(), ImageFormat::Png)
}

pub fn jpeg(image: &RgbImage) -> Bytes {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95)
        .encode_image(image)
        .expect("a JPEG");
    bytes.into()
}

pub fn encode(image: DynamicImage, format: ImageFormat) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("a picture file");
    bytes.into_inner().into()
}

/// A JPEG that says in EXIF how to turn it upright.
pub fn jpeg_turned(image: &RgbImage, orientation: u8) -> Bytes {
    // TIFF, little endian, with one entry in its directory: tag 0x0112, SHORT, one value.
    let mut exif = b"Exif\0\0II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let jpeg = jpeg(image);
    let length = (exif.len() as u16 + 2).to_be_bytes();
    // Right after the start of the image.
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]]
        .concat()
        .into()
}

/// A PNG whose header announces this size and whose data do not matter.
pub fn png_header(width: u32, height: u32) -> Bytes {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let header = png_chunk(*b"IHDR", &[&sides[..], &[8, 2, 0, 0, 0]].concat());
    let idat = b"\0\0\0\x04IDAT\0\0\0\0\0\0\0\0";
    [&b"\x89PNG\r\n\x1a\n"[..], &header, idat].concat().into()
}

/// The type and the data of a chunk.
pub type PngChunk<'a> = ([u8; 4], &'a [u8]);

/// A PNG with chunks after its header.
pub fn with_png_chunks(png: &[u8], chunks: &[PngChunk]) -> Bytes {
    // The signature, and IHDR.
    let (header, rest) = png.split_at(8 + 25);
    let chunks = chunks
        .iter()
        .flat_map(|(kind, data)| png_chunk(*kind, data));
    let head = header.iter().copied().chain(chunks);
    head.chain(rest.iter().copied()).collect()
}

fn png_chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u32).to_be_bytes();
    let checked = [&kind, data].concat();
    [&length, &checked[..], &crc32(&checked).to_be_bytes()].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
