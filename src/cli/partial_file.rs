//! A video that is being written.

use std::path::{Path, PathBuf};

/// The video while it is made: beside the output, so that it takes its place in one step, and gone
/// if it does not.
pub struct PartialFile {
    pub file: PathBuf,
    output: PathBuf,
}

impl PartialFile {
    pub fn beside(output: &Path) -> Result<Self, String> {
        // Through a link, to the file that it stands for.
        let output = output.canonicalize().unwrap_or_else(|_| output.to_owned());
        let name = output
            .file_name()
            .filter(|_| !output.exists() || output.is_file());
        let name = name.ok_or_else(|| {
            format!(
                "{} cannot be written: it is not a regular file",
                output.display()
            )
        })?;
        let part =
            output.with_file_name(format!(".{}.{}.part", name.display(), std::process::id()));
        std::fs::File::create(&part).map_err(|error| unwritable(&output, &error))?;
        let file = std::path::absolute(&part).unwrap_or(part);
        Ok(Self { file, output })
    }

    pub fn take_its_place(self) -> Result<(), String> {
        std::fs::rename(&self.file, &self.output).map_err(|error| unwritable(&self.output, &error))
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        // Err: it has become the video.
        let _ = std::fs::remove_file(&self.file);
    }
}

pub fn unwritable(output: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be written: {error}", output.display())
}
