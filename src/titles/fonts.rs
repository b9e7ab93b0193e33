//! The faces that titles are set in: the bundled ones, the user's, and the system's for characters
//! that those lack.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use cosmic_text::fontdb::{self, Database, FaceInfo, ID, Language, Source};
use cosmic_text::{Fallback, FontSystem, SwashCache};
use include_dir::{Dir, include_dir};

use super::coverage::Coverage;
use super::fallback::SystemFaces;

static BUNDLED: Dir = include_dir!("$CARGO_MANIFEST_DIR/fonts");

/// What a style gets that names a family which is not there.
const DEFAULT_FAMILY: &str = "manrope";

/// The faces for titles, shared by all jobs. Read when the first text is set.
pub struct Fonts {
    user_dir: Option<PathBuf>,
    library: OnceLock<Mutex<FontLibrary>>,
}

impl fmt::Debug for Fonts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fonts")
            .field("user_dir", &self.user_dir)
            .finish_non_exhaustive()
    }
}

impl Fonts {
    /// The bundled faces, and the `.ttf`, `.otf` and `.ttc` files in `user_dir`, which win over
    /// bundled families of their name. Files that cannot be read are logged and left out.
    pub fn new(user_dir: Option<&Path>) -> Fonts {
        Fonts {
            user_dir: user_dir.map(Path::to_owned),
            library: OnceLock::new(),
        }
    }

    /// Whether there is a family of that name, in any case; another is set in its place.
    pub fn has_family(&self, name: &str) -> bool {
        self.library().families.contains_key(&name.to_lowercase())
    }

    pub(super) fn library(&self) -> MutexGuard<'_, FontLibrary> {
        let library = self
            .library
            .get_or_init(|| Mutex::new(FontLibrary::load(self.user_dir.as_deref())));
        // Its caches are whole between any two calls, so a panic leaves nothing half done.
        library.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The faces, and the shaping engine that knows only those that were asked for.
pub(super) struct FontLibrary {
    pub engine: FontSystem,
    pub glyphs: SwashCache,
    /// By name in lower case.
    families: HashMap<String, Vec<Arc<Face>>>,
    system: SystemFaces,
    /// Faces that were ever made known to the engine: each gets a number of its own.
    adopted: usize,
}

/// A face that the engine knows, under a family name of its own so that no other can be mistaken for
/// it.
#[derive(Debug)]
pub(super) struct Face {
    pub family: String,
    pub weight: u16,
    pub style: fontdb::Style,
    pub coverage: Coverage,
    /// Whether its glyphs may bring their own colours.
    pub coloured: bool,
    /// Height of capitals, as a share of the size.
    pub cap_height: f32,
}

impl FontLibrary {
    fn load(user_dir: Option<&Path>) -> FontLibrary {
        let db = Database::new();
        let mut library = FontLibrary {
            engine: FontSystem::new_with_locale_and_db_and_fallback("en".into(), db, NoFallback),
            glyphs: SwashCache::new(),
            families: HashMap::new(),
            system: SystemFaces::default(),
            adopted: 0,
        };
        for file in BUNDLED.files() {
            if is_font(file.path()) {
                library.add_file(file.path(), Arc::new(file.contents()));
            }
        }
        let mut users = FontLibrary::user_files(user_dir);
        users.sort();
        let bundled = std::mem::take(&mut library.families);
        for path in users {
            match fs::read(&path) {
                Ok(bytes) => library.add_file(&path, Arc::new(bytes)),
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
            log::warn!("font {}: is not understood", path.display());
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
            if let Some(face) = self.adopt(info) {
                for name in names {
                    self.families
                        .entry(name)
                        .or_default()
                        .push(Arc::clone(&face));
                }
            }
        }
    }

    /// Makes a face known to the engine.
    fn adopt(&mut self, info: FaceInfo) -> Option<Arc<Face>> {
        self.adopted += 1;
        let family = format!("face {}", self.adopted);
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
            coverage: coverage(self.engine.db(), id),
            coloured,
            cap_height: (cap_height / f32::from(metrics.units_per_em)).clamp(0.3, 1.2),
        }))
    }

    /// The face of a family that comes nearest to what is wanted.
    pub fn face(&self, family: &str, weight: u16, italic: bool) -> Option<Arc<Face>> {
        let faces = self
            .families
            .get(&family.to_lowercase())
            .or_else(|| self.families.get(DEFAULT_FAMILY))?;
        let nearest = faces.iter().min_by_key(|face| {
            let slanted = face.style != fontdb::Style::Normal;
            (slanted != italic, face.weight.abs_diff(weight))
        });
        nearest.cloned()
    }

    /// A face of the system that has a letter with its marks, and suits its script.
    pub fn fallback(&mut self, cluster: &str, text: &str, weight: u16) -> Option<Arc<Face>> {
        let (index, known) = self.system.find(cluster, text, weight)?;
        if let Some(face) = known {
            return Some(face);
        }
        let info = self.system.info(index)?;
        let face = self.adopt(info);
        self.system.keep(index, face.clone());
        face
    }
}

/// The characters of a face in a database.
pub(super) fn coverage(db: &Database, id: ID) -> Coverage {
    db.with_face_data(id, Coverage::of).unwrap_or_default()
}

fn is_font(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        ["ttf", "otf", "ttc", "otc"].contains(&extension.to_ascii_lowercase().as_str())
    })
}

/// The engine is told which face each letter takes.
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
