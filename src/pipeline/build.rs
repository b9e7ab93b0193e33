//! Which program this is.

use std::fs::File;
use std::sync::LazyLock;

use log::error;

use super::downloads::{Hash, hash};

/// The same only for the same executable, with everything that is built into it: code, models, fonts, templates.
static BUILD: LazyLock<Option<Hash>> = LazyLock::new(|| {
    let hashed = File::open("/proc/self/exe").and_then(hash);
    let hashed = hashed.inspect_err(|error| error!("the program cannot read itself: {error}"));
    hashed.ok().map(|(_, hash)| hash)
});

/// `None`: nobody can tell.
pub fn fingerprint() -> Option<Hash> {
    *BUILD
}
