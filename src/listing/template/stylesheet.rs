//! The colours and styles that a template defines, by name.

use std::collections::BTreeMap;
use std::ops::Range;

use super::diagnostic::{Diagnostic, listed};
use super::number::{LENGTH, SHARE, number, pair, required};
use super::tables::{Name, Number, PillTable, StyleTable};
use crate::spec::overlay::{Colour, Paint, Pill, Style};

const WHITE: Colour = Colour([255; 3]);

pub struct Stylesheet {
    pub palette: Palette,
    styles: BTreeMap<String, TextStyle>,
}

/// A style and the pill around its texts.
pub struct TextStyle {
    pub style: Style,
    pub pill: Option<Pill>,
}

/// The colours by name.
pub struct Palette(BTreeMap<String, Colour>);

impl Stylesheet {
    pub fn new(
        colours: BTreeMap<String, Name>,
        styles: BTreeMap<String, StyleTable>,
    ) -> Result<Stylesheet, Diagnostic> {
        let palette = Palette::new(colours)?;
        let styles: Result<_, Diagnostic> = styles
            .into_iter()
            .map(|(name, table)| Ok((name, text_style(table, &palette)?)))
            .collect();
        Ok(Stylesheet {
            styles: styles?,
            palette,
        })
    }

    /// The style of that name, for a text whose table is `at` this position.
    pub fn style(&self, name: Option<Name>, at: &Range<usize>) -> Result<&TextStyle, Diagnostic> {
        let known = || listed(self.styles.keys());
        let name = name.ok_or_else(|| {
            let message = format!("the text has no style; give one of: {}", known());
            Diagnostic::new(at.clone(), message)
        })?;
        self.styles.get(name.get_ref()).ok_or_else(|| {
            let unknown = name.get_ref();
            let message = format!("unknown style \"{unknown}\"; give one of: {}", known());
            Diagnostic::new(name.span(), message)
        })
    }
}

impl Palette {
    fn new(colours: BTreeMap<String, Name>) -> Result<Palette, Diagnostic> {
        let parse = |(name, text): (String, Name)| {
            let colour = text.get_ref().parse();
            let colour = colour.map_err(|message: String| Diagnostic::new(text.span(), message))?;
            Ok((name, colour))
        };
        let colours: Result<_, Diagnostic> = colours.into_iter().map(parse).collect();
        colours.map(Palette)
    }

    fn colour(&self, name: &Name) -> Result<Colour, Diagnostic> {
        if let Some(colour) = self.0.get(name.get_ref()) {
            return Ok(*colour);
        }
        name.get_ref().parse().map_err(|_| {
            let (unknown, known) = (name.get_ref(), listed(self.0.keys()));
            let message = format!(
                "unknown colour \"{unknown}\"; give #rrggbb or a name from [colours]: {known}"
            );
            Diagnostic::new(name.span(), message)
        })
    }

    pub fn paint(&self, colour: &Name, opacity: Option<Number>) -> Result<Paint, Diagnostic> {
        paint(self.colour(colour)?, opacity)
    }
}

fn paint(colour: Colour, opacity: Option<Number>) -> Result<Paint, Diagnostic> {
    Ok(Paint {
        colour,
        opacity: number("opacity", opacity, 1.0, SHARE)?,
    })
}

fn text_style(table: StyleTable, palette: &Palette) -> Result<TextStyle, Diagnostic> {
    let size = required("size", &table.size, 0.5..=60.0)?;
    let colour = table.colour.as_ref().map(|name| palette.colour(name));
    let style = Style {
        font: table.font,
        weight: number("weight", table.weight, 400.0, 1.0..=1000.0)?.round() as u16,
        italic: table.italic,
        size,
        min_size: number("min_size", table.min_size, size * 0.6, 0.5..=size)?,
        paint: paint(colour.unwrap_or(Ok(WHITE))?, table.opacity)?,
        tracking: number("tracking", table.tracking, 0.0, -20.0..=100.0)?,
        uppercase: table.uppercase,
        max_lines: number("lines", table.lines, 1.0, 1.0..=12.0)?.round() as u32,
        leading: number("leading", table.leading, 1.2, 0.7..=4.0)?,
        shadow: number("shadow", table.shadow, 0.0, SHARE)?,
    };
    let pill = table.pill.map(|table| pill(table, palette));
    Ok(TextStyle {
        style,
        pill: pill.transpose()?,
    })
}

fn pill(table: PillTable, palette: &Palette) -> Result<Pill, Diagnostic> {
    Ok(Pill {
        paint: palette.paint(&table.colour, table.opacity)?,
        padding: pair("padding", table.padding, [1.6, 0.9], 0.0..=40.0)?,
        radius: number("radius", table.radius, LENGTH.end() / 2.0, LENGTH)?,
    })
}
