//! Photos that were uploaded, in the storage.

use super::publisher::Publisher;
use super::temporary_file::TemporaryFile;
use crate::job::JobId;
use crate::spec::Upload;
use crate::storage::{NoFence, StorageError};

/// Begins their names.
const PREFIX: &str = "photo-";

/// Whether a file of this name is one.
pub fn is_photo(name: &str) -> bool {
    name.starts_with(PREFIX)
}

impl Publisher {
    /// Where a photo will be that is uploaded: under a name that no other has.
    pub fn place_for_photo(&self) -> Upload {
        Upload {
            file: format!("{PREFIX}{}", JobId::random()),
            storage: self.storages.current_name().map(str::to_owned),
        }
    }

    /// Stores a photo that was uploaded.
    pub async fn store_photo(
        &self,
        place: &Upload,
        photo: &TemporaryFile,
    ) -> Result<(), StorageError> {
        let storage = self.storages.current();
        // Notes about an upload that is cut off outlive the process there.
        let waiting = TemporaryFile::new(self.unstored_dir.join(&place.file));
        std::fs::rename(photo.path(), waiting.path())
            .map_err(|cause| StorageError::failed(&place.file, cause))?;
        let stored = storage.put(&place.file, waiting.path(), &NoFence).await;
        if stored.is_err() {
            storage.abandon(&place.file, waiting.path()).await;
        }
        stored
    }

    /// Whether a photo that was uploaded is where it should be, as far as the storage tells.
    pub async fn has_photo(&self, place: &Upload) -> Result<bool, StorageError> {
        let storage = self.storages.named(place.storage.as_deref())?;
        match storage.metadata(&place.file).await {
            Err(StorageError::Refused { .. }) => Ok(true),
            found => Ok(found?.is_some()),
        }
    }

    /// Removes a photo that was uploaded.
    pub async fn delete_photo(&self, place: &Upload) -> Result<(), StorageError> {
        let storage = self.storages.named(place.storage.as_deref())?;
        storage.delete(&place.file).await
    }
}
