//! The fonts that titles are set in, as the rest of the program sees them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::font_library::{DEFAULT_FAMILY, FontLibrary};

/// The fonts for titles, shared by all jobs. They are loaded when the first text is set.
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
    /// The bundled fonts, and the `.ttf`, `.otf`, `.ttc` and `.otc` files in `user_dir`, which
    /// replace bundled families of the same name. Files that cannot be read are logged and ignored.
    pub fn new(user_dir: Option<&Path>) -> Fonts {
        Fonts {
            user_dir: user_dir.map(Path::to_owned),
            library: OnceLock::new(),
        }
    }

    /// The same only for the same files in the directory, as they were when they were loaded.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.library().fingerprint()
    }

    /// Whether there is a family of that name, in upper or lower case. Texts in another family are
    /// set in Manrope.
    fn has_family(&self, name: &str) -> bool {
        self.library().has_family(name)
    }

    /// Says which of the families that a template names do not exist; `None` if all do.
    pub fn missing_warning<'a>(
        &self,
        template: &str,
        families: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        let families = families.into_iter();
        let missing: Vec<&str> = families.filter(|name| !self.has_family(name)).collect();
        (!missing.is_empty()).then(|| {
            let missing = missing.join(", ");
            format!(
                "template {template}: missing fonts: {missing}; {DEFAULT_FAMILY} is used instead"
            )
        })
    }

    pub(super) fn library(&self) -> MutexGuard<'_, FontLibrary> {
        let library = self
            .library
            .get_or_init(|| Mutex::new(FontLibrary::load(self.user_dir.as_deref())));
        // Its caches are consistent between any two calls, so a panic leaves no half-made change.
        library.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
