//! The tables of a template file, as they are written. What may be left out is an `Option`, or has
//! its default where the table is checked.
//!
//! Backdrops and items are flat structs of options, and the keys that belong to each kind are
//! checked by hand. Serde's enums would not do: `untagged`, `tag` and `flatten` buffer the table and
//! lose the positions of its values, and a plain enum needs the parsed file rewritten first, which
//! is no less code and has worse messages.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::spec::TransitionKind;
use crate::spec::overlay::{Align, Anchor, Edge};

/// A number and its position in the file.
pub type Number = Spanned<f64>;

/// The name of a colour or a style, or a colour, and its position in the file.
pub type Name = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateTable {
    pub title: String,
    #[serde(default)]
    pub description: String,
    pub transition: Option<TransitionTable>,
    /// The seconds of a fade: short for a `transition`.
    pub crossfade: Option<Number>,
    #[serde(default)]
    pub colours: BTreeMap<String, Name>,
    #[serde(default)]
    pub style: BTreeMap<String, StyleTable>,
    #[serde(default)]
    pub panel: Vec<PanelTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransitionTable {
    pub kind: TransitionKind,
    pub seconds: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StyleTable {
    pub font: String,
    pub weight: Option<Number>,
    #[serde(default)]
    pub italic: bool,
    pub size: Number,
    pub min_size: Option<Number>,
    pub colour: Option<Name>,
    pub opacity: Option<Number>,
    pub tracking: Option<Number>,
    #[serde(default)]
    pub uppercase: bool,
    pub lines: Option<Number>,
    pub leading: Option<Number>,
    pub shadow: Option<Number>,
    pub pill: Option<PillTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PillTable {
    pub colour: Name,
    pub opacity: Option<Number>,
    pub padding: Option<[Number; 2]>,
    pub radius: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelTable {
    pub start: Number,
    pub end: Option<Number>,
    pub fade_in: Option<Number>,
    pub fade_out: Option<Number>,
    pub anchor: Anchor,
    pub margin: Option<[Number; 2]>,
    pub width: Option<Number>,
    pub align: Option<Align>,
    pub gap: Option<Number>,
    #[serde(default)]
    pub backdrops: Vec<Spanned<BackdropTable>>,
    pub items: Vec<Spanned<ItemTable>>,
}

/// One of `tint`, `blur`, `scrim`, `bar`, `card`, `stripe` and `frame`, and the keys that belong to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackdropTable {
    #[serde(alias = "veil")]
    pub tint: Option<Name>,
    pub blur: Option<Number>,
    pub scrim: Option<Edge>,
    pub bar: Option<Name>,
    pub card: Option<Name>,
    pub stripe: Option<Edge>,
    pub frame: Option<Name>,
    pub colour: Option<Name>,
    pub opacity: Option<Number>,
    pub reach: Option<Number>,
    pub padding: Option<[Number; 2]>,
    pub bleed: Option<bool>,
    pub radius: Option<Number>,
    pub shadow: Option<Number>,
    pub thickness: Option<Number>,
    pub inset: Option<Number>,
}

/// One of `text`, `rule`, `logo` and `row`, and the keys that belong to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemTable {
    pub text: Option<Name>,
    pub rule: Option<Name>,
    pub logo: Option<[Number; 2]>,
    pub row: Option<Vec<Spanned<ItemTable>>>,
    pub style: Option<Name>,
    pub keep: Option<bool>,
    pub length: Option<Number>,
    pub thickness: Option<Number>,
    pub opacity: Option<Number>,
    #[serde(alias = "plate")]
    pub backdrop: Option<bool>,
    pub gap: Option<Number>,
    pub space: Option<Number>,
}
