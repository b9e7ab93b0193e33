//! JPEG, from `zune-jpeg` itself: `image` has it fill what a cut file lacks with gray, and convert CMYK without its
//! profile.

use super::icc::Transform;
use super::markers::{Frame, Markers};
use super::raster::{Layout, Raster};
use super::{Format, Limits, PictureError};
use image::metadata::Orientation;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Each scan of a progressive file passes over the whole picture; encoders write about ten.
const MAX_SCANS: usize = 64;

/// Ones, as stuffed scan data. No Huffman code is all ones (T.81, C.2), so a decoder that wants more than the scan
/// holds fails here; at an EOI it would be fed zeros and paint the rest gray.
const STOP: [u8; 16] = [
    0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0,
];

/// Decodes a JPEG that is all there.
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

    let guarded = guarded(&bytes[..eoi], &markers, frame);
    // Strictness about headers would refuse what everyone shows; strictness about scans tells what is missing.
    let options = DecoderOptions::default()
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_max_scans(MAX_SCANS);
    let mut decoder =
        JpegDecoder::new_with_options(ZCursor::new(&guarded), options.set_strict_mode(false));
    decoder.decode_headers().map_err(refusal)?;
    let (stored, layout) = colours(decoder.input_colorspace(), &markers, frame)?;
    decoder.set_options(
        options
            .set_strict_mode(true)
            .jpeg_set_out_colorspace(stored),
    );

    let (width, height) = (usize::from(frame.width), usize::from(frame.height));
    if decoder.dimensions() != Some((width, height)) {
        return Err(PictureError::Damaged(Format::Jpeg));
    }
    let profile = decoder.icc_profile();
    let transform = profile.and_then(|profile| Transform::new(&profile, layout.model()));
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif));
    let mut data = vec![0; width * height * layout.bytes()];
    decoder.decode_into(&mut data).map_err(refusal)?;
    Ok(Raster {
        width,
        height,
        layout,
        data,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        transform,
    })
}

fn check(frame: Frame, markers: &Markers, limits: &Limits) -> Result<(), PictureError> {
    let components = u64::from(frame.components);
    // Progressive and component-wise files are gathered as 16-bit coefficients first.
    let gathered = if frame.progressive || markers.scans > 1 {
        2 * components
    } else {
        0
    };
    limits.check(
        u32::from(frame.width),
        u32::from(frame.height),
        components + gathered,
    )?;
    if frame.precision != 8 {
        return Err(PictureError::Unsupported(Format::Jpeg));
    }
    Ok(())
}

/// The picture alone, without what may follow it in the file, and with `STOP` before its end.
fn guarded(picture: &[u8], markers: &Markers, frame: Frame) -> Vec<u8> {
    let mut guarded = Vec::with_capacity(picture.len() + STOP.len() + 2);
    guarded.extend_from_slice(picture);
    // zune-jpeg wants to see a marker right after the first scan of a progressive file.
    if !frame.progressive || markers.scans > 1 {
        guarded.extend_from_slice(&STOP);
    }
    guarded.extend_from_slice(&[0xff, 0xd9]);
    // It takes "no transform" for CMYK even with three components; see `colours`.
    if let (Some(adobe), 3) = (markers.adobe, frame.components) {
        guarded[adobe.offset] = 1;
    }
    guarded
}

/// What to ask of the decoder, and what that gives.
fn colours(
    input: Option<ColorSpace>,
    markers: &Markers,
    frame: Frame,
) -> Result<(ColorSpace, Layout), PictureError> {
    // As libjpeg decides: JFIF is YCbCr whatever Adobe says.
    let adobe_rgb = !markers.jfif && markers.adobe.is_some_and(|adobe| adobe.transform == 0);
    match (frame.components, input) {
        (1, Some(ColorSpace::Luma)) => Ok((ColorSpace::Luma, Layout::Gray8)),
        // Asked for what it takes to be YCbCr, the decoder leaves the samples alone.
        (3, Some(ColorSpace::YCbCr)) if adobe_rgb => Ok((ColorSpace::YCbCr, Layout::Rgb8)),
        (3, Some(ColorSpace::YCbCr | ColorSpace::YCCK | ColorSpace::RGB)) => {
            Ok((ColorSpace::RGB, Layout::Rgb8))
        }
        (4, Some(ColorSpace::CMYK)) => Ok((ColorSpace::CMYK, Layout::InvertedCmyk8)),
        (4, Some(ColorSpace::YCCK)) => Ok((ColorSpace::YCCK, Layout::InvertedYcck8)),
        _ => Err(PictureError::Unsupported(Format::Jpeg)),
    }
}

fn refusal(error: DecodeErrors) -> PictureError {
    match error {
        DecodeErrors::Unsupported(_) => PictureError::Unsupported(Format::Jpeg),
        DecodeErrors::ZeroError => PictureError::NoPixels,
        _ => PictureError::Damaged(Format::Jpeg),
    }
}
