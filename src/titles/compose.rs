//! Panel → shapes in their order: backdrops, then the items on them.

use super::blur::blurred;
use super::font_library::FontLibrary;
use super::fonts::Fonts;
use super::layout::{Block, Kind, Setter, anchored};
use super::logo_backdrop::logo_backdrop;
use super::outline::outlines;
use super::safe_area;
use super::shape::{Bitmap, Rect, Shape};
use crate::picture::Logo;
use crate::spec::Size;
use crate::spec::overlay::{Anchor, Backdrop, Colour, Edge, Paint, Panel};

/// How often a panel that is too high is made smaller before it is given up.
const MOST_TRIES: usize = 8;

/// Of a text's soft shadow: blur and drop as shares of the size, and how much the blur is
/// strengthened so that thin strokes throw one too.
const SHADOW_BLUR: f32 = 0.085;
const SHADOW_DROP: f32 = 0.03;
const SHADOW_STRENGTH: f32 = 1.7;

/// Of a card's soft shadow, in u.
const GLOW_SPREAD: f32 = 3.0;
const GLOW_DROP: f32 = 0.8;

/// Between a stripe and the items beside it, in u.
const STRIPE_GAP: f32 = 2.2;

/// Corner radius of a logo backdrop, as a share of their lesser side.
const LOGO_BACKDROP_RADIUS: f32 = 0.14;

const BLACK: Colour = Colour([0; 3]);

/// What is painted for a panel, from the bottom up.
pub(super) fn shapes(panel: &Panel, logo: Option<&Logo>, fonts: &Fonts, frame: Size) -> Vec<Shape> {
    let mut library = fonts.library();
    let Some(arranged) = arrange(panel, logo, &mut library, frame) else {
        return Vec::new();
    };
    let mut painter = Painter {
        shapes: Vec::new(),
        logo,
        unit: arranged.unit,
    };
    arranged.backdrops(panel, frame, &mut painter.shapes);
    painter.block(arranged.content.x, arranged.content.y, arranged.column);
    painter.shapes
}

/// The boxes of a panel's items, and of the solid backdrops around them.
pub(super) fn bounds(
    panel: &Panel,
    logo: Option<&Logo>,
    fonts: &Fonts,
    frame: Size,
) -> Vec<[f32; 4]> {
    let mut library = fonts.library();
    let Some(arranged) = arrange(panel, logo, &mut library, frame) else {
        return Vec::new();
    };
    let mut rects = vec![arranged.outer];
    let mut waiting = vec![(arranged.content.x, arranged.content.y, &arranged.column)];
    while let Some((x, y, block)) = waiting.pop() {
        match &block.kind {
            Kind::Group(blocks) => {
                waiting.extend(blocks.iter().map(|(dx, dy, block)| (x + dx, y + dy, block)));
            }
            _ => rects.push(Rect {
                x,
                y,
                width: block.width,
                height: block.height,
            }),
        }
    }
    rects
        .iter()
        .map(|rect| [rect.x, rect.y, rect.width, rect.height])
        .collect()
}

/// A panel that has found its place.
struct Arranged {
    column: Block,
    content: Rect,
    /// The content and its padding.
    outer: Rect,
    /// Pixels to a u, less where the panel was too high.
    unit: f32,
}

fn arrange(
    panel: &Panel,
    logo: Option<&Logo>,
    library: &mut FontLibrary,
    frame: Size,
) -> Option<Arranged> {
    let area = safe_area::area(frame, panel.margin);
    let mut unit = safe_area::unit(frame);
    let logo_backdrop = logo.and_then(|logo| logo_backdrop(logo, panel));
    for _ in 0..MOST_TRIES {
        let padding = Padding::of(panel, unit);
        let width = (panel.width as f32 * unit).min(area.width - padding.left - padding.right);
        let mut setter = Setter {
            library,
            logo,
            logo_backdrop,
            panel,
            unit,
        };
        let column = setter.column(width)?;
        let (outer_width, outer_height) = (
            column.width + padding.left + padding.right,
            column.height + padding.top + padding.bottom,
        );
        if outer_height > area.height || outer_width > area.width + 1.0 {
            unit *= (area.height / outer_height)
                .min(area.width / outer_width)
                .clamp(0.5, 0.97);
            continue;
        }
        let outer = anchored(area, panel.anchor.fractions(), outer_width, outer_height);
        let content = Rect {
            x: outer.x + padding.left,
            // Whole pixels keep baselines sharp.
            y: (outer.y + padding.top).round(),
            width: column.width,
            height: column.height,
        };
        return Some(Arranged {
            column,
            content,
            outer,
            unit,
        });
    }
    None
}

