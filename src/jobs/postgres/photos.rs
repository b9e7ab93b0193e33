//! Photos that were uploaded: their statements.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgRow;

use super::database::Result;
use super::store::{Store, milliseconds};
use crate::jobs::backend::{STORING_TIME, UploadedPhoto};
use crate::spec::{Size, Upload};

impl Store {
    /// `false`: there are `most` already.
    pub async fn begin_photo(&self, photo: &UploadedPhoto, most: u32) -> Result<bool> {
        let begin = sqlx::query(
            "INSERT INTO kinora.photos (file, storage, id, width, height, bytes, used_at) \
             SELECT $1, $2, $3, $4::integer, $5::integer, $6, kinora.now_ms() \
             WHERE (SELECT count(*) FROM kinora.photos) < $7 RETURNING file",
        )
        .bind(&photo.upload.file)
        .bind(&photo.upload.storage)
        .bind(&photo.id)
        .bind(i64::from(photo.size.width))
        .bind(i64::from(photo.size.height))
        .bind(photo.bytes as i64)
        .bind(i64::from(most));
        self.database.found(begin).await
    }

    pub async fn photo_stored(&self, file: &str) -> Result<bool> {
        let stored = sqlx::query(
            "UPDATE kinora.photos SET state = 'stored', used_at = kinora.now_ms() WHERE file = $1 AND state = 'pending' RETURNING file",
        );
        self.database.found(stored.bind(file)).await
    }

    pub async fn use_photos(&self, ids: &[String]) -> Result<Vec<UploadedPhoto>> {
        let used = sqlx::query(
            "UPDATE kinora.photos SET used_at = kinora.now_ms() WHERE state = 'stored' AND id = ANY($1) \
             RETURNING file, storage, id, width::bigint, height::bigint, bytes",
        );
        let rows = self.database.rows(used.bind(ids)).await?;
        rows.iter().map(photo).collect()
    }

    pub async fn retire_photos(&self, unused_for: Duration, limit: u32) -> Result<Vec<Upload>> {
        // A query for each state, as each has an index of its own.
        let retired = sqlx::query(
            "UPDATE kinora.photos SET state = 'retired' WHERE file IN (SELECT file FROM kinora.photos WHERE state = 'retired' \
             OR state = 'pending' AND used_at < (SELECT kinora.now_ms()) - $2 \
             OR state = 'stored' AND used_at < (SELECT kinora.now_ms()) - $1 \
                 AND NOT EXISTS (SELECT 1 FROM kinora.jobs WHERE state = 'queued' AND strpos(spec, file) > 0) \
                 AND NOT EXISTS (SELECT 1 FROM kinora.jobs WHERE state = 'running' AND strpos(spec, file) > 0) \
             LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING file, storage",
        )
        .bind(milliseconds(unused_for))
        .bind(milliseconds(STORING_TIME))
        .bind(i64::from(limit));
        let rows = self.database.rows(retired).await?;
        rows.iter().map(upload).collect()
    }

    pub async fn remove_photos(&self, files: &[String]) -> Result<()> {
        let removed = sqlx::query("DELETE FROM kinora.photos WHERE file = ANY($1)");
        self.database.rows(removed.bind(files)).await?;
        Ok(())
    }
}

fn upload(row: &PgRow) -> Result<Upload> {
    Ok(Upload {
        file: row.try_get("file")?,
        storage: row.try_get("storage")?,
    })
}

fn photo(row: &PgRow) -> Result<UploadedPhoto> {
    let number = |name| -> Result<u64> {
        let number: i64 = row.try_get(name)?;
        Ok(number.unsigned_abs())
    };
    Ok(UploadedPhoto {
        upload: upload(row)?,
        id: row.try_get("id")?,
        size: Size {
            width: number("width")? as u32,
            height: number("height")? as u32,
        },
        bytes: number("bytes")?,
    })
}
