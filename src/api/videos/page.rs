//! Lists, page by page.

use crate::api::error::ApiError;

const USUAL_LIMIT: u32 = 20;
const MOST: u32 = 100;

/// Which part of a list is asked for.
pub struct Page {
    /// What is older than the last of an earlier page.
    pub before: Option<u64>,
    pub limit: u32,
}

impl Page {
    pub fn read(limit: Option<u32>, cursor: Option<String>) -> Result<Self, ApiError> {
        let limit = limit.unwrap_or(USUAL_LIMIT);
        if !(1..=MOST).contains(&limit) {
            return Err(ApiError::invalid(
                "/limit",
                format!("is not from 1 to {MOST}"),
            ));
        }
        let before = cursor.map(|cursor| cursor.parse()).transpose();
        let before = before.map_err(|_| {
            ApiError::invalid("/cursor", "is not the next_cursor of an earlier page")
        })?;
        Ok(Self { before, limit })
    }
}

/// The items of a page, of which one more was looked for; and where the next page begins, if there is one.
pub fn cut<T>(items: &[T], limit: u32, seq: impl Fn(&T) -> u64) -> (&[T], Option<String>) {
    let limit = limit as usize;
    let shown = &items[..items.len().min(limit)];
    let last = shown.last().filter(|_| items.len() > limit);
    (shown, last.map(|item| seq(item).to_string()))
}

/// One of some names.
pub fn choice<T>(
    pointer: &str,
    name: Option<String>,
    named: impl Fn(&str) -> Option<T>,
    names: &[&str],
) -> Result<Option<T>, ApiError> {
    let Some(name) = name else {
        return Ok(None);
    };
    let chosen = named(&name).map(Some);
    chosen.ok_or_else(|| ApiError::invalid(pointer, format!("is not one of {}", names.join(", "))))
}