/// Between the items and their box, in pixels.
#[derive(Clone, Copy, Default)]
struct Padding {
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
}

impl Padding {
    fn of(panel: &Panel, unit: f32) -> Padding {
        let mut padding = Padding::default();
        let px = |units: f64| units as f32 * unit;
        let mut boxed = false;
        for backdrop in &panel.backdrops {
            match backdrop {
                Backdrop::Card {
                    padding: [x, y], ..
                } => {
                    (padding.left, padding.right) = (px(*x), px(*x));
                    (padding.top, padding.bottom) = (px(*y), px(*y));
                    boxed = true;
                }
                Backdrop::Bar {
                    padding: y, bleed, ..
                } => {
                    let (_, fraction) = panel.anchor.fractions();
                    // Towards the edge there is the margin.
                    padding.top = if *bleed && fraction == 0.0 {
                        0.0
                    } else {
                        px(*y)
                    };
                    padding.bottom = if *bleed && fraction == 1.0 {
                        0.0
                    } else {
                        px(*y)
                    };
                    boxed = true;
                }
                Backdrop::Stripe {
                    side, thickness, ..
                } => {
                    let beside = px(*thickness) + if boxed { 0.0 } else { STRIPE_GAP * unit };
                    match side {
                        Edge::Left => padding.left += beside,
                        Edge::Right => padding.right += beside,
                        Edge::Top => padding.top += beside,
                        Edge::Bottom => padding.bottom += beside,
                    }
                }
                Backdrop::Tint(_) | Backdrop::Scrim { .. } | Backdrop::Frame { .. } => {}
            }
        }
        padding
    }
}

impl Arranged {
    fn backdrops(&self, panel: &Panel, frame: Size, shapes: &mut Vec<Shape>) {
        let (width, height) = (frame.width as f32, frame.height as f32);
        let whole = Rect {
            x: 0.0,
            y: 0.0,
            width,
            height,
        };
        let px = |units: f64| units as f32 * self.unit;
        // What a stripe belongs to.
        let mut boxed = self.outer;
        for backdrop in &panel.backdrops {
            match *backdrop {
                Backdrop::Tint(paint) => shapes.push(fill(whole, 0.0, paint)),
                Backdrop::Scrim { edge, paint, reach } => {
                    let rect = self.scrim(edge, reach as f32, whole);
                    shapes.push(Shape::Scrim { rect, edge, paint });
                }
                Backdrop::Bar { paint, bleed, .. } => {
                    boxed = self.bar(panel.anchor, bleed, whole).snapped();
                    shapes.push(fill(boxed, 0.0, paint));
                }
                Backdrop::Card {
                    paint,
                    radius,
                    shadow,
                    ..
                } => {
                    boxed = self.outer.snapped();
                    let radius = px(radius);
                    if shadow > 0.0 {
                        let rect = Rect {
                            y: boxed.y + GLOW_DROP * self.unit,
                            ..boxed
                        };
                        let spread = (GLOW_SPREAD * self.unit).max(1.0);
                        let paint = Paint {
                            colour: BLACK,
                            opacity: shadow,
                        };
                        shapes.push(Shape::Glow {
                            rect,
                            radius: radius + spread,
                            spread,
                            paint,
                        });
                    }
                    shapes.push(fill(boxed, radius, paint));
                }
                Backdrop::Stripe {
                    side,
                    paint,
                    thickness,
                } => shapes.push(fill(stripe(boxed, side, px(thickness)), 0.0, paint)),
                Backdrop::Frame {
                    paint,
                    inset,
                    thickness,
                } => {
                    let rect = whole.grown(-px(inset), -px(inset)).snapped();
                    let thickness = (px(thickness) / 2.0).round().max(0.5) * 2.0;
                    shapes.push(Shape::Ring {
                        rect,
                        thickness,
                        paint,
                    });
                }
            }
        }
    }

    /// From an edge of the frame to `reach` times the distance of the items' far side.
    fn scrim(&self, edge: Edge, reach: f32, frame: Rect) -> Rect {
        let Rect {
            x,
            y,
            width,
            height,
        } = self.outer;
        let upright = |depth: f32| (depth * reach).clamp(1.0, frame.height * 2.0);
        let along = |depth: f32| (depth * reach).clamp(1.0, frame.width * 2.0);
        match edge {
            Edge::Top => Rect {
                height: upright(y + height),
                ..frame
            },
            Edge::Bottom => {
                let depth = upright(frame.height - y);
                Rect {
                    y: frame.height - depth,
                    height: depth,
                    ..frame
                }
            }
            Edge::Left => Rect {
                width: along(x + width),
                ..frame
            },
            Edge::Right => {
                let depth = along(frame.width - x);
                Rect {
                    x: frame.width - depth,
                    width: depth,
                    ..frame
                }
            }
        }
    }

