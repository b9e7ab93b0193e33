//! JPEG, decoded by `zune-jpeg` directly: through `image`, it would fill the missing part of a cut file with gray, and
//! convert CMYK without its profile.

use super::icc::Transform;
use super::markers::{Coding, Frame, Markers};
use super::raster::{Layout, Raster};
use super::{Format, Limits, PictureError};
use image::metadata::Orientation;
use std::ops::RangeInclusive;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Each scan of a progressive file passes over the whole picture; encoders write about ten.
const MAX_SCANS: usize = 64;

/// Scan data of ones, with stuffed zero bytes. No Huffman code consists of ones (T.81, C.2), so a decoder that reads past
/// the end of a scan fails here. At an EOI marker it would read zeros and paint the rest gray.
const SENTINEL: [u8; 16] = [
    0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0,
];

/// The second byte of the marker COM.
const COMMENT: u8 = 0xfe;

/// Decodes a complete JPEG.
///
/// # Errors
/// A file without its end marker counts as truncated, even if nothing else is missing.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Raster, PictureError> {
    let markers = Markers::read(bytes);
    if let Some(frame) = markers.frame {
        check(frame, &markers, limits)?;
    }
    let eoi = markers.eoi.ok_or(PictureError::Truncated(Format::Jpeg))?;
    let frame = markers.frame.ok_or(PictureError::Damaged(Format::Jpeg))?;

    let input = with_sentinel(&bytes[..eoi], &markers, frame);
    let mut decoder = decoder(&input, frame)?;
    let (stored, layout) = colours(decoder.input_colorspace(), &markers, frame)?;
    let profile = decoder.icc_profile();
    let transform = profile.and_then(|profile| Transform::new(&profile, layout.model()));
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif));
    Ok(Raster {
        width: usize::from(frame.width),
        height: usize::from(frame.height),
        layout,
        data: samples(&mut decoder, frame, stored)?,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        transform,
    })
}

/// A JPEG file that is a strip or tile of a TIFF file.
pub(super) struct Chunk {
    /// In pixels.
    pub width: usize,
    pub rows: RangeInclusive<usize>,
    pub components: usize,
    /// Whether the components are Y, Cb and Cr, which become RGB. Others are left as they are.
    pub ycc: bool,
}

/// Decodes a strip or tile, with the tables that it shares with others.
pub(super) fn decode_chunk(
    chunk: &Chunk,
    tables: Option<&[u8]>,
    data: &[u8],
) -> Result<Vec<u8>, PictureError> {
    let file = match tables {
        // The tables are a file of their own, between SOI and EOI.
        Some(tables) => [
            tables.strip_suffix(b"\xff\xd9").unwrap_or(tables),
            data.strip_prefix(b"\xff\xd8").unwrap_or(data),
        ]
        .concat(),
        None => data.to_vec(),
    };
    let markers = Markers::read(&file);
    let frame = markers.frame.ok_or(PictureError::Damaged(Format::Jpeg))?;
    if usize::from(frame.width) != chunk.width
        || !chunk.rows.contains(&usize::from(frame.height))
        || usize::from(frame.components) != chunk.components
    {
        return Err(PictureError::Damaged(Format::Jpeg));
    }
    supported(frame)?;
    let end = markers.eoi.unwrap_or(file.len());
    let input = with_sentinel(&file[..end], &markers, frame);
    let mut decoder = decoder(&input, frame)?;
    let stored = match decoder.input_colorspace() {
        Some(ColorSpace::YCbCr) if chunk.ycc => ColorSpace::RGB,
        Some(stored) => stored,
        None => return Err(PictureError::Damaged(Format::Jpeg)),
    };
    samples(&mut decoder, frame, stored)
}

/// Options that are not strict about headers, which would reject files that every viewer shows.
fn options() -> DecoderOptions {
    DecoderOptions::default()
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_max_scans(MAX_SCANS)
        .set_strict_mode(false)
}

/// A decoder that has read the headers of `input`.
fn decoder(input: &[u8], frame: Frame) -> Result<JpegDecoder<ZCursor<&[u8]>>, PictureError> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(input), options());
    decoder.decode_headers().map_err(decode_error)?;
    let size = (usize::from(frame.width), usize::from(frame.height));
    if decoder.dimensions() == Some(size) {
        Ok(decoder)
    } else {
        Err(PictureError::Damaged(Format::Jpeg))
    }
}

