//! The system's faces, and which of them suits a letter that the text's own face lacks.

use std::collections::HashMap;
use std::sync::Arc;

use cosmic_text::fontdb::{Database, FaceInfo, Style};
use unicode_script::{Script, UnicodeScript};

use super::coverage::Coverage;
use super::face::Face;

/// How many letters are remembered. A text has a few hundred at most.
const MAX_CACHED: usize = 10_000;

/// The faces are listed when the first letter is missing.
#[derive(Default)]
pub(super) struct SystemFaces {
    db: Option<Database>,
    faces: Vec<SystemFace>,
    /// The index of the face for a letter, by letter and criteria; `None` if no face has it.
    cache: HashMap<(String, Criteria), Option<usize>>,
}

struct SystemFace {
    info: FaceInfo,
    name: String,
    coverage: Option<Coverage>,
    /// `None` before the engine was given the face, `Some(None)` if the engine cannot read it.
    registered: Option<Option<Arc<Face>>>,
}

/// What a face is chosen by, besides the letter.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Criteria {
    bold: bool,
    region: Region,
}

/// The region whose shapes a Chinese character takes.
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

    /// Parts of the names of fonts for the region, in lower case.
    fn font_names(self) -> &'static [&'static str] {
        match self {
            Region::China => &["cjk sc", "sans sc", "hans", "wenquanyi"],
            Region::Japan => &["cjk jp", "sans jp", "ipa", "takao"],
            Region::Korea => &["cjk kr", "sans kr", "nanum"],
        }
    }
}

impl SystemFaces {
    /// The index of the best face for the letter `cluster` of `text`, and the face itself if the
    /// engine has it already. `None` if no face has the letter, or the engine cannot read the face.
    pub fn find(
        &mut self,
        cluster: &str,
        text: &str,
        weight: u16,
    ) -> Option<(usize, Option<Arc<Face>>)> {
        let criteria = Criteria {
            bold: weight >= 600,
            region: Region::of(text),
        };
        let key = (cluster.to_owned(), criteria);
        let index = match self.cache.get(&key) {
            Some(index) => *index,
            None => {
                let index = self.search(cluster, criteria);
                if self.cache.len() >= MAX_CACHED {
                    self.cache.clear();
                }
                self.cache.insert(key, index);
                index
            }
        }?;
        match &self.faces.get(index)?.registered {
            Some(None) => None,
            Some(face) => Some((index, face.clone())),
            None => Some((index, None)),
        }
    }

    pub fn info(&self, index: usize) -> Option<FaceInfo> {
        self.faces.get(index).map(|face| face.info.clone())
    }

    /// Stores what became of a face that was given to the engine.
    pub fn set_registered(&mut self, index: usize, face: Option<Arc<Face>>) {
        if let Some(system_face) = self.faces.get_mut(index) {
            system_face.registered = Some(face);
        }
    }

    fn search(&mut self, cluster: &str, criteria: Criteria) -> Option<usize> {
        let db = self.db.get_or_insert_with(|| {
            let mut db = Database::new();
            db.load_system_fonts();
            self.faces = db.faces().map(SystemFace::new).collect();
            db
        });
        let first = cluster.chars().next()?;
        // The variation selector U+FE0F asks for the coloured form.
        let emoji =
            cluster.contains('\u{fe0f}') || matches!(u32::from(first), 0x2b50 | 0x1f000..=0x1faff);
        let mut order: Vec<usize> = (0..self.faces.len()).collect();
        order.sort_by_cached_key(|&i| self.faces[i].rank(first, emoji, criteria));
        order.into_iter().find(|&i| {
            let face = &mut self.faces[i];
            let coverage = face
                .coverage
                .get_or_insert_with(|| Coverage::of_face(db, face.info.id));
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
            registered: None,
        }
    }

    /// Sorts the best face first: of the right region, a plain sans, upright, of the right weight.
    fn rank(&self, c: char, emoji: bool, criteria: Criteria) -> impl Ord + use<> {
        let has = |part: &str| self.name.contains(part);
        let region = match c.script() {
            Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul => {
                !criteria.region.font_names().iter().any(|name| has(name))
            }
            _ => false,
        };
        let family = match () {
            () if has("noto sans") && !has("mono") => 0,
            () if has("sans") && !has("mono") => 1,
            () if !has("mono") => 2,
            () => 3,
        };
        let weight = if criteria.bold { 700 } else { 400 };
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
