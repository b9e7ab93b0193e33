//! SVG drawings, as logos. Nothing outside the file is opened, and what would take long is refused
//! before it is begun: a renderer cannot be stopped once it runs.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use image::{ImageFormat, ImageReader};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::filter::Kind as Effect;
use resvg::usvg::{
    self, ClipPath, Group, ImageHrefResolver, ImageKind, Mask, Node, Options, Paint, Tree,
    roxmltree,
};
use roxmltree::Document;

use super::scale::Pixels;
use super::{Limits, PictureError};
use crate::spec::Size;

/// Of the file.
const MAX_BYTES: usize = 1 << 20;

/// Rules of style sheets, each tried on every element.
const MAX_MATCHES: usize = 2_000_000;

/// Of the entities of its DTD, all their uses together.
const MAX_ENTITY_BYTES: usize = 1 << 20;

const MAX_NODES: u32 = 60_000;

/// Elements inside elements; references to references.
const MAX_DEPTH: usize = 100;

/// Elements once every reference is followed, where 64 bytes of attributes count as one more.
const MAX_WEIGHT: u64 = 250_000;

/// Groups, clips and masks that need a canvas of their own.
const MAX_LAYERS: u64 = 400;

/// Pixels that all the fills and strokes may touch, in canvases.
const MAX_FILLS: f64 = 2_000.0;

/// Points of all paths, and dashes of all strokes.
const MAX_POINTS: u64 = 1_000_000;

/// Pixels of a pattern's tile, in canvases.
const MAX_TILE: f64 = 4.0;

/// Pixels of the pictures inside the drawing, each time they are shown.
const MAX_IMAGE_PIXELS: u64 = 40_000_000;

/// Draws at the size that fits `max`, whatever size the drawing says it has.
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
    check_entities(text)?;
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        nodes_limit: MAX_NODES,
        ..roxmltree::ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|e| match e {
        roxmltree::Error::NodesLimitReached => too("too many elements"),
        _ => PictureError::DrawingDamaged,
    })?;
    Weights::check(&document)?;
    let tree =
        Tree::from_xmltree(&document, &closed(limits)).map_err(|_| PictureError::DrawingDamaged)?;

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

fn too(what: &'static str) -> PictureError {
    PictureError::DrawingTooComplex(what)
}

/// The parser bounds how deep entities nest, but not how often a long one is used.
fn check_entities(text: &str) -> Result<(), PictureError> {
    let mut longest = 0;
    for (at, _) in text.match_indices("<!ENTITY") {
        let rest = &text[at..];
        let quote = rest.find(['"', '\'']).ok_or(PictureError::DrawingDamaged)?;
        let value = &rest[quote + 1..];
        let end = value
            .find(&rest[quote..=quote])
            .ok_or(PictureError::DrawingDamaged)?;
        let value = &value[..end];
        if value.contains('&') || value.contains('<') {
            return Err(too("nested entities"));
        }
        longest = longest.max(value.len());
    }
    if longest.saturating_mul(text.matches('&').count()) > MAX_ENTITY_BYTES {
        return Err(too("too many entities"));
    }
    Ok(())
}

/// How heavy each element is with all that it refers to.
struct Weights<'a, 'd> {
    by_id: HashMap<&'a str, roxmltree::Node<'a, 'd>>,
    known: HashMap<roxmltree::NodeId, u64>,
    /// What the style sheets refer to may concern any element.
    of_styles: u64,
}

impl<'a, 'd> Weights<'a, 'd> {
    fn check(document: &'a Document<'d>) -> Result<(), PictureError> {
        let mut weights = Weights {
            by_id: HashMap::new(),
            known: HashMap::new(),
            of_styles: 0,
        };
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            if node.ancestors().take(MAX_DEPTH + 1).count() > MAX_DEPTH {
                return Err(too("elements nested too deeply"));
            }
            match node.tag_name().name() {
                // Drawn once for each point of a path.
                "marker" => return Err(too("markers")),
                "text" => return Err(too("text that is not converted to outlines")),
                _ => {}
            }
            if let Some(id) = node.attribute("id") {
                weights.by_id.entry(id).or_insert(node);
            }
        }
        let elements = document.descendants().filter(roxmltree::Node::is_element);
        let elements = elements.count();
        let styles = document
            .descendants()
            .filter(|node| node.tag_name().name() == "style")
            .filter_map(|node| node.text());
        let mut targets = Vec::new();
        let mut rules = 0;
        for style in styles {
            rules += plain_rules(style)?;
            targets.extend(urls(style));
        }
        if rules.saturating_mul(elements) > MAX_MATCHES {
            return Err(too("too many style rules"));
        }
        targets.sort_unstable();
        targets.dedup();
        let mut of_styles = 0u64;
        for id in targets {
            of_styles = of_styles.saturating_add(weights.of_target(id, 0)?);
        }
        weights.known.clear();
        weights.of_styles = of_styles;
        weights.of(document.root_element(), 0).map(|_| ())
    }

    fn of_target(&mut self, id: &str, depth: usize) -> Result<u64, PictureError> {
        let target = self.by_id.get(id).copied();
        target.map_or(Ok(0), |node| self.of(node, depth + 1))
    }

    fn of(&mut self, node: roxmltree::Node<'a, 'd>, depth: usize) -> Result<u64, PictureError> {
        if depth > 2 * MAX_DEPTH {
            return Err(too("references nested too deeply"));
        }
        if let Some(known) = self.known.get(&node.id()) {
            return Ok(*known);
        }
        // Meets itself on the way: usvg breaks such circles, so that they add nothing.
        self.known.insert(node.id(), 0);
        let mut weight = 1 + self.of_styles;
        for attribute in node.attributes() {
            weight += attribute.value().len() as u64 / 64;
            let link = (attribute.name() == "href")
                .then(|| attribute.value().trim().strip_prefix('#'))
                .flatten();
            for id in urls(attribute.value()).chain(link) {
                weight = weight.saturating_add(self.of_target(id, depth)?);
            }
        }
        for child in node.children().filter(roxmltree::Node::is_element) {
            weight = weight.saturating_add(self.of(child, depth + 1)?);
        }
        if weight > MAX_WEIGHT {
            return Err(too("too many elements"));
        }
        self.known.insert(node.id(), weight);
        Ok(weight)
    }
}

