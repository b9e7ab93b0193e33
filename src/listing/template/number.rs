//! Numbers of a template, checked against their ranges.

use std::ops::RangeInclusive;

use super::diagnostic::Diagnostic;
use super::tables::Number;

/// Opacities.
pub const SHARE: RangeInclusive<f64> = 0.0..=1.0;

/// Lengths in u. A frame is at least 100 u wide and high.
pub const LENGTH: RangeInclusive<f64> = 0.0..=400.0;

pub fn required(key: &str, value: &Number, range: RangeInclusive<f64>) -> Result<f64, Diagnostic> {
    if range.contains(value.get_ref()) {
        return Ok(*value.get_ref());
    }
    let (least, most) = range.into_inner();
    let given = value.get_ref();
    Err(Diagnostic::new(
        value.span(),
        format!("{key} is {given}; give a number from {least} to {most}"),
    ))
}

pub fn number(
    key: &str,
    value: Option<Number>,
    default: f64,
    range: RangeInclusive<f64>,
) -> Result<f64, Diagnostic> {
    value.map_or(Ok(default), |value| required(key, &value, range))
}

pub fn pair(
    key: &str,
    values: Option<[Number; 2]>,
    default: [f64; 2],
    range: RangeInclusive<f64>,
) -> Result<[f64; 2], Diagnostic> {
    match values {
        Some([x, y]) => Ok([required(key, &x, range.clone())?, required(key, &y, range)?]),
        None => Ok(default),
    }
}
