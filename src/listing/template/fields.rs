//! The facts that a template is filled with.

use std::fmt;

use crate::spec::wording::clean;

/// A fact that a template may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Address,
    Price,
    Details,
    Name,
    Phone,
    Website,
    Logo,
}

impl Field {
    /// The facts that are text, by the word of their placeholder.
    pub(super) const TEXTS: [(&'static str, Field); 6] = [
        ("address", Field::Address),
        ("price", Field::Price),
        ("details", Field::Details),
        ("name", Field::Name),
        ("phone", Field::Phone),
        ("website", Field::Website),
    ];
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Field::TEXTS.iter().find(|(_, field)| field == self);
        f.write_str(named.map_or("logo", |(name, _)| name))
    }
}

/// The facts of one listing, as the caller sent them. What is missing or blank is left out of the
/// titles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pub address: Option<String>,
    pub price: Option<String>,
    pub details: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub website: Option<String>,
    /// Whether there is a logo.
    pub logo: bool,
}

impl Fields {
    /// What may be told without saying who sells.
    pub fn unbranded(&self) -> Self {
        Self {
            address: self.address.clone(),
            price: self.price.clone(),
            details: self.details.clone(),
            ..Self::default()
        }
    }

    /// The text to show; `None` if there is none, or nothing of it is visible.
    pub(super) fn text(&self, field: Field) -> Option<String> {
        let text = match field {
            Field::Address => &self.address,
            Field::Price => &self.price,
            Field::Details => &self.details,
            Field::Name => &self.name,
            Field::Phone => &self.phone,
            Field::Website => &self.website,
            Field::Logo => &None,
        };
        let text = clean(text.as_deref()?);
        let text = match field {
            Field::Website => without_scheme(&text).to_owned(),
            _ => text,
        };
        (!text.trim().is_empty()).then_some(text)
    }
}

/// A web address as people write it.
fn without_scheme(website: &str) -> &str {
    let address = website.trim().trim_end_matches('/');
    let schemes = ["https://", "http://"];
    let bare = schemes
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme));
    bare.unwrap_or(address)
}
