//! A video of the command line, and the files that become of it.

use std::path::{Path, PathBuf};

use super::partial_file::{PartialFile, unwritable};
use crate::picture;
use crate::pipeline::{RenderedVideo, VideoOrder};
use crate::spec::VideoSpec;

pub struct OutputVideo {
    pub spec: VideoSpec,
    output: PathBuf,
    part: PartialFile,
    thumbnail: Option<PathBuf>,
}

impl OutputVideo {
    /// Creates the file.
    pub fn begin(
        spec: VideoSpec,
        output: PathBuf,
        thumbnail: Option<PathBuf>,
    ) -> Result<Self, String> {
        if let Some(thumbnail) = &thumbnail {
            check_thumbnail(thumbnail, &output)?;
        }
        Ok(Self {
            spec,
            part: PartialFile::beside(&output)?,
            output,
            thumbnail,
        })
    }

    /// The file until it is whole.
    pub fn part(&self) -> &Path {
        &self.part.file
    }

    pub fn order(&self) -> VideoOrder<'_> {
        VideoOrder {
            spec: &self.spec,
            file: self.part(),
        }
    }

    /// Gives the file its name, writes the thumbnail, and tells of it.
    pub fn finish(self, rendered: &RenderedVideo) -> Result<(), String> {
        self.write_thumbnail(rendered)?;
        self.part.take_its_place()?;
        for warning in &rendered.warnings {
            eprintln!("kinora: {}: {warning}", self.output.display());
        }
        eprintln!(
            "{}: {}x{}, {} frames, {:.1} MB",
            self.output.display(),
            rendered.size.width,
            rendered.size.height,
            rendered.frames,
            rendered.bytes as f64 / 1e6
        );
        Ok(())
    }

    fn write_thumbnail(&self, rendered: &RenderedVideo) -> Result<(), String> {
        let (Some(file), Some(frame)) = (&self.thumbnail, &rendered.thumbnail) else {
            return Ok(());
        };
        let jpeg = picture::thumbnail(frame, rendered.size).map_err(|error| error.to_string())?;
        std::fs::write(file, jpeg).map_err(|error| unwritable(file, &error))
    }
}

/// So that what is wrong with it is said before the video is made.
fn check_thumbnail(thumbnail: &Path, output: &Path) -> Result<(), String> {
    let directory = thumbnail.parent().filter(|path| *path != Path::new(""));
    if thumbnail == output {
        Err("the thumbnail would replace the video".to_owned())
    } else if thumbnail.is_dir() || directory.is_some_and(|directory| !directory.is_dir()) {
        Err(format!(
            "{} cannot be written: it is not a file in a directory",
            thumbnail.display()
        ))
    } else {
        Ok(())
    }
}
