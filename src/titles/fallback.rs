//! The system's faces, and which of them suits a letter that the chosen face lacks.

use std::collections::HashMap;
use std::sync::Arc;

use cosmic_text::fontdb::{Database, FaceInfo, Style};
use unicode_script::{Script, UnicodeScript};

use super::coverage::Coverage;
use super::fonts::{Face, coverage};

/// Answers kept. A text has a few hundred letters at most.
const MAX_KNOWN: usize = 10_000;

/// Scanned when the first letter is missing.
#[derive(Default)]
pub(super) struct SystemFaces {
    db: Option<Database>,
    faces: Vec<SystemFace>,
    /// Which face has a letter, by letter and by how its face was chosen.
    known: HashMap<(String, Wish), Option<usize>>,
}

struct SystemFace {
    info: FaceInfo,
    name: String,
    coverage: Option<Coverage>,
    /// Once the engine knows it; `Some(None)` if the engine refused it.
    adopted: Option<Option<Arc<Face>>>,
}

/// How a face is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Wish {
    bold: bool,
    region: Region,
}

/// Whose shapes a Chinese character takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Region {
    China,
    Japan,
    Korea,
}

impl Region {
    fn of(text: &str) -> Region {
        let any = |wanted: &[Script]| text.chars().any(|c| wanted.contains(&c.script()));
        if any(&[Script::Hiragana, Script::Katakana]) {
            Region::Japan
        } else if any(&[Script::Hangul]) {
            Region::Korea
        } else {
            Region::China
        }
    }

    fn suffixes(self) -> &'static [&'static str] {
        match self {
            Region::China => &["cjk sc", "sans sc", "hans", "wenquanyi"],
            Region::Japan => &["cjk jp", "sans jp", "ipa", "takao"],
            Region::Korea => &["cjk kr", "sans kr", "nanum"],
        }
    }
}

impl SystemFaces {
    /// The index of the face, and the face if the engine knows it already.
    pub fn find(
        &mut self,
        cluster: &str,
        text: &str,
        weight: u16,
    ) -> Option<(usize, Option<Arc<Face>>)> {
        let wish = Wish {
            bold: weight >= 600,
            region: Region::of(text),
        };
        let key = (cluster.to_owned(), wish);
        let index = match self.known.get(&key) {
            Some(index) => *index,
            None => {
                let index = self.search(cluster, wish);
                if self.known.len() >= MAX_KNOWN {
                    self.known.clear();
                }
                self.known.insert(key, index);
                index
            }
        }?;
        match &self.faces.get(index)?.adopted {
            Some(None) => None,
            Some(face) => Some((index, face.clone())),
            None => Some((index, None)),
        }
    }

    pub fn info(&self, index: usize) -> Option<FaceInfo> {
        self.faces.get(index).map(|face| face.info.clone())
    }

    pub fn keep(&mut self, index: usize, face: Option<Arc<Face>>) {
        if let Some(place) = self.faces.get_mut(index) {
            place.adopted = Some(face);
        }
    }

    fn search(&mut self, cluster: &str, wish: Wish) -> Option<usize> {
        let db = self.db.get_or_insert_with(|| {
            let mut db = Database::new();
            db.load_system_fonts();
            self.faces = db.faces().map(SystemFace::new).collect();
            db
        });
        let first = cluster.chars().next()?;
        // The variation selector asks for the picture.
        let emoji =
            cluster.contains('\u{fe0f}') || matches!(u32::from(first), 0x2b50 | 0x1f000..=0x1faff);
        let mut order: Vec<usize> = (0..self.faces.len()).collect();
        order.sort_by_cached_key(|&i| self.faces[i].rank(first, emoji, wish));
        order.into_iter().find(|&i| {
            let face = &mut self.faces[i];
            let coverage = face
                .coverage
                .get_or_insert_with(|| coverage(db, face.info.id));
            coverage.has_cluster(cluster)
        })
    }
}

impl SystemFace {
    fn new(info: &FaceInfo) -> SystemFace {
        SystemFace {
            name: info
                .families
                .first()
                .map_or(String::new(), |(name, _)| name.to_lowercase()),
            info: info.clone(),
            coverage: None,
            adopted: None,
        }
    }

    /// Less suits better: of the right region, a plain sans, upright, of the right weight.
    fn rank(&self, c: char, emoji: bool, wish: Wish) -> impl Ord + use<> {
        let has = |part: &str| self.name.contains(part);
        let region = match c.script() {
            Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul => {
                !wish.region.suffixes().iter().any(|suffix| has(suffix))
            }
            _ => false,
        };
        let family = match () {
            () if has("noto sans") && !has("mono") => 0,
            () if has("sans") && !has("mono") => 1,
            () if !has("mono") => 2,
            () => 3,
        };
        let weight = if wish.bold { 700 } else { 400 };
        (
            has("emoji") != emoji,
            has("last resort") || has("unifont"),
            region,
            family,
            self.info.style != Style::Normal,
            self.info.stretch.to_number().abs_diff(5),
            self.info.weight.0.abs_diff(weight),
            self.name.clone(),
        )
    }
}
