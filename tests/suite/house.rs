//! The house's order: which module may import which, and where each outside crate lives.

use std::fs;
use std::path::{Path, PathBuf};

use kinora::job::FailureCode;

/// Module, and what it may import of this crate, as DESIGN.md and the map in `src/lib.rs` say.
/// `setting` and `errors` are free to all but plain data.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("setting", &[]),
    ("errors", &[]),
    ("allocator", &[]),
    ("metrics", &[]),
    ("request_id", &[]),
    ("logging", &["setting"]),
    ("spec", &[]),
    ("media_type", &[]),
    ("client", &["errors"]),
    ("job", &["spec"]),
    ("net", &["spec", "job", "setting", "errors"]),
    ("picture", &["spec", "media_type", "setting", "errors"]),
    ("sound", &["spec", "media_type", "setting", "errors"]),
    ("titles", &["spec", "picture", "errors"]),
    ("subject", &["spec", "picture"]),
    (
        "render",
        &["spec", "picture", "subject", "titles", "errors"],
    ),
    ("confinement", &["allocator"]),
    (
        "sandbox",
        &[
            "spec",
            "picture",
            "sound",
            "setting",
            "errors",
            "allocator",
            "confinement",
        ],
    ),
    (
        "encode",
        &["spec", "setting", "errors", "confinement", "metrics"],
    ),
    ("storage", &["spec", "job", "setting", "errors"]),
    ("listing", &["spec", "setting", "errors"]),
    ("schema", &[]),
    (
        "order",
        &["spec", "net", "render", "listing", "schema", "errors"],
    ),
    (
        "pipeline",
        &[
            "spec",
            "job",
            "media_type",
            "net",
            "sandbox",
            "picture",
            "sound",
            "subject",
            "titles",
            "render",
            "encode",
            "storage",
            "errors",
            "metrics",
        ],
    ),
    (
        "jobs",
        &[
            "spec",
            "job",
            "pipeline",
            "setting",
            "errors",
            "metrics",
            "request_id",
        ],
    ),
    (
        "webhooks",
        &["job", "jobs", "net", "setting", "errors", "metrics"],
    ),
    (
        "api",
        &[
            "spec",
            "job",
            "jobs",
            "listing",
            "schema",
            "order",
            "webhooks",
            "setting",
            "errors",
            // Handles that `app` gives it.
            "net",
            "storage",
            "encode",
            "pipeline",
            "metrics",
            "request_id",
        ],
    ),
];
/// Modules that put the others together.
const MAY_IMPORT_ALL: &[&str] = &["app", "cli", "config", "main", "lib"];

/// Crate, and where it lives: files, or folders with a slash at their end.
const HOMES: &[(&str, &[&str])] = &[
    ("actix_web", &["api/", "app/"]),
    ("actix_http", &["api/server.rs"]),
    ("actix_server", &["api/server.rs"]),
    ("actix_service", &["api/server.rs"]),
    ("jsonschema", &["api/", "order/", "schema/"]),
    ("utoipa", &["api/"]),
    ("utoipa_swagger_ui", &["api/reference.rs"]),
    ("subtle", &["api/auth.rs"]),
    ("reqwest", &["client/", "net/"]),
    ("http", &["storage/object/"]),
    ("httpdate", &["net/"]),
    ("ipnet", &["net/"]),
    ("sqlx", &["jobs/postgres/", "jobs/row.rs", "jobs/sqlite/"]),
    (
        "crossbeam_channel",
        &[
            "encode/process.rs",
            "jobs/sqlite/lanes.rs",
            "pipeline/",
            "render/",
            "sandbox/",
        ],
    ),
    ("image", &["picture/"]),
    ("jpeg_encoder", &["picture/thumbnail.rs"]),
    ("zune_jpeg", &["picture/"]),
    ("moxcms", &["picture/"]),
    ("fax", &["picture/tiff/"]),
    ("re_mp4", &["encode/output.rs"]),
    ("flate2", &["api/asset.rs", "picture/tiff/"]),
    ("weezl", &["picture/tiff/"]),
    ("re_rav1d", &["picture/avif/"]),
    ("zenavif_parse", &["picture/avif/"]),
    ("ffmpeg_sidecar", &["encode/"]),
    (
        "rustix",
        &[
            "app/node.rs",
            "api/connections/descriptors.rs",
            "api/free_space.rs",
            "errors.rs",
            "encode/",
            "confinement/",
            "sandbox/",
        ],
    ),
    ("nix", &["encode/pipe.rs"]),
    ("socket2", &["api/connections/stream.rs"]),
    ("landlock", &["confinement/"]),
    ("seccompiler", &["confinement/"]),
    ("libc", &["confinement/"]),
    ("prometheus", &["metrics.rs"]),
    ("object_store", &["storage/object/"]),
    ("symphonia", &["sound/"]),
    ("resvg", &["picture/svg.rs"]),
    ("cosmic_text", &["titles/"]),
    ("realfft", &["sound/beats/spectrum.rs"]),
    ("zeno", &["titles/"]),
    (
        "pulp",
        &[
            "picture/ycc.rs",
            "render/resample/taps.rs",
            "render/transition.rs",
            "subject/faces/layers.rs",
            "subject/reduced.rs",
            "titles/layer.rs",
        ],
    ),
    (
        "include_dir",
        &["api/page.rs", "listing/template/", "titles/"],
    ),
    (
        "tempfile",
        &["app/check.rs", "pipeline/downloads.rs", "sandbox/heif.rs"],
    ),
    ("async_trait", &["jobs/", "storage/"]),
    ("hmac", &["webhooks/"]),
    ("base64", &["webhooks/"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/completions.rs"]),
    ("clap_mangen", &["cli/manual.rs"]),
    ("indicatif", &["cli/"]),
    ("env_logger", &["cli/", "logging.rs"]),
    ("rustls", &["cli/"]),
    ("toml", &["config.rs", "listing/template/"]),
];

/// A source file: its path under `src/`, and its code without comments, texts and unit tests.
struct Source {
    path: String,
    code: String,
}

impl Source {
    fn module(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap_or_default()
    }

    /// The names that follow `crate::`, those in braces included.
    fn imports(&self) -> Vec<String> {
        let mut names = Vec::new();
        for after in self.code.split("crate::").skip(1) {
            if let Some(group) = after.strip_prefix('{') {
                let group = group.split_once("};").map_or(group, |(group, _)| group);
                names.extend(top_level(group).map(first_name));
            } else {
                names.push(first_name(after));
            }
        }
        names
    }

    fn uses_crate(&self, name: &str) -> bool {
        self.code
            .match_indices(&format!("{name}::"))
            .any(|(at, _)| {
                let before = self.code[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
            })
    }
}

/// The parts of `a::{b, c}, d` between the outermost commas.
fn top_level(group: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    group.split(move |c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    })
}

fn first_name(text: &str) -> String {
    let name = |c: &char| c.is_alphanumeric() || *c == '_';
    text.trim_start().chars().take_while(name).collect()
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                sources.push(read(&root, path));
            }
        }
    }
    assert!(sources.len() > 20, "the sources have moved");
    sources
}

