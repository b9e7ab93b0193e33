//! SVG drawings, for logos. No other file is opened. How long one takes to draw, and how much memory, is
//! limited by the process that draws it: a few bytes can ask for minutes in more ways than can be counted.

use std::io::Cursor;
use std::sync::Arc;

use image::{ImageFormat, ImageReader};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::roxmltree::{self, Document, Node};
use resvg::usvg::{ImageHrefResolver, ImageKind, Options, Tree};

use super::scale::Pixels;
use super::{Limits, PictureError};
use crate::spec::Size;

/// Size of the file, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// XML nodes.
const MAX_NODES: u32 = 60_000;

/// Of nested elements. The parser calls itself for each.
const MAX_DEPTH: usize = 100;

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
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        nodes_limit: MAX_NODES,
        ..roxmltree::ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|e| match e {
        roxmltree::Error::NodesLimitReached => too_complex("too many elements"),
        _ => PictureError::DrawingDamaged,
    })?;
    check_elements(&document)?;
    let tree = Tree::from_xmltree(&document, &isolated(limits))
        .map_err(|_| PictureError::DrawingDamaged)?;

    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = (max.width as f32 / width).min(max.height as f32 / height);
    let size = Size {
        width: ((width * scale).round() as u32).clamp(1, max.width),
        height: ((height * scale).round() as u32).clamp(1, max.height),
    };
    let mut canvas = Pixmap::new(size.width, size.height).ok_or(PictureError::NoPixels)?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut canvas.as_mut(),
    );
    Ok((canvas.data().as_chunks().0.to_vec(), size))
}

/// What would be left out without a word, and what would overflow the stack.
fn check_elements(document: &Document) -> Result<(), PictureError> {
    for node in document.descendants().filter(Node::is_element) {
        if node.tag_name().name() == "text" {
            return Err(too_complex("text that is not converted to outlines"));
        }
        if node.ancestors().nth(MAX_DEPTH).is_some() {
            return Err(too_complex("elements nested too deeply"));
        }
    }
    Ok(())
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
    match format {
        ImageFormat::Png => Some(ImageKind::PNG(data)),
        ImageFormat::Jpeg => Some(ImageKind::JPEG(data)),
        ImageFormat::Gif => Some(ImageKind::GIF(data)),
        ImageFormat::WebP => Some(ImageKind::WEBP(data)),
        _ => None,
    }
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
