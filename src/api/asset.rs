//! A file that is in the program, as browsers are given it.

use std::io::{self, Read, Write};

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, VARY,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Nothing of another host, and no code but that of the program.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    media-src 'self' blob:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

pub struct Asset {
    media_type: &'static str,
    bytes: Bytes,
    /// Unless that saves nothing.
    compressed: Option<Bytes>,
    etag: String,
}

impl Asset {
    /// `name`: its ending tells the type.
    pub fn new(name: &str, bytes: &'static [u8]) -> Self {
        let compressed = compress(bytes).filter(|compressed| compressed.len() < bytes.len());
        Self::with(name, Bytes::from_static(bytes), compressed)
    }

    /// Of bytes in the form of gzip.
    pub fn of_compressed(name: &str, compressed: Vec<u8>) -> io::Result<Self> {
        let mut bytes = Vec::new();
        GzDecoder::new(&compressed[..]).read_to_end(&mut bytes)?;
        Ok(Self::with(name, bytes.into(), Some(compressed.into())))
    }

    fn with(name: &str, bytes: Bytes, compressed: Option<Bytes>) -> Self {
        let hash = Sha256::digest(&bytes);
        let hash = hash.iter().take(8).map(|byte| format!("{byte:02x}"));
        Self {
            media_type: media_type(name),
            etag: format!("W/\"{}\"", hash.collect::<String>()),
            bytes,
            compressed,
        }
    }

    pub fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let header = |name| request.headers().get(name)?.to_str().ok();
        let is_known = header(IF_NONE_MATCH).is_some_and(|etags| etags.contains(&self.etag));
        let mut response = match is_known {
            true => HttpResponse::NotModified(),
            false => HttpResponse::Ok(),
        };
        response
            .content_type(self.media_type)
            .insert_header((ETAG, self.etag.clone()))
            // Asked for again each time: a new version has other files of the same names.
            .insert_header((CACHE_CONTROL, "no-cache"))
            .insert_header((VARY, "accept-encoding"))
            .insert_header(("content-security-policy", POLICY))
            .insert_header(("x-content-type-options", "nosniff"))
            .insert_header(("referrer-policy", "no-referrer"));
        if is_known {
            return response.finish();
        }
        let takes_gzip = header(ACCEPT_ENCODING).is_some_and(|accepted| accepted.contains("gzip"));
        match &self.compressed {
            Some(compressed) if takes_gzip => response
                .insert_header((CONTENT_ENCODING, "gzip"))
                .body(compressed.clone()),
            _ => response.body(self.bytes.clone()),
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
