//! One setting: its names, what it accepts, and where its value goes. Every module lists its own
//! in a table; `config` fills them in.

use std::time::Duration;

/// A row of a module's table of settings.
pub struct Setting<S> {
    /// `section.name` in `config.toml`.
    pub key: &'static str,
    /// The environment variable that overrides the file, if there is one.
    pub env: Option<&'static str>,
    /// Completes "… is not accepted; give …".
    pub accepts: &'static str,
    /// Takes the value as text; `None` says that it is not accepted.
    pub set: fn(&mut S, &str) -> Option<()>,
}

/// Stores a parsed value in its place, if there is one.
pub fn assign<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

/// A number from `least` up.
pub fn at_least<T: std::str::FromStr + PartialOrd>(least: T, text: &str) -> Option<T> {
    text.parse().ok().filter(|value| *value >= least)
}

/// A time such as `15s`, `5m` or `2h`.
pub fn duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

/// A time longer than none.
pub fn positive_duration(text: &str) -> Option<Duration> {
    duration(text).filter(|time| !time.is_zero())
}

/// A number of bytes, which may have a unit: `1500000`, `500 MiB`, `2GB`.
pub fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    digits.trim_end().parse::<u64>().ok()?.checked_mul(unit)
}

/// A list with commas, each item read by `item`. An empty text is an empty list.
pub fn list<T>(text: &str, item: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(item)
        .collect()
}
