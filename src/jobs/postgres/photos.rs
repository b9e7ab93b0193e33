//! Photos that were uploaded: their statements.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::database::Result;
use super::store::{Store, milliseconds};
use crate::jobs::backend::UploadedPhoto;
use crate::spec::Size;

impl Store {
    /// `false`: there are `most` already.
    pub async fn begin_photo(&self, photo: &UploadedPhoto, most: u32) -> Result<bool> {
        let begin = sqlx::query(
            "INSERT INTO kinora.photos (file, id, width, height, bytes, used_at) \
             SELECT $1, $2, $3::integer, $4::integer, $5, kinora.now_ms() \
             WHERE (SELECT count(*) FROM kinora.photos) < $6 RETURNING file",
        )
        .bind(&photo.file)
        .bind(&photo.id)
        .bind(i64::from(photo.size.width))
        .bind(i64::from(photo.size.height))
        .bind(photo.bytes as i64)
        .bind(i64::from(most));
        self.database.found(begin).await
    }

    pub async fn photo_stored(&self, file: &str) -> Result<()> {
        let stored = sqlx::query("UPDATE kinora.photos SET is_stored = true WHERE file = $1");
        self.database.rows(stored.bind(file)).await?;
        Ok(())
    }

    pub async fn use_photos(&self, ids: &[String]) -> Result<Vec<UploadedPhoto>> {
        let used = sqlx::query(
            "UPDATE kinora.photos SET used_at = kinora.now_ms() WHERE is_stored AND id = ANY($1) \
             RETURNING file, id, width::bigint, height::bigint, bytes",
        );
        let rows = self.database.rows(used.bind(ids)).await?;
        rows.iter().map(photo).collect()
    }

    pub async fn retire_photos(&self, unused_for: Duration, limit: u32) -> Result<Vec<String>> {
        let retired = sqlx::query(
            "UPDATE kinora.photos SET is_stored = false WHERE file IN (SELECT file FROM kinora.photos \
             WHERE used_at < kinora.now_ms() - $1 AND NOT EXISTS ( \
                 SELECT 1 FROM kinora.jobs WHERE state IN ('queued', 'running') AND strpos(spec, file) > 0) \
             LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING file",
        )
        .bind(milliseconds(unused_for))
        .bind(i64::from(limit));
        let rows = self.database.rows(retired).await?;
        rows.iter().map(|row| Ok(row.try_get("file")?)).collect()
    }

    pub async fn remove_photos(&self, files: &[String]) -> Result<()> {
        let removed = sqlx::query("DELETE FROM kinora.photos WHERE file = ANY($1)");
        self.database.rows(removed.bind(files)).await?;
        Ok(())
    }
}

fn photo(row: &PgRow) -> Result<UploadedPhoto> {
    let number = |name| -> Result<u64> {
        let number: i64 = row.try_get(name)?;
        Ok(number.unsigned_abs())
    };
    Ok(UploadedPhoto {
        file: row.try_get("file")?,
        id: row.try_get("id")?,
        size: Size {
            width: number("width")? as u32,
            height: number("height")? as u32,
        },
        bytes: number("bytes")?,
    })
}
