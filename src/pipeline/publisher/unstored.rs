//! Files of videos that wait on this machine's disk to be stored: their names, and what becomes of those that are not.

use std::io;
use std::path::{Path, PathBuf};

use super::Publisher;
use crate::job::{JobId, UnstoredVideos};
use crate::pipeline::stored_photos;
use crate::storage::NOTE_ENDING;

impl Publisher {
    /// Removes what is on this machine's disk of videos, and what uploads of them have left behind.
    pub async fn discard(&self, id: JobId, videos: &UnstoredVideos) {
        let storage = self.storages.current();
        for index in 0..videos.all().count() {
            let video = id.video(index);
            for (ending, key) in [("mp4", video.file_name()), ("jpg", video.thumbnail_name())] {
                let file = self.unstored(&videos.name, index, ending);
                storage.abandon(&key, &file).await;
                // Err: it was moved, or never made.
                let _ = tokio::fs::remove_file(file).await;
            }
        }
    }

    /// Removes every file that waits to be stored, but those of `videos`. Tells which uploads were
    /// cut off: of these, the notes are still there.
    pub fn discard_all_but(&self, videos: &[&UnstoredVideos]) -> io::Result<Vec<PathBuf>> {
        let mut cut_off = Vec::new();
        for entry in std::fs::read_dir(&self.unstored_dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // With the dot: an attempt's number may begin with another's.
            let belongs = |video: &UnstoredVideos| {
                let rest = name.strip_prefix(&video.name);
                rest.is_some_and(|rest| rest.starts_with('.'))
            };
            if videos.iter().any(|video| belongs(video)) {
                continue;
            }
            match name.strip_suffix(NOTE_ENDING) {
                Some(file) => cut_off.push(path.with_file_name(file)),
                None => std::fs::remove_file(&path)?,
            }
        }
        Ok(cut_off)
    }

    /// Aborts uploads of files that are not there any more.
    pub async fn abandon(&self, files: Vec<PathBuf>) {
        for file in files {
            if let Some(key) = key_of(&file) {
                self.storages.current().abandon(&key, &file).await;
            }
        }
    }

    pub(super) fn unstored(&self, name: &str, index: usize, ending: &str) -> PathBuf {
        self.unstored_dir.join(file_name(name, index, ending))
    }
}

/// The name of a file that waits to be stored.
pub fn file_name(name: &str, index: usize, ending: &str) -> String {
    match index {
        0 => format!("{name}.{ending}"),
        index => format!("{name}.{}.{ending}", index + 1),
    }
}

/// In the storage, of a file that waited to be stored.
fn key_of(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    if stored_photos::is_photo(name) {
        return Some(name.to_owned());
    }
    let parts: Vec<&str> = name.split('.').collect();
    let (id, number, ending) = match parts[..] {
        [id, _, ending] => (id, None, ending),
        [id, _, number, ending] => (id, Some(number.parse::<usize>().ok()?), ending),
        _ => return None,
    };
    let video = id.parse::<JobId>().ok()?;
    let video = video.video(number.map_or(0, |number| number.saturating_sub(1)));
    Some(format!("{video}.{ending}"))
}
