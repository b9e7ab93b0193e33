//! The page at `/`, which is in the program: people order their films there.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use include_dir::{Dir, include_dir};

use super::asset::Asset;
use super::error::ApiError;

static SOURCES: Dir = include_dir!("$CARGO_MANIFEST_DIR/web");

static ASSETS: LazyLock<HashMap<&str, Asset>> = LazyLock::new(|| {
    let mut assets = HashMap::new();
    add_all(&SOURCES, &mut assets);
    assets
});

/// Shows the page.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "page",
    security(()),
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
)]
pub async fn index(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    answer(&request, "index.html")
}

/// Gives a file of the page.
#[utoipa::path(
    get,
    path = "/page/{name}",
    operation_id = "page_file",
    params(("name" = String, Path, description = "It may have slashes")),
    security(()),
    responses(
        (status = 200, description = "Its bytes"),
        (status = 404, description = "There is none of this name", body = super::revid::RevidError)
    ),
)]
pub async fn file(request: HttpRequest, name: Path<String>) -> Result<HttpResponse, ApiError> {
    answer(&request, &name)
}

/// A file below `web/`.
pub fn answer(request: &HttpRequest, name: &str) -> Result<HttpResponse, ApiError> {
    let asset = ASSETS.get(name).ok_or(ApiError::NotFound("page"))?;
    Ok(asset.answer(request))
}

fn add_all<'a>(directory: &'a Dir<'static>, assets: &mut HashMap<&'a str, Asset>) {
    for file in directory.files() {
        if let Some(name) = file.path().to_str() {
            assets.insert(name, Asset::new(name, file.contents()));
        }
    }
    for directory in directory.dirs() {
        add_all(directory, assets);
    }
}