fn read(root: &Path, path: PathBuf) -> Source {
    let text = fs::read_to_string(&path).expect("a source file");
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: Vec<&str> = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let path = path.strip_prefix(root).expect("a path under src");
    Source {
        path: path.display().to_string(),
        code: code.join("\n"),
    }
}

#[test]
fn every_module_imports_only_what_it_may() {
    for source in sources() {
        let module = source.module();
        if MAY_IMPORT_ALL.contains(&module) {
            continue;
        }
        let rule = MAY_IMPORT.iter().find(|(name, _)| *name == module);
        let (_, allowed) = rule.unwrap_or_else(|| panic!("{module} has no place in the house"));
        for name in source.imports() {
            let own = name == module;
            assert!(
                own || allowed.contains(&name.as_str()),
                "{} imports {name}",
                source.path
            );
        }
    }
}

#[test]
fn every_crate_lives_in_its_home() {
    for source in sources() {
        for (name, homes) in HOMES {
            let at_home = homes.iter().any(|home| {
                source.path == *home || home.ends_with('/') && source.path.starts_with(home)
            });
            assert!(
                at_home || !source.uses_crate(name),
                "{} uses {name}",
                source.path
            );
        }
    }
}

#[test]
fn every_home_is_lived_in() {
    // Lest the table outlives what it tells of, or the search stops finding anything.
    let sources = sources();
    for (name, _) in HOMES {
        let used = sources.iter().any(|source| source.uses_crate(name));
        assert!(used, "{name}");
    }
}

#[test]
fn only_the_settings_module_reads_the_environment() {
    for source in sources() {
        let reads = source.code.contains("env::var");
        // The allocator's variables are the C library's, and read before there are settings. What is passed on to
        // encoders is not looked at. The journal's variable is systemd's.
        let may = [
            "config.rs",
            "allocator.rs",
            "confinement/launch.rs",
            "app/keys.rs",
        ];
        let may = may.contains(&source.path.as_str());
        assert!(!reads || may, "{}", source.path);
    }
}

#[test]
fn the_map_in_the_library_names_every_module() {
    let library = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"));
    let library = library.expect("src/lib.rs");
    for line in library.lines() {
        if let Some(module) = line.strip_prefix("pub mod ") {
            let name = module.trim_end_matches(';');
            assert!(
                library.contains(&format!("[`{name}`]")),
                "{name} is not on the map"
            );
        }
    }
}

#[test]
fn every_failure_code_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_to_string(root.join("docs/api.md")).expect("docs/api.md");
    let table = docs.split("## Failure codes").nth(1).expect("the table");
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let expected = FailureCode::ALL.map(|code| {
        let retryable = if code.is_retryable() { "yes" } else { "no" };
        (format!("| `{code}` |"), format!("| {retryable} |"))
    });
    assert_eq!(rows.len(), expected.len(), "{rows:#?}");
    for (row, (code, retryable)) in rows.iter().zip(expected) {
        assert!(row.starts_with(&code) && row.ends_with(&retryable), "{row}");
    }
}

#[test]
fn the_command_line_renders_without_jobs() {
    let rendering: Vec<Source> = sources()
        .into_iter()
        .filter(|source| source.path.starts_with("cli/") && source.path != "cli/serve.rs")
        .collect();
    assert!(
        rendering
            .iter()
            .any(|source| source.path == "cli/render.rs")
    );
    for source in rendering {
        for module in ["jobs", "api", "webhooks"] {
            let imports = source.imports();
            assert!(
                !imports.iter().any(|name| name == module),
                "{}",
                source.path
            );
        }
    }
}
