//! What a panel shows.

use serde::{Deserialize, Serialize};

use super::paint::Paint;

/// An item, and the gap before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// In u, in place of the panel's gap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<f64>,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text(Text),
    Rule(Rule),
    Logo(LogoBox),
    /// Items side by side if they fit, else below each other and without their rules.
    Row {
        /// Between the items, in u.
        gap: f64,
        items: Vec<Item>,
    },
}

/// Words in one style.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Text {
    pub words: String,
    pub style: Style,
    /// A box around the words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pill: Option<Pill>,
}

/// How words are set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Style {
    /// Family name.
    pub font: String,
    /// From 100, thin, to 900, black. The family's nearest weight is used.
    pub weight: u16,
    pub italic: bool,
    /// In u.
    pub size: f64,
    /// The size to which long texts are reduced before they are cut, in u.
    pub min_size: f64,
    pub paint: Paint,
    /// Added after each letter, in hundredths of the size.
    pub tracking: f64,
    pub uppercase: bool,
    pub max_lines: u32,
    /// From one baseline to the next, as a multiple of the size.
    pub leading: f64,
    /// Opacity of the soft shadow around the letters.
    pub shadow: f64,
}

/// The small box around a text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pill {
    pub paint: Paint,
    /// Left and right of the words, and above and below them, in u.
    pub padding: [f64; 2],
    /// Of the corners, in u; at most half the height.
    pub radius: f64,
}

/// A line between items: horizontal in a column, vertical in a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub paint: Paint,
    /// In u; 0 is the width of the column or the height of the row.
    pub length: f64,
    /// In u.
    pub thickness: f64,
}

/// The room for the logo, which keeps its proportions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogoBox {
    /// In u, at most.
    pub width: f64,
    /// In u, at most.
    pub height: f64,
    /// Whether a logo that is hard to see gets a backdrop of a contrasting colour.
    #[serde(alias = "plate")]
    pub backdrop: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_backdrop_is_read_by_its_name_of_earlier_versions() {
        let read = |name: &str| {
            let json = format!(r#"{{"logo":{{"width":20.0,"height":9.0,"{name}":false}}}}"#);
            serde_json::from_str::<Content>(&json).unwrap()
        };
        let logo = LogoBox {
            width: 20.0,
            height: 9.0,
            backdrop: false,
        };
        assert_eq!(read("backdrop"), Content::Logo(logo));
        assert_eq!(read("plate"), read("backdrop"));
    }
}
