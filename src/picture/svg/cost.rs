//! The cost of drawing, estimated from the parsed drawing.

use resvg::usvg::filter::Kind as Effect;
use resvg::usvg::{self, ClipPath, Group, Image, ImageKind, Mask, Node, Paint, Path};

use super::{MAX_DEPTH, MAX_IMAGE_PIXELS, PictureError, pixels, too_complex};
use crate::spec::Size;

/// Groups, clips and masks that need a canvas of their own.
const MAX_LAYERS: u64 = 400;

/// Pixels of all fills and strokes together, as a multiple of the canvas.
const MAX_FILLS: f64 = 2_000.0;

/// Points of all paths, and dashes of all strokes.
const MAX_POINTS: u64 = 1_000_000;

/// Pixels of the tile of a pattern, as a multiple of the canvas.
const MAX_TILE: f64 = 4.0;

/// The cost of drawing, summed up until it exceeds a limit.
pub(super) struct Cost {
    scale: f32,
    /// Pixels of the canvas.
    canvas: f64,
    layers: u64,
    points: u64,
    fills: f64,
    image_pixels: u64,
}

impl Cost {
    /// For a canvas of `size` pixels, at `scale` pixels per unit of the drawing.
    pub fn new(scale: f32, size: Size) -> Cost {
        Cost {
            scale,
            canvas: f64::from(size.width) * f64::from(size.height),
            layers: 0,
            points: 0,
            fills: 0.0,
            image_pixels: 0,
        }
    }

    /// Adds a group at `depth`.
    ///
    /// # Errors
    /// If the cost exceeds a limit.
    pub fn group(&mut self, group: &Group, depth: usize) -> Result<(), PictureError> {
        if depth > 3 * MAX_DEPTH {
            return Err(too_complex("elements nested too deeply"));
        }
        self.layers += u64::from(group.should_isolate());
        if let Some(clip) = group.clip_path() {
            self.clip(clip, depth + 1)?;
        }
        if let Some(mask) = group.mask() {
            self.mask(mask, depth + 1)?;
        }
        for filter in group.filters() {
            for primitive in filter.primitives() {
                // The time for the others grows at least with the square of a number in the file.
                let quick = matches!(
                    primitive.kind(),
                    Effect::Blend(_)
                        | Effect::ColorMatrix(_)
                        | Effect::ComponentTransfer(_)
                        | Effect::Composite(_)
                        | Effect::DropShadow(_)
                        | Effect::Flood(_)
                        | Effect::GaussianBlur(_)
                        | Effect::Merge(_)
                        | Effect::Offset(_)
                );
                if !quick {
                    return Err(too_complex("filter effects"));
                }
                self.layers += 4;
            }
        }
        if self.layers > MAX_LAYERS {
            return Err(too_complex("too many clips, masks or effects"));
        }
        group
            .children()
            .iter()
            .try_for_each(|node| self.node(node, depth + 1))
    }

    fn clip(&mut self, clip: &ClipPath, depth: usize) -> Result<(), PictureError> {
        self.layers += 1;
        if let Some(clip) = clip.clip_path() {
            self.clip(clip, depth + 1)?;
        }
        self.group(clip.root(), depth + 1)
    }

    fn mask(&mut self, mask: &Mask, depth: usize) -> Result<(), PictureError> {
        self.layers += 1;
        if let Some(mask) = mask.mask() {
            self.mask(mask, depth + 1)?;
        }
        self.group(mask.root(), depth + 1)
    }

    fn node(&mut self, node: &Node, depth: usize) -> Result<(), PictureError> {
        match node {
            Node::Group(group) => self.group(group, depth),
            Node::Path(path) => self.path(path, depth),
            Node::Image(image) => self.image(image),
            Node::Text(_) => Ok(()),
        }
    }

    fn path(&mut self, path: &Path, depth: usize) -> Result<(), PictureError> {
        let area = self.area(path.abs_stroke_bounding_box());
        let fill = path.fill().map(|fill| fill.paint());
        let stroke = path.stroke().map(|stroke| stroke.paint());
        self.points += path.data().len() as u64;
        for paint in fill.into_iter().chain(stroke) {
            self.fill(area)?;
            self.pattern(paint, path.abs_transform(), depth)?;
        }
        if let Some(dashes) = path.stroke().and_then(|stroke| stroke.dasharray()) {
            let bounds = path.data().bounds();
            let length = (bounds.width() + bounds.height()) * path.data().len() as f32;
            let period: f32 = dashes.iter().sum();
            self.points = self
                .points
                .saturating_add((length / period.max(1e-9)) as u64 * dashes.len() as u64);
        }
        if self.points > MAX_POINTS {
            return Err(too_complex("too many points"));
        }
        Ok(())
    }

    fn image(&mut self, image: &Image) -> Result<(), PictureError> {
        let pixels = match image.kind() {
            ImageKind::PNG(data)
            | ImageKind::JPEG(data)
            | ImageKind::GIF(data)
            | ImageKind::WEBP(data) => pixels(data),
            ImageKind::SVG(_) => return Err(too_complex("a drawing inside it")),
        };
        self.image_pixels = self.image_pixels.saturating_add(pixels);
        if self.image_pixels > MAX_IMAGE_PIXELS {
            return Err(too_complex("too many pictures"));
        }
        self.fill(self.area(image.abs_bounding_box()))
    }

    /// Pixels of a box as a fraction of the canvas: at most 1, since the rest is clipped.
    fn area(&self, bounds: usvg::Rect) -> f64 {
        let side = |length: f32| f64::from((length * self.scale).abs().min(1e6)) + 2.0;
        (side(bounds.width()) * side(bounds.height()) / self.canvas).min(1.0)
    }

    fn fill(&mut self, area: f64) -> Result<(), PictureError> {
        self.fills += area;
        if self.fills > MAX_FILLS {
            return Err(too_complex("too many shapes on top of each other"));
        }
        Ok(())
    }

    fn pattern(
        &mut self,
        paint: &Paint,
        transform: usvg::Transform,
        depth: usize,
    ) -> Result<(), PictureError> {
        let Paint::Pattern(pattern) = paint else {
            return Ok(());
        };
        let (x, y) = transform.pre_concat(pattern.transform()).get_scale();
        let side = |length: f32, scale: f32| f64::from(length * scale * self.scale);
        let tile = side(pattern.rect().width(), x) * side(pattern.rect().height(), y);
        if tile.is_nan() || tile > MAX_TILE * self.canvas {
            return Err(too_complex("a large pattern"));
        }
        self.layers += 1;
        self.group(pattern.root(), depth + 1)
    }
}
