//! Photos that were uploaded: their statements.

use std::time::Duration;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::store::{Store, StoreError, before};
use crate::job::Timestamp;
use crate::jobs::backend::{STORING_TIME, UploadedPhoto};
use crate::jobs::row::to_json;
use crate::spec::{Size, Upload};

type Result<T> = std::result::Result<T, StoreError>;

impl Store {
    /// `false`: there are `most` already.
    pub async fn begin_photo(&self, photo: &UploadedPhoto, most: u32) -> Result<bool> {
        let begun = sqlx::query(
            "INSERT INTO photos (file, storage, id, width, height, bytes, used_at) \
             SELECT ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM photos) < ?",
        )
        .bind(&photo.upload.file)
        .bind(&photo.upload.storage)
        .bind(&photo.id)
        .bind(photo.size.width)
        .bind(photo.size.height)
        .bind(photo.bytes as i64)
        .bind(Timestamp::now().0)
        .bind(most)
        .execute(&self.writer)
        .await?;
        Ok(begun.rows_affected() > 0)
    }

    pub async fn photo_stored(&self, file: &str) -> Result<bool> {
        let stored = sqlx::query(
            "UPDATE photos SET state = 'stored', used_at = ? WHERE file = ? AND state = 'pending'",
        )
        .bind(Timestamp::now().0)
        .bind(file)
        .execute(&self.writer)
        .await?;
        Ok(stored.rows_affected() > 0)
    }

    pub async fn use_photos(&self, ids: &[String]) -> Result<Vec<UploadedPhoto>> {
        let rows = sqlx::query(
            "UPDATE photos SET used_at = ? WHERE state = 'stored' AND id IN (SELECT value FROM json_each(?)) \
             RETURNING file, storage, id, width, height, bytes",
        )
        .bind(Timestamp::now().0)
        .bind(to_json(&ids)?)
        .fetch_all(&self.writer)
        .await?;
        rows.iter().map(photo).collect()
    }

    pub async fn retire_photos(&self, unused_for: Duration, limit: u32) -> Result<Vec<Upload>> {
        // A query for each state, as each has an index of its own.
        let rows = sqlx::query(
            "UPDATE photos SET state = 'retired' WHERE file IN (SELECT file FROM photos WHERE state = 'retired' \
             OR state = 'pending' AND used_at < ?2 OR state = 'stored' AND used_at < ?1 \
                 AND NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'queued' AND instr(spec, file) > 0) \
                 AND NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND instr(spec, file) > 0) \
             LIMIT ?3) RETURNING file, storage",
        )
        .bind(before(unused_for))
        .bind(before(STORING_TIME))
        .bind(limit)
        .fetch_all(&self.writer)
        .await?;
        rows.iter().map(upload).collect()
    }

    pub async fn remove_photos(&self, files: &[String]) -> Result<()> {
        sqlx::query("DELETE FROM photos WHERE file IN (SELECT value FROM json_each(?))")
            .bind(to_json(&files)?)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

fn upload(row: &SqliteRow) -> Result<Upload> {
    Ok(Upload {
        file: row.try_get("file")?,
        storage: row.try_get("storage")?,
    })
}

fn photo(row: &SqliteRow) -> Result<UploadedPhoto> {
    let bytes: i64 = row.try_get("bytes")?;
    Ok(UploadedPhoto {
        upload: upload(row)?,
        id: row.try_get("id")?,
        size: Size {
            width: row.try_get("width")?,
            height: row.try_get("height")?,
        },
        bytes: bytes.unsigned_abs(),
    })
}
