//! SVG drawings, for logos. No other file is opened, and a drawing that would take too long is
//! rejected beforehand, since the renderer cannot be interrupted.

mod cost;
mod expansion;

use std::io::Cursor;
use std::sync::Arc;

use image::{ImageFormat, ImageReader};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::roxmltree::{self, Document};
use resvg::usvg::{ImageHrefResolver, ImageKind, Options, Tree};

use super::scale::Pixels;
use super::{Limits, PictureError};
use crate::spec::Size;
use cost::Cost;

/// Size of the file, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// XML nodes.
const MAX_NODES: u32 = 60_000;

/// Depth of nested elements, and of references to references.
const MAX_DEPTH: usize = 100;

/// Pixels of the pictures inside the drawing, counted each time they are shown.
const MAX_IMAGE_PIXELS: u64 = 40_000_000;

/// Draws at the largest size of the same proportions that fits `max`, in pixels.
pub(super) fn draw(
    bytes: &[u8],
    limits: &Limits,
    max: Size,
) -> Result<(Pixels, Size), PictureError> {
    if bytes.len() > MAX_BYTES {
        return Err(PictureError::DrawingTooLarge {
            bytes: bytes.len(),
            limit: MAX_BYTES,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| PictureError::DrawingDamaged)?;
    expansion::check_entities(text)?;
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        nodes_limit: MAX_NODES,
        ..roxmltree::ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|e| match e {
        roxmltree::Error::NodesLimitReached => too_complex("too many elements"),
        _ => PictureError::DrawingDamaged,
    })?;
    expansion::check_elements(&document)?;
    let tree = Tree::from_xmltree(&document, &isolated(limits))
        .map_err(|_| PictureError::DrawingDamaged)?;

    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = (max.width as f32 / width).min(max.height as f32 / height);
    let size = Size {
        width: ((width * scale).round() as u32).clamp(1, max.width),
        height: ((height * scale).round() as u32).clamp(1, max.height),
    };
    let mut cost = Cost::new(scale, size);
    cost.group(tree.root(), 0)?;
    let mut canvas = Pixmap::new(size.width, size.height).ok_or(PictureError::NoPixels)?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut canvas.as_mut(),
    );
    Ok((canvas.data().as_chunks().0.to_vec(), size))
}

fn too_complex(what: &'static str) -> PictureError {
    PictureError::DrawingTooComplex(what)
}

/// Options with which no file is opened, and pictures inside the drawing are limited in size.
fn isolated(limits: &Limits) -> Options<'static> {
    let limits = *limits;
    Options {
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(move |_, data, _| embedded(data, &limits)),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    }
}

fn embedded(data: Arc<Vec<u8>>, limits: &Limits) -> Option<ImageKind> {
    let (format, width, height) = header(&data)?;
    limits.check(width, height, 4).ok()?;
    if u64::from(width) * u64::from(height) > MAX_IMAGE_PIXELS {
        return None;
    }
    match format {
        ImageFormat::Png => Some(ImageKind::PNG(data)),
        ImageFormat::Jpeg => Some(ImageKind::JPEG(data)),
        ImageFormat::Gif => Some(ImageKind::GIF(data)),
        ImageFormat::WebP => Some(ImageKind::WEBP(data)),
        _ => None,
    }
}

/// Width × height of a picture inside the drawing.
fn pixels(data: &[u8]) -> u64 {
    header(data).map_or(u64::MAX, |(_, width, height)| {
        u64::from(width) * u64::from(height)
    })
}

/// The format of a picture inside the drawing, its width and its height.
fn header(data: &[u8]) -> Option<(ImageFormat, u32, u32)> {
    let reader = ImageReader::new(Cursor::new(data))
        .with_guessed_format()
        .ok()?;
    let format = reader.format()?;
    let (width, height) = reader.into_dimensions().ok()?;
    Some((format, width, height))
}
