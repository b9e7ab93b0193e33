//! The faces by family, and the shaping engine that sets text in them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cosmic_text::fontdb::{Database, FaceInfo, Language, Source, Style};
use cosmic_text::{Fallback, FontSystem, SwashCache};
use include_dir::{Dir, include_dir};

use super::coverage::Coverage;
use super::face::Face;
use sha2::{Digest, Sha256};

use super::system_faces::SystemFaces;

static BUNDLED: Dir = include_dir!("$CARGO_MANIFEST_DIR/fonts");

/// The family of texts whose own does not exist.
pub(super) const DEFAULT_FAMILY: &str = "Manrope";

/// The bundled faces, the user's, and those of the system that a letter needed.
pub(super) struct FontLibrary {
    pub engine: FontSystem,
    pub glyphs: SwashCache,
    /// By name in lower case.
    families: HashMap<String, Vec<Arc<Face>>>,
    system: SystemFaces,
    /// How many faces were ever registered: each gets a number of its own.
    registered: usize,
    fingerprint: Sha256,
}

impl FontLibrary {
    pub fn load(user_dir: Option<&Path>) -> FontLibrary {
        let db = Database::new();
        let mut library = FontLibrary {
            engine: FontSystem::new_with_locale_and_db_and_fallback("en".into(), db, NoFallback),
            glyphs: SwashCache::new(),
            families: HashMap::new(),
            system: SystemFaces::default(),
            registered: 0,
            fingerprint: Sha256::new(),
        };
        for file in BUNDLED.files() {
            if is_font(file.path()) {
                library.add_file(file.path(), Arc::new(file.contents()));
            }
        }
        let mut user_files = FontLibrary::user_files(user_dir);
        // Which of two equal faces is found first must not depend on the file system.
        user_files.sort();
        let bundled = std::mem::take(&mut library.families);
        for path in user_files {
            match fs::read(&path) {
                Ok(bytes) => {
                    library.fingerprint.update(&bytes);
                    library.add_file(&path, Arc::new(bytes));
                }
                Err(e) => log::warn!("font {}: cannot be read: {e}", path.display()),
            }
        }
        for (name, faces) in bundled {
            library.families.entry(name).or_insert(faces);
        }
        library
    }

    fn user_files(dir: Option<&Path>) -> Vec<PathBuf> {
        let Some(dir) = dir else {
            return Vec::new();
        };
        match fs::read_dir(dir) {
            Ok(entries) => entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| is_font(path))
                .collect(),
            Err(e) => {
                log::warn!("fonts in {}: cannot be read: {e}", dir.display());
                Vec::new()
            }
        }
    }

    fn add_file(&mut self, path: &Path, data: Arc<dyn AsRef<[u8]> + Send + Sync>) {
        let ids = self.engine.db_mut().load_font_source(Source::Binary(data));
        if ids.is_empty() {
            log::warn!("font {}: is not a font", path.display());
        }
        for id in ids {
            let Some(info) = self.engine.db().face(id).cloned() else {
                continue;
            };
            self.engine.db_mut().remove_face(id);
            let names: Vec<String> = info
                .families
                .iter()
                .map(|(name, _)| name.to_lowercase())
                .collect();
            if let Some(face) = self.register(info) {
                for name in names {
                    self.families
                        .entry(name)
                        .or_default()
                        .push(Arc::clone(&face));
                }
            }
        }
    }

    /// Makes a face known to the engine; `None` if the engine cannot read it.
    fn register(&mut self, info: FaceInfo) -> Option<Arc<Face>> {
        self.registered += 1;
        let family = format!("face {}", self.registered);
        let coloured = info.post_script_name.contains("Emoji");
        let (weight, style) = (info.weight, info.style);
        let id = self.engine.db_mut().push_face_info(FaceInfo {
            families: vec![(family.clone(), Language::English_UnitedStates)],
            ..info
        });
        let Some(font) = self.engine.get_font(id, weight) else {
            self.engine.db_mut().remove_face(id);
            return None;
        };
        let metrics = font.metrics();
        let cap_height = metrics
            .cap_height
            .unwrap_or(0.7 * f32::from(metrics.units_per_em));
        Some(Arc::new(Face {
            family,
            weight: weight.0,
            style,
            coverage: Coverage::of_face(self.engine.db(), id),
            coloured,
            cap_height: (cap_height / f32::from(metrics.units_per_em)).clamp(0.3, 1.2),
        }))
    }

    /// Of the files that are not bundled.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint.clone().finalize().into()
    }

    pub fn has_family(&self, name: &str) -> bool {
        self.families.contains_key(&name.to_lowercase())
    }

    /// The face of a family that is nearest to a weight and slant; a face of the default family if
    /// there is no such family.
    pub fn face(&self, family: &str, weight: u16, italic: bool) -> Option<Arc<Face>> {
        let faces = self
            .families
            .get(&family.to_lowercase())
            .or_else(|| self.families.get(&DEFAULT_FAMILY.to_lowercase()))?;
        let nearest = faces.iter().min_by_key(|face| {
            let slanted = face.style != Style::Normal;
            (slanted != italic, face.weight.abs_diff(weight))
        });
        nearest.cloned()
    }

    /// A face of the system that has the letter `cluster` of `text`, and suits its script.
    pub fn fallback(&mut self, cluster: &str, text: &str, weight: u16) -> Option<Arc<Face>> {
        let (index, registered) = self.system.find(cluster, text, weight)?;
        if registered.is_some() {
            return registered;
        }
        let info = self.system.info(index)?;
        let face = self.register(info);
        self.system.set_registered(index, face.clone());
        face
    }
}

fn is_font(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        ["ttf", "otf", "ttc", "otc"].contains(&extension.to_ascii_lowercase().as_str())
    })
}

/// Switches the fallback of the engine off: texts name the face of each letter.
struct NoFallback;

impl Fallback for NoFallback {
    fn common_fallback(&self) -> &[&'static str] {
        &[]
    }

    fn forbidden_fallback(&self) -> &[&'static str] {
        &[]
    }

    fn script_fallback(&self, _: unicode_script::Script, _: &str) -> &[&'static str] {
        &[]
    }
}