/// Decodes the scans into `space`, which has as many components as the file.
fn samples(
    decoder: &mut JpegDecoder<ZCursor<&[u8]>>,
    frame: Frame,
    space: ColorSpace,
) -> Result<Vec<u8>, PictureError> {
    // Strict about scans, which detects missing data.
    let options = options().set_strict_mode(true);
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let pixels = usize::from(frame.width) * usize::from(frame.height);
    let mut data = vec![0; pixels * usize::from(frame.components)];
    decoder.decode_into(&mut data).map_err(decode_error)?;
    Ok(data)
}

fn check(frame: Frame, markers: &Markers, limits: &Limits) -> Result<(), PictureError> {
    let components = u64::from(frame.components);
    // The decoder collects the scans of these files as 16-bit coefficients first.
    let coefficients = if frame.progressive || markers.scans > 1 {
        2 * components
    } else {
        0
    };
    limits.check(
        u32::from(frame.width),
        u32::from(frame.height),
        components + coefficients,
    )?;
    if markers.scans > MAX_SCANS {
        return Err(PictureError::TooMuchWork(Format::Jpeg));
    }
    supported(frame)
}

fn supported(frame: Frame) -> Result<(), PictureError> {
    match frame.coding {
        Coding::Arithmetic => Err(PictureError::ArithmeticJpeg),
        Coding::Usual if frame.precision == 8 => Ok(()),
        _ => Err(PictureError::Unsupported(Format::Jpeg)),
    }
}

/// `picture`, which ends before its EOI marker, with [`SENTINEL`] and that marker added.
fn with_sentinel(picture: &[u8], markers: &Markers, frame: Frame) -> Vec<u8> {
    let mut data = Vec::with_capacity(picture.len() + SENTINEL.len() + 2);
    data.extend_from_slice(picture);
    // zune-jpeg expects a marker right after the first scan of a progressive file.
    if !frame.progressive || markers.scans > 1 {
        data.extend_from_slice(&SENTINEL);
    }
    data.extend_from_slice(&[0xff, 0xd9]);
    // It takes an Adobe transform of 0 for CMYK even with three components; see `colours`.
    if let (Some(adobe), 3) = (markers.adobe, frame.components) {
        data[adobe.offset] = 1;
    }
    // It refuses a segment that other decoders ignore, as they do a comment.
    if let Some(marker) = markers.cut_adobe {
        data[marker] = COMMENT;
    }
    data
}

/// The colour space to request from the decoder, and the layout of its output.
fn colours(
    input: Option<ColorSpace>,
    markers: &Markers,
    frame: Frame,
) -> Result<(ColorSpace, Layout), PictureError> {
    // As in libjpeg: JFIF is YCbCr whatever the Adobe segment says.
    let adobe_rgb = !markers.jfif && markers.adobe.is_some_and(|adobe| adobe.transform == 0);
    match (frame.components, input) {
        (1, Some(ColorSpace::Luma)) => Ok((ColorSpace::Luma, Layout::Gray8)),
        // The decoder believes that these samples are YCbCr, and outputs them unchanged.
        (3, Some(ColorSpace::YCbCr)) if adobe_rgb => Ok((ColorSpace::YCbCr, Layout::Rgb8)),
        (3, Some(ColorSpace::YCbCr | ColorSpace::YCCK | ColorSpace::RGB)) => {
            Ok((ColorSpace::RGB, Layout::Rgb8))
        }
        (4, Some(ColorSpace::CMYK)) => Ok((ColorSpace::CMYK, Layout::InvertedCmyk8)),
        (4, Some(ColorSpace::YCCK)) => Ok((ColorSpace::YCCK, Layout::InvertedYcck8)),
        _ => Err(PictureError::Unsupported(Format::Jpeg)),
    }
}

fn decode_error(error: DecodeErrors) -> PictureError {
    match error {
        DecodeErrors::Unsupported(_) => PictureError::Unsupported(Format::Jpeg),
        DecodeErrors::ZeroError => PictureError::NoPixels,
        _ => PictureError::Damaged(Format::Jpeg),
    }
}
