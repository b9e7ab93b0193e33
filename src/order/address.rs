//! The addresses in an order: of the web, of photos that were uploaded, or of local files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::net::Policy;
use crate::schema::is_http_url;
use crate::spec::{Source, Upload};

/// Before the id of a photo that was uploaded.
pub const UPLOAD: &str = "photo:";
/// Before the path of a local file. Only the command line writes it.
const FILE: &str = "file:";

/// Where an order has the addresses of its music and its logo, as JSON pointers.
const ASSETS: [&str; 2] = ["/music/url", "/template/logo_url"];

/// What the addresses of an order may lead to.
pub struct AllowedSources<'a> {
    pub policy: &'a Policy,
    /// Where photos are that were uploaded, by their ids.
    pub uploads: &'a HashMap<String, Upload>,
    /// Whether local files may be named.
    pub allows_files: bool,
}

/// What an address is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Picture,
    Sound,
}

/// What `format: uri` asserts in an order. Whether the place may be named is checked later.
pub fn is_address(text: &str) -> bool {
    is_http_url(text) || text.starts_with(UPLOAD) || text.starts_with(FILE)
}

impl AllowedSources<'_> {
    /// Where an address leads. Err completes "image_url …".
    pub fn source(&self, address: &str, to: Use) -> Result<Source, String> {
        if let Some(id) = address.strip_prefix(UPLOAD).filter(|_| to == Use::Picture) {
            let place = self.uploads.get(id).cloned();
            return place.map(Source::Uploaded).ok_or_else(|| {
                "is not here: it was not uploaded, or not used for too long".to_owned()
            });
        }
        if let Some(path) = address.strip_prefix(FILE).filter(|_| self.allows_files) {
            return Ok(Source::File(PathBuf::from(path)));
        }
        self.web(address)?;
        Ok(Source::Url(address.to_owned()))
    }

    /// Checks an address that can only be of the web.
    pub fn web(&self, address: &str) -> Result<(), String> {
        if !is_http_url(address) {
            return Err("is not an absolute http(s) URL".to_owned());
        }
        let checked = self.policy.check_url(address);
        checked.map(drop).map_err(|error| error.to_string())
    }
}

/// The ids of the uploaded photos that a payload names.
pub fn uploads_in(payload: &Value) -> Vec<String> {
    let photos = payload.get("photos").and_then(Value::as_array);
    let photos = photos.into_iter().flatten();
    let photos = photos.filter_map(|photo| photo.get("url").unwrap_or(photo).as_str());
    let logo = payload
        .pointer("/template/logo_url")
        .and_then(Value::as_str);
    let mut ids: Vec<String> = photos
        .chain(logo)
        .filter_map(|address| address.strip_prefix(UPLOAD))
        .filter(|id| is_id(id))
        .map(str::to_owned)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Whether this can be the id of a photo: a SHA-256 in hex.
fn is_id(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The addresses of pictures and sound in a payload that name local files: everything that is no URL is a path, from
/// `directory`. Each is replaced by what `replace` makes of its place, as a JSON pointer, and its path.
pub fn replace_paths<E>(
    payload: &mut Value,
    directory: &Path,
    mut replace: impl FnMut(&str, &Path) -> Result<String, E>,
) -> Result<(), E> {
    let photos = payload.get("photos").and_then(Value::as_array);
    let photos = (0..photos.map_or(0, Vec::len))
        .flat_map(|index| [format!("/photos/{index}"), format!("/photos/{index}/url")]);
    for pointer in photos.chain(ASSETS.map(str::to_owned)) {
        let Some(Value::String(address)) = payload.pointer_mut(&pointer) else {
            continue;
        };
        let is_url = address.contains("://") || address.starts_with(UPLOAD);
        if !is_url {
            *address = replace(&pointer, &directory.join(&*address))?;
        }
    }
    Ok(())
}

/// The address of a local file, for [`AllowedSources::source`].
pub fn of_file(path: &Path) -> String {
    format!("{FILE}{}", path.display())
}
