//! Backdrops of a template, checked.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;

use super::diagnostic::Diagnostic;
use super::kind::{kind, refuse_other_keys};
use super::number::{LENGTH, SHARE, number, pair};
use super::stylesheet::Palette;
use super::tables::BackdropTable;
use crate::spec::overlay::Backdrop;

/// Paddings, insets and thicknesses, in u.
const DISTANCE: RangeInclusive<f64> = 0.0..=50.0;
/// Standard deviations of a blur, in u: what is blurred by less can still be recognised.
const BLUR: RangeInclusive<f64> = 0.5..=20.0;

pub fn backdrop(table: Spanned<BackdropTable>, palette: &Palette) -> Result<Backdrop, Diagnostic> {
    let at = table.span();
    let table = table.into_inner();
    let kind = kind_of(&table, &at)?;
    let black = || Spanned::new(at.clone(), "#000000".to_owned());
    let named = [table.tint, table.bar, table.card, table.frame, table.colour];
    let colour = named.into_iter().flatten().next().unwrap_or_else(black);
    let paint = palette.paint(&colour, table.opacity)?;
    let thickness = number("thickness", table.thickness, 0.3, DISTANCE)?;
    let padding = |default| pair("padding", table.padding.clone(), default, DISTANCE);
    Ok(match (kind, table.scrim, table.stripe) {
        ("tint", ..) => Backdrop::Tint(paint),
        ("blur", ..) => Backdrop::Blur {
            radius: number("blur", table.blur, 4.0, BLUR)?,
        },
        (_, Some(edge), _) => Backdrop::Scrim {
            edge,
            paint,
            reach: number("reach", table.reach, 1.5, 0.5..=10.0)?,
        },
        ("bar", ..) => Backdrop::Bar {
            paint,
            padding: padding([0.0, 3.0])?[1],
            bleed: table.bleed.unwrap_or(false),
        },
        ("card", ..) => Backdrop::Card {
            paint,
            padding: padding([3.5, 3.0])?,
            radius: number("radius", table.radius, 0.0, LENGTH)?,
            shadow: number("shadow", table.shadow, 0.0, SHARE)?,
        },
        (_, _, Some(side)) => Backdrop::Stripe {
            side,
            paint,
            thickness,
        },
        _ => Backdrop::Frame {
            paint,
            inset: number("inset", table.inset, 3.0, DISTANCE)?,
            thickness,
        },
    })
}

fn kind_of(table: &BackdropTable, at: &Range<usize>) -> Result<&'static str, Diagnostic> {
    let kinds = [
        ("tint", table.tint.is_some()),
        ("blur", table.blur.is_some()),
        ("scrim", table.scrim.is_some()),
        ("bar", table.bar.is_some()),
        ("card", table.card.is_some()),
        ("stripe", table.stripe.is_some()),
        ("frame", table.frame.is_some()),
    ];
    let kind = kind("backdrop", &kinds, at)?;
    let accepted: &[&str] = match kind {
        "tint" => &["opacity"],
        "blur" => &[],
        "scrim" => &["colour", "opacity", "reach"],
        "bar" => &["opacity", "padding", "bleed"],
        "card" => &["opacity", "padding", "radius", "shadow"],
        "stripe" => &["colour", "opacity", "thickness"],
        _ => &["opacity", "inset", "thickness"],
    };
    let given = [
        ("colour", table.colour.is_some()),
        ("opacity", table.opacity.is_some()),
        ("reach", table.reach.is_some()),
        ("padding", table.padding.is_some()),
        ("bleed", table.bleed.is_some()),
        ("radius", table.radius.is_some()),
        ("shadow", table.shadow.is_some()),
        ("thickness", table.thickness.is_some()),
        ("inset", table.inset.is_some()),
    ];
    refuse_other_keys(kind, accepted, &given, at)?;
    Ok(kind)
}
