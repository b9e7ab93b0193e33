//! The addresses of stored videos.

use std::time::Duration;

use log::warn;

use super::Publisher;
use crate::errors::chain;
use crate::job::{JobId, StoredVideo, StoredVideos, VideoFacts, VideoKey, VideoUrls};
use crate::storage::{Storage, StorageError};

impl Publisher {
    /// The addresses of stored videos, good for `at_least` that long if the storage can promise it.
    pub async fn urls(
        &self,
        id: JobId,
        videos: &StoredVideos,
        at_least: Duration,
    ) -> Result<Vec<VideoUrls>, StorageError> {
        let storage = self.storages.named(videos.storage.as_deref())?;
        let mut urls = Vec::new();
        for (index, video) in videos.all().enumerate() {
            let key = id.video(index);
            urls.push(self.urls_in(&*storage, key, video, at_least).await?);
        }
        Ok(urls)
    }

    async fn urls_in(
        &self,
        storage: &dyn Storage,
        key: VideoKey,
        video: &StoredVideo,
        at_least: Duration,
    ) -> Result<VideoUrls, StorageError> {
        let url = storage.url(&key.file_name(), at_least).await?;
        if self.storages.keeps_addresses()
            && self.storages.is_served_here(&url)
            && let Some(told) = &video.url
        {
            return Ok(VideoUrls {
                video: told.clone(),
                thumbnail: video.thumbnail_url.clone(),
            });
        }
        let thumbnail = match video.has_thumbnail() {
            true => Some(storage.url(&key.thumbnail_name(), at_least).await?),
            false => None,
        };
        Ok(VideoUrls {
            video: url,
            thumbnail,
        })
    }

    /// The same for an answer, which is not held up by a storage that cannot tell: then they are
    /// addresses of this service.
    pub async fn urls_for_answer(&self, id: JobId, videos: &StoredVideos) -> Vec<VideoUrls> {
        match self.urls(id, videos, Duration::ZERO).await {
            Ok(urls) => urls,
            Err(error) => {
                warn!(
                    "the video of job {id} has no address of its own: {}",
                    chain(&error)
                );
                let videos = videos.all().enumerate();
                let urls = videos.map(|(index, video)| {
                    let key = id.video(index);
                    let thumbnail = || self.storages.service_url(&key.thumbnail_name());
                    VideoUrls {
                        video: self.storages.service_url(&key.file_name()),
                        thumbnail: video.has_thumbnail().then(thumbnail),
                    }
                });
                urls.collect()
            }
        }
    }

    /// A video that was stored just now, with its addresses if they are of this service.
    pub(super) async fn stored(&self, video: VideoKey, facts: &VideoFacts) -> StoredVideo {
        let stored = StoredVideo {
            facts: facts.clone(),
            url: None,
            thumbnail_url: None,
        };
        let storage = self.storages.current();
        match self
            .urls_in(&**storage, video, &stored, Duration::ZERO)
            .await
        {
            Ok(urls) if self.storages.is_served_here(&urls.video) => StoredVideo {
                url: Some(urls.video),
                thumbnail_url: urls.thumbnail,
                ..stored
            },
            // Err: it is stored all the same.
            _ => stored,
        }
    }
}
