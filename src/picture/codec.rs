//! Decoding with `image`: all formats but JPEG, TIFF and AVIF.

use super::icc::Transform;
use super::raster::{Layout, Raster};
use super::repair::repaired;
use super::{Format, Limits, PictureError, complete, png};
use image::error::ImageError;
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageFormat, ImageReader};
use std::io::{Cursor, ErrorKind};

/// Decodes the first frame.
///
/// # Errors
/// PNG and WebP must be complete to the last chunk; a GIF or BMP must have all that its first frame needs.
pub(super) fn decode(
    format: Format,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Raster, PictureError> {
    if let (Format::Png, Some((width, height))) = (format, png::size(bytes)) {
        limits.check(width, height, 1)?;
    }
    if !is_complete(format, bytes) {
        return Err(PictureError::Truncated(format));
    }
    let (file, stored) = repaired(format, bytes);
    let mut decoder =
        decoder(format, &file, limits).map_err(|e| decode_error(format, bytes, &e))?;
    let (width, height) = decoder.dimensions();
    let layout = layout(decoder.color_type()).ok_or(PictureError::Unsupported(format))?;
    // All decoders but those of PNG and BMP fill a buffer of their own and copy it.
    let copies = if matches!(format, Format::Png | Format::Bmp) {
        1
    } else {
        2
    };
    limits.check(width, height, copies * layout.bytes() as u64)?;
    // Unreadable metadata counts as absent.
    let orientation = orientation(&mut decoder).unwrap_or(stored);
    let profile = decoder.icc_profile().unwrap_or_default();
    let transform = match format {
        Format::Png => png::transform(bytes, profile.as_deref(), layout.model()),
        _ => profile.and_then(|profile| Transform::new(&profile, layout.model())),
    };
    let (width, height) = (width as usize, height as usize);
    let mut data = vec![0; width * height * layout.bytes()];
    decoder
        .read_image(&mut data)
        .map_err(|e| decode_error(format, bytes, &e))?;
    Ok(Raster {
        width,
        height,
        layout,
        data,
        orientation,
        transform,
    })
}

fn decoder<'b>(
    format: Format,
    bytes: &'b [u8],
    limits: &Limits,
) -> Result<impl ImageDecoder + use<'b>, ImageError> {
    let mut reader = ImageReader::with_format(
        Cursor::new(bytes),
        match format {
            Format::Jpeg => ImageFormat::Jpeg,
            Format::Png => ImageFormat::Png,
            Format::WebP => ImageFormat::WebP,
            Format::Gif => ImageFormat::Gif,
            Format::Bmp => ImageFormat::Bmp,
            Format::Tiff => ImageFormat::Tiff,
            Format::Avif => ImageFormat::Avif,
        },
    );
    let mut allowed = image::Limits::no_limits();
    // `Limits::check` checks width and height, with a better message.
    allowed.max_alloc = Some(limits.max_memory);
    reader.limits(allowed);
    reader.into_decoder()
}

fn orientation(decoder: &mut impl ImageDecoder) -> Option<Orientation> {
    // Some WebP files have the prefix of EXIF in JPEG, which `image` does not expect.
    let exif = decoder.exif_metadata().ok().flatten().unwrap_or_default();
    Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif))
}

fn is_complete(format: Format, bytes: &[u8]) -> bool {
    match format {
        Format::Png => png::is_complete(bytes),
        Format::WebP => complete::webp(bytes),
        _ => true,
    }
}

fn layout(color: ColorType) -> Option<Layout> {
    Some(match color {
        ColorType::L8 => Layout::Gray8,
        ColorType::La8 => Layout::GrayAlpha8,
        ColorType::Rgb8 => Layout::Rgb8,
        ColorType::Rgba8 => Layout::Rgba8,
        ColorType::L16 => Layout::Gray16,
        ColorType::La16 => Layout::GrayAlpha16,
        ColorType::Rgb16 => Layout::Rgb16,
        ColorType::Rgba16 => Layout::Rgba16,
        // Nothing says whether floating-point samples are linear.
        _ => return None,
    })
}

fn decode_error(format: Format, bytes: &[u8], error: &ImageError) -> PictureError {
    match error {
        ImageError::Limits(_) => PictureError::TooCostly(format),
        ImageError::Unsupported(_) => PictureError::Unsupported(format),
        ImageError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
            PictureError::Truncated(format)
        }
        // The GIF decoder does not report the end of the file.
        _ if format == Format::Gif && !complete::gif(bytes) => PictureError::Truncated(format),
        _ => PictureError::Damaged(format),
    }
}
