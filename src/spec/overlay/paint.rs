//! Colours.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A colour and its opacity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paint {
    pub colour: Colour,
    /// From 0 to 1.
    pub opacity: f64,
}

impl Paint {
    pub fn black(opacity: f64) -> Paint {
        Paint {
            colour: Colour([0; 3]),
            opacity,
        }
    }
}

/// An sRGB colour, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(pub [u8; 3]);

impl FromStr for Colour {
    type Err = String;

    fn from_str(text: &str) -> Result<Colour, String> {
        let refused = || format!("\"{text}\" is not a colour; write #rrggbb or #rgb");
        let digits = text.strip_prefix('#').ok_or_else(refused)?;
        let digits: Option<Vec<u8>> = digits
            .chars()
            .map(|c| c.to_digit(16).map(|digit| digit as u8))
            .collect();
        match digits.ok_or_else(refused)?[..] {
            [r, g, b] => Ok(Colour([r * 17, g * 17, b * 17])),
            [r, s, g, h, b, c] => Ok(Colour([r * 16 + s, g * 16 + h, b * 16 + c])),
            _ => Err(refused()),
        }
    }
}

impl TryFrom<String> for Colour {
    type Error = String;

    fn try_from(text: String) -> Result<Colour, String> {
        text.parse()
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> String {
        colour.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_and_written() {
        assert_eq!("#1aB".parse(), Ok(Colour([0x11, 0xaa, 0xbb])));
        assert_eq!("#0a1b2c".parse(), Ok(Colour([0x0a, 0x1b, 0x2c])));
        assert_eq!(Colour([10, 27, 44]).to_string(), "#0a1b2c");
        for bad in ["", "#", "red", "#12", "#12345", "#ggg", "#é"] {
            assert!(bad.parse::<Colour>().is_err(), "{bad}");
        }
    }
}
