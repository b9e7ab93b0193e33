//! A template as it is written in its file. What may be left out is an `Option`, or has a default in
//! [`check`](super::check).

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A number, and where it stands.
pub type Number = Spanned<f64>;

/// A name of a colour or a style, or a colour, and where it stands.
pub type Name = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateForm {
    pub title: String,
    #[serde(default)]
    pub description: String,
    pub crossfade: Option<Number>,
    #[serde(default)]
    pub colours: BTreeMap<String, Name>,
    #[serde(default)]
    pub style: BTreeMap<String, StyleForm>,
    #[serde(default)]
    pub panel: Vec<PanelForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StyleForm {
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
    pub pill: Option<PillForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PillForm {
    pub colour: Name,
    pub opacity: Option<Number>,
    pub padding: Option<[Number; 2]>,
    pub radius: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelForm {
    pub start: Number,
    pub end: Option<Number>,
    pub fade_in: Option<Number>,
    pub fade_out: Option<Number>,
    pub anchor: crate::spec::overlay::Anchor,
    pub margin: Option<[Number; 2]>,
    pub width: Option<Number>,
    pub align: Option<crate::spec::overlay::Align>,
    pub gap: Option<Number>,
    #[serde(default)]
    pub backdrops: Vec<Spanned<BackdropForm>>,
    pub items: Vec<Spanned<ItemForm>>,
}

/// One of `tint`, `scrim`, `bar`, `card`, `stripe` and `frame`, and what belongs to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackdropForm {
    #[serde(alias = "veil")]
    pub tint: Option<Name>,
    pub scrim: Option<crate::spec::overlay::Edge>,
    pub bar: Option<Name>,
    pub card: Option<Name>,
    pub stripe: Option<crate::spec::overlay::Edge>,
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

/// One of `text`, `rule`, `logo` and `row`, and what belongs to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemForm {
    pub text: Option<Name>,
    pub rule: Option<Name>,
    pub logo: Option<[Number; 2]>,
    pub row: Option<Vec<Spanned<ItemForm>>>,
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