/// Counts the rules of a style sheet, all of whose selectors must be single: matching `a b c` tries
/// every way through an element's ancestors, which may take for ever. Drawing programs write single
/// ones.
fn plain_rules(style: &str) -> Result<usize, PictureError> {
    let combined = || too("style rules for more than one class");
    let mut rules = 0;
    for block in without_comments(style)?.split('}') {
        let Some((selectors, declarations)) = block.split_once('{') else {
            continue;
        };
        if declarations.contains('{') {
            return Err(combined());
        }
        for selector in selectors.split(',') {
            let is_part = |c: char| c.is_whitespace() || matches!(c, '>' | '+' | '~' | '\\');
            if selector.trim().contains(is_part) {
                return Err(combined());
            }
            rules += 1;
        }
    }
    Ok(rules)
}

fn without_comments(style: &str) -> Result<String, PictureError> {
    let mut kept = String::with_capacity(style.len());
    let mut rest = style;
    while let Some((before, comment)) = rest.split_once("/*") {
        kept.push_str(before);
        let (_, after) = comment
            .split_once("*/")
            .ok_or(PictureError::DrawingDamaged)?;
        rest = after;
    }
    kept.push_str(rest);
    Ok(kept)
}

/// The ids in `url(#id)`.
fn urls(text: &str) -> impl Iterator<Item = &str> {
    text.split("url(").skip(1).filter_map(|rest| {
        let inner = rest.split(')').next()?.trim().trim_matches(['"', '\'']);
        inner.trim().strip_prefix('#')
    })
}

/// Options with which nothing outside the drawing is read, and only pictures of a bearable size
/// inside it.
fn closed(limits: &Limits) -> Options<'static> {
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
    let reader = ImageReader::new(Cursor::new(data.as_slice()))
        .with_guessed_format()
        .ok()?;
    let format = reader.format()?;
    let (width, height) = reader.into_dimensions().ok()?;
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

/// What drawing will cost, summed up until it is too much.
struct Cost {
    scale: f32,
    canvas: f64,
    layers: u64,
    points: u64,
    fills: f64,
    image_pixels: u64,
}

impl Cost {
    fn new(scale: f32, size: Size) -> Cost {
        Cost {
            scale,
            canvas: f64::from(size.width) * f64::from(size.height),
            layers: 0,
            points: 0,
            fills: 0.0,
            image_pixels: 0,
        }
    }

    fn group(&mut self, group: &Group, depth: usize) -> Result<(), PictureError> {
        if depth > 3 * MAX_DEPTH {
            return Err(too("elements nested too deeply"));
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
                // The others take time by the square of a number in the file, or more.
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
                    return Err(too("filter effects"));
                }
                self.layers += 4;
            }
        }
        if self.layers > MAX_LAYERS {
            return Err(too("too many clips, masks or effects"));
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
            Node::Path(path) => {
                let area = self.touched(path.abs_stroke_bounding_box());
                let paints = path.fill().map(|fill| fill.paint());
                let strokes = path.stroke().map(|stroke| stroke.paint());
                self.points += path.data().len() as u64;
                for paint in paints.into_iter().chain(strokes) {
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
                    return Err(too("too many points"));
                }
                Ok(())
            }
            Node::Image(image) => {
                let pixels = match image.kind() {
                    ImageKind::PNG(data)
                    | ImageKind::JPEG(data)
                    | ImageKind::GIF(data)
                    | ImageKind::WEBP(data) => image_pixels(data),
                    ImageKind::SVG(_) => return Err(too("a drawing inside it")),
                };
                self.image_pixels = self.image_pixels.saturating_add(pixels);
                if self.image_pixels > MAX_IMAGE_PIXELS {
                    return Err(too("too many pictures"));
                }
                self.fill(self.touched(image.abs_bounding_box()))
            }
            Node::Text(_) => Ok(()),
        }
    }

    /// Pixels of a box, in canvases: at most one, as the rest is cut off.
    fn touched(&self, bounds: usvg::Rect) -> f64 {
        let side = |length: f32| f64::from((length * self.scale).abs().min(1e6)) + 2.0;
        (side(bounds.width()) * side(bounds.height()) / self.canvas).min(1.0)
    }

    fn fill(&mut self, area: f64) -> Result<(), PictureError> {
        self.fills += area;
        if self.fills > MAX_FILLS {
            return Err(too("too many shapes on top of each other"));
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
            return Err(too("a large pattern"));
        }
        self.layers += 1;
        self.group(pattern.root(), depth + 1)
    }
}

fn image_pixels(data: &[u8]) -> u64 {
    let reader = ImageReader::new(Cursor::new(data))
        .with_guessed_format()
        .ok();
    let size = reader.and_then(|reader| reader.into_dimensions().ok());
    size.map_or(u64::MAX, |(width, height)| {
        u64::from(width) * u64::from(height)
    })
}
