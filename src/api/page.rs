//! The page at `/`, which is in the program: people order their films there.

use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, VARY,
};
use actix_web::web::{Bytes, Path};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

use super::error::ApiError;

static SOURCES: Dir = include_dir!("$CARGO_MANIFEST_DIR/web");

static FILES: LazyLock<HashMap<&str, File>> = LazyLock::new(|| {
    let mut files = HashMap::new();
    add_all(&SOURCES, &mut files);
    files
});

const INDEX: &str = "index.html";

/// Nothing of another host, and no code but that of the program.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    media-src 'self' blob:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

struct File {
    media_type: &'static str,
    bytes: &'static [u8],
    /// Unless that saves nothing.
    compressed: Option<Bytes>,
    etag: String,
}

/// The page itself.
pub async fn index(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    answer(&request, INDEX)
}

/// What belongs to it.
pub async fn file(request: HttpRequest, name: Path<String>) -> Result<HttpResponse, ApiError> {
    answer(&request, &name)
}

fn answer(request: &HttpRequest, name: &str) -> Result<HttpResponse, ApiError> {
    let file = FILES.get(name).ok_or(ApiError::NotFound("page"))?;
    let header = |name| request.headers().get(name)?.to_str().ok();
    let is_known = header(IF_NONE_MATCH).is_some_and(|etags| etags.contains(&file.etag));
    let mut response = match is_known {
        true => HttpResponse::NotModified(),
        false => HttpResponse::Ok(),
    };
    response
        .content_type(file.media_type)
        .insert_header((ETAG, file.etag.clone()))
        // Asked for again each time: a new version has other files of the same names.
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((VARY, "accept-encoding"))
        .insert_header(("content-security-policy", POLICY))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("referrer-policy", "no-referrer"));
    if is_known {
        return Ok(response.finish());
    }
    let takes_gzip = header(ACCEPT_ENCODING).is_some_and(|accepted| accepted.contains("gzip"));
    Ok(match &file.compressed {
        Some(compressed) if takes_gzip => response
            .insert_header((CONTENT_ENCODING, "gzip"))
            .body(compressed.clone()),
        _ => response.body(file.bytes),
    })
}

fn add_all<'a>(directory: &'a Dir<'static>, files: &mut HashMap<&'a str, File>) {
    for file in directory.files() {
        if let Some(name) = file.path().to_str() {
            files.insert(name, File::new(name, file.contents()));
        }
    }
    for directory in directory.dirs() {
        add_all(directory, files);
    }
}

impl File {
    fn new(name: &str, bytes: &'static [u8]) -> Self {
        let hash = Sha256::digest(bytes);
        let hash: String = hash
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let compressed = compress(bytes).filter(|compressed| compressed.len() < bytes.len());
        Self {
            media_type: media_type(name),
            bytes,
            compressed,
            etag: format!("W/\"{hash}\""),
        }
    }
}

fn compress(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Err: never, into memory.
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("jpg") => "image/jpeg",
        _ => "text/plain; charset=utf-8",
    }
}
