//! Photos that were uploaded: their statements.

use std::time::Duration;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::store::{Store, StoreError, before};
use crate::job::Timestamp;
use crate::jobs::backend::UploadedPhoto;
use crate::jobs::row::to_json;
use crate::spec::Size;

type Result<T> = std::result::Result<T, StoreError>;

impl Store {
    /// `false`: there are `most` already.
    pub async fn begin_photo(&self, photo: &UploadedPhoto, most: u32) -> Result<bool> {
        let begun = sqlx::query(
            "INSERT INTO photos (file, id, width, height, bytes, used_at) \
             SELECT ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM photos) < ?",
        )
        .bind(&photo.file)
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

    pub async fn photo_stored(&self, file: &str) -> Result<()> {
        sqlx::query("UPDATE photos SET is_stored = 1 WHERE file = ?")
            .bind(file)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub async fn use_photos(&self, ids: &[String]) -> Result<Vec<UploadedPhoto>> {
        let rows = sqlx::query(
            "UPDATE photos SET used_at = ? WHERE is_stored AND id IN (SELECT value FROM json_each(?)) \
             RETURNING file, id, width, height, bytes",
        )
        .bind(Timestamp::now().0)
        .bind(to_json(&ids)?)
        .fetch_all(&self.writer)
        .await?;
        rows.iter().map(photo).collect()
    }

    pub async fn retire_photos(&self, unused_for: Duration, limit: u32) -> Result<Vec<String>> {
        let files = sqlx::query_scalar(
            "UPDATE photos SET is_stored = 0 WHERE file IN (SELECT file FROM photos WHERE used_at < ? AND NOT EXISTS ( \
                 SELECT 1 FROM jobs WHERE state IN ('queued', 'running') AND instr(spec, file) > 0) LIMIT ?) \
             RETURNING file",
        )
        .bind(before(unused_for))
        .bind(limit);
        Ok(files.fetch_all(&self.writer).await?)
    }

    pub async fn remove_photos(&self, files: &[String]) -> Result<()> {
        sqlx::query("DELETE FROM photos WHERE file IN (SELECT value FROM json_each(?))")
            .bind(to_json(&files)?)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

fn photo(row: &SqliteRow) -> Result<UploadedPhoto> {
    let bytes: i64 = row.try_get("bytes")?;
    Ok(UploadedPhoto {
        file: row.try_get("file")?,
        id: row.try_get("id")?,
        size: Size {
            width: row.try_get("width")?,
            height: row.try_get("height")?,
        },
        bytes: bytes.unsigned_abs(),
    })
}
