//! Items of a template, checked.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;

use super::diagnostic::Diagnostic;
use super::draft::{DraftContent, DraftItem};
use super::kind::{kind, refuse_other_keys};
use super::number::{LENGTH, number, required};
use super::placeholder::pieces;
use super::stylesheet::Stylesheet;
use super::tables::ItemTable;
use crate::spec::overlay::{LogoBox, Rule};

/// Distances between items, in u.
const GAP: RangeInclusive<f64> = 0.0..=100.0;
/// Sides of a logo's box, in u.
const LOGO_SIDE: RangeInclusive<f64> = 0.5..=400.0;

pub fn items(
    tables: Vec<Spanned<ItemTable>>,
    stylesheet: &Stylesheet,
) -> Result<Vec<DraftItem>, Diagnostic> {
    let item = |table| item(table, stylesheet);
    tables.into_iter().map(item).collect()
}

fn item(table: Spanned<ItemTable>, stylesheet: &Stylesheet) -> Result<DraftItem, Diagnostic> {
    let at = table.span();
    let table = table.into_inner();
    check_keys(&table, &at)?;
    let space = table.space.as_ref();
    let space = space.map(|space| required("space", space, GAP));
    Ok(DraftItem {
        space: space.transpose()?,
        content: content(table, &at, stylesheet)?,
    })
}

fn content(
    table: ItemTable,
    at: &Range<usize>,
    stylesheet: &Stylesheet,
) -> Result<DraftContent, Diagnostic> {
    Ok(if let Some(text) = table.text {
        let text_style = stylesheet.style(table.style, at)?;
        DraftContent::Text {
            pieces: pieces(&text)?,
            style: text_style.style.clone(),
            pill: text_style.pill,
            keep: table.keep.unwrap_or(false),
        }
    } else if let Some(colour) = table.rule {
        DraftContent::Rule(Rule {
            paint: stylesheet.palette.paint(&colour, table.opacity)?,
            length: number("length", table.length, 0.0, LENGTH)?,
            thickness: number("thickness", table.thickness, 0.3, 0.0..=20.0)?,
        })
    } else if let Some([width, height]) = table.logo {
        DraftContent::Logo(LogoBox {
            width: required("the logo's width", &width, LOGO_SIDE)?,
            height: required("the logo's height", &height, LOGO_SIDE)?,
            backdrop: table.backdrop.unwrap_or(true),
        })
    } else {
        DraftContent::Row {
            gap: number("gap", table.gap, 2.0, GAP)?,
            items: items(table.row.unwrap_or_default(), stylesheet)?,
        }
    })
}

fn check_keys(table: &ItemTable, at: &Range<usize>) -> Result<(), Diagnostic> {
    let kinds = [
        ("text", table.text.is_some()),
        ("rule", table.rule.is_some()),
        ("logo", table.logo.is_some()),
        ("row", table.row.is_some()),
    ];
    let kind = kind("item", &kinds, at)?;
    let accepted: &[&str] = match kind {
        "text" => &["style", "keep"],
        "rule" => &["length", "thickness", "opacity"],
        "logo" => &["backdrop"],
        _ => &["gap"],
    };
    let given = [
        ("style", table.style.is_some()),
        ("keep", table.keep.is_some()),
        ("length", table.length.is_some()),
        ("thickness", table.thickness.is_some()),
        ("opacity", table.opacity.is_some()),
        ("backdrop", table.backdrop.is_some()),
        ("gap", table.gap.is_some()),
    ];
    refuse_other_keys(kind, accepted, &given, at)
}
