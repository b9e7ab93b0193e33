//! Tables that are one of several kinds: one key says which, and each kind has keys of its own.

use std::ops::Range;

use super::diagnostic::{Diagnostic, listed};

/// The kind of a table. `given` has every kind, and whether the table has its key.
pub fn kind(
    what: &str,
    given: &[(&'static str, bool)],
    at: &Range<usize>,
) -> Result<&'static str, Diagnostic> {
    let mut kinds = given
        .iter()
        .filter(|(_, given)| *given)
        .map(|(kind, _)| *kind);
    let message = match (kinds.next(), kinds.next()) {
        (Some(kind), None) => return Ok(kind),
        (Some(one), Some(other)) => format!("this {what} cannot be both a {one} and a {other}"),
        (None, _) => {
            let known = listed(given.iter().map(|(kind, _)| kind));
            format!("this {what} has no kind; give one of: {known}")
        }
    };
    Err(Diagnostic::new(at.clone(), message))
}

/// Refuses the keys of other kinds. `given` has every key, and whether the table has it.
pub fn refuse_other_keys(
    kind: &str,
    accepted: &[&str],
    given: &[(&str, bool)],
    at: &Range<usize>,
) -> Result<(), Diagnostic> {
    let other = given
        .iter()
        .find(|(key, given)| *given && !accepted.contains(key));
    other.map_or(Ok(()), |(key, _)| {
        let message = match accepted {
            [] => format!("a {kind} has no `{key}`, nor other keys"),
            _ => format!("a {kind} has no `{key}`; it may have: {}", listed(accepted)),
        };
        Err(Diagnostic::new(at.clone(), message))
    })
}