    fn bar(&self, anchor: Anchor, bleed: bool, frame: Rect) -> Rect {
        let (_, fraction) = anchor.fractions();
        let (mut top, mut bottom) = (self.outer.y, self.outer.bottom());
        if bleed && fraction == 0.0 {
            top = 0.0;
        }
        if bleed && fraction == 1.0 {
            bottom = frame.height;
        }
        Rect {
            y: top,
            height: bottom - top,
            ..frame
        }
    }
}

fn stripe(rect: Rect, side: Edge, thickness: f32) -> Rect {
    let stripe = match side {
        Edge::Left => Rect {
            width: thickness,
            ..rect
        },
        Edge::Right => Rect {
            x: rect.right() - thickness,
            width: thickness,
            ..rect
        },
        Edge::Top => Rect {
            height: thickness,
            ..rect
        },
        Edge::Bottom => Rect {
            y: rect.bottom() - thickness,
            height: thickness,
            ..rect
        },
    };
    stripe.snapped()
}

fn fill(rect: Rect, radius: f32, paint: Paint) -> Shape {
    Shape::Fill {
        rect,
        radius,
        paint,
    }
}

struct Painter<'a> {
    shapes: Vec<Shape>,
    logo: Option<&'a Logo>,
    unit: f32,
}

impl Painter<'_> {
    fn block(&mut self, x: f32, y: f32, block: Block) {
        let rect = Rect {
            x,
            y,
            width: block.width,
            height: block.height,
        };
        match block.kind {
            Kind::Group(blocks) => {
                for (dx, dy, block) in blocks {
                    self.block(x + dx, y + dy, block);
                }
            }
            Kind::Rule(paint) => {
                // Rules keep their thickness wherever they lie.
                let rect = Rect {
                    x: rect.x.round(),
                    y: rect.y.round(),
                    ..rect
                };
                self.shapes.push(fill(rect, 0.0, paint));
            }
            Kind::Logo { backdrop, padding } => self.logo(rect, backdrop, padding),
            Kind::Text { set, style, pill } => {
                let mut words = (x, y);
                if let Some((pill, padding)) = pill {
                    let radius = (pill.radius as f32 * self.unit).min(rect.height / 2.0);
                    let rect = Rect {
                        y: rect.y.round(),
                        ..rect
                    };
                    self.shapes.push(fill(rect, radius, pill.paint));
                    words = (x + padding[0], y + padding[1]);
                }
                let (mask, bitmaps) = outlines(&set.outlines, words.0, words.1.round());
                if style.shadow > 0.0 {
                    let radius = (SHADOW_BLUR * set.size).round().max(1.0) as usize;
                    let mut shadow = blurred(&mask, radius, SHADOW_STRENGTH);
                    shadow.y += (SHADOW_DROP * set.size).round() as i32;
                    let paint = Paint {
                        colour: BLACK,
                        opacity: style.shadow,
                    };
                    self.shapes.push(Shape::Mask {
                        mask: shadow,
                        paint,
                    });
                }
                self.shapes.push(Shape::Mask {
                    mask,
                    paint: style.paint,
                });
                self.shapes.extend(bitmaps.into_iter().map(Shape::Image));
            }
        }
    }

    fn logo(&mut self, rect: Rect, backdrop: Option<Paint>, padding: f32) {
        let Some(logo) = self.logo else {
            return;
        };
        if let Some(paint) = backdrop {
            let rect = rect.snapped();
            let radius = LOGO_BACKDROP_RADIUS * rect.width.min(rect.height);
            self.shapes.push(fill(rect, radius, paint));
        }
        let size = Size {
            width: (rect.width - 2.0 * padding).max(1.0) as u32,
            height: (rect.height - 2.0 * padding).max(1.0) as u32,
        };
        let (x, y) = (rect.x + padding, rect.y + padding);
        self.shapes.push(Shape::Image(Bitmap {
            x: x.round() as i32,
            y: y.round() as i32,
            width: size.width as usize,
            height: size.height as usize,
            pixels: logo.scaled(size),
        }));
    }
}
