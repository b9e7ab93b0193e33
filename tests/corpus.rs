//! The corpora of `make fuzz`, replayed: what was found once stays mended.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../fuzz/targets.rs"]
mod targets;

/// Runs a target over the files of its corpus; there is at least one.
fn replay(name: &str, target: fn(&[u8])) {
    let directory: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fuzz", "corpus", name]
        .iter()
        .collect();
    let files = files(&directory);
    assert!(!files.is_empty(), "{} is empty", directory.display());
    for file in files {
        println!("{}", file.display());
        target(&fs::read(&file).expect("a file"));
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a corpus");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

macro_rules! replays {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name), targets::$name);
        })*
    };
}

replays!(media_type, photo, logo, soundtrack, template, payload, url);
