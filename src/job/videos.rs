//! The videos of a job: their names in the storage, and what is known of them.

use std::fmt;
use std::iter;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Failure, JobId, Timestamp};
use crate::spec::Size;

/// A video of a job, as the storage knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoKey {
    pub job: JobId,
    /// Among the videos of the job, from 0.
    pub index: usize,
}

impl VideoKey {
    /// The name of its file in the storage.
    pub fn file_name(self) -> String {
        format!("{self}.mp4")
    }

    /// The name of its thumbnail in the storage.
    pub fn thumbnail_name(self) -> String {
        format!("{self}.jpg")
    }
}

/// The job's id; from the second video on with the number of the video.
impl fmt::Display for VideoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.job.fmt(f)?;
        match self.index {
            0 => Ok(()),
            index => write!(f, "-{}", index + 1),
        }
    }
}

impl FromStr for VideoKey {
    type Err = NoVideoKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let key = |text: &str| {
            let (id, number) = text.split_at_checked(JobId::LENGTH)?;
            let index = match number {
                "" => 0,
                number => number
                    .strip_prefix('-')?
                    .parse::<usize>()
                    .ok()?
                    .checked_sub(1)?,
            };
            let key = id.parse::<JobId>().ok()?.video(index);
            // In no other spelling, such as `-02`.
            key.to_string()
                .ends_with(number)
                .then_some(key)
                .filter(|key| (key.index == 0) == number.is_empty())
        };
        key(text).ok_or(NoVideoKey)
    }
}

/// A text that is not the name of a video.
#[derive(Debug, thiserror::Error)]
#[error("not the name of a video")]
pub struct NoVideoKey;

/// The videos of a job that are made, and on this machine's disk until they are stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnstoredVideos {
    /// Of the first one's files, without their endings.
    pub name: String,
    #[serde(flatten)]
    pub first: VideoFacts,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<VideoFacts>,
    pub made_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<String>,
    #[serde(flatten)]
    pub remarks: Remarks,
}

impl UnstoredVideos {
    pub fn all(&self) -> impl Iterator<Item = &VideoFacts> {
        iter::once(&self.first).chain(&self.others)
    }
}

/// The finished videos of a job, in the storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredVideos {
    #[serde(flatten)]
    pub first: StoredVideo,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<StoredVideo>,
    /// The name of the storage; `None`: the directory that is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Of everything that they are made from. With the same specification, videos that would be the same have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<String>,
    #[serde(flatten)]
    pub remarks: Remarks,
}

impl StoredVideos {
    pub fn all(&self) -> impl Iterator<Item = &StoredVideo> {
        iter::once(&self.first).chain(&self.others)
    }
}

/// One finished video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredVideo {
    #[serde(flatten)]
    pub facts: VideoFacts,
    /// Its addresses through the service that stored it, if that is how they are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail_url: Option<String>,
}

impl StoredVideo {
    pub fn has_thumbnail(&self) -> bool {
        // Old versions wrote the address alone.
        self.facts.has_thumbnail || self.thumbnail_url.is_some()
    }
}

/// What there is to say about videos that are not all that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Remarks {
    /// Photos that are left out, because nothing could be made of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedPhoto>,
    /// In sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A photo that is not in the videos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkippedPhoto {
    /// Among the photos of the request, from 0.
    pub index: usize,
    /// Why.
    pub failure: Failure,
}

/// What is known of a finished video, wherever it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoFacts {
    pub size: Size,
    pub frames: u32,
    /// Frames a second. 0 in rows of old versions, where the job store fills it in.
    #[serde(default)]
    pub frame_rate: u32,
    /// Of the file.
    pub bytes: u64,
    #[serde(default)]
    pub has_thumbnail: bool,
}

/// The addresses of a stored video, made for one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoUrls {
    pub video: String,
    pub thumbnail: Option<String>,
}

impl VideoFacts {
    /// Seconds.
    pub fn duration(&self) -> f64 {
        f64::from(self.frames) / f64::from(self.frame_rate.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_videos_are_read_in_one_spelling() {
        let job = JobId::random();
        for index in [0, 1, 7] {
            let key = job.video(index);
            assert_eq!(key.to_string().parse::<VideoKey>().unwrap(), key);
        }
        assert_eq!(job.video(1).file_name(), format!("{job}-2.mp4"));
        for suffix in ["-1", "-0", "-02", "-+2", "-", "x"] {
            assert!(format!("{job}{suffix}").parse::<VideoKey>().is_err());
        }
    }
}
