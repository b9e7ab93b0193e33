//! The reference of the HTTP APIs at `/docs`: Swagger UI, which is in the program, over `/openapi.json`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use log::error;
use utoipa_swagger_ui::Config;

use super::asset::Asset;
use super::error::ApiError;
use super::page;
use super::revid::RevidError;

/// What of Swagger UI the page needs.
const NAMES: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

static ASSETS: LazyLock<HashMap<&str, Asset>> =
    LazyLock::new(|| NAMES.into_iter().filter_map(asset).collect());

/// Shows the reference.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "docs",
    security(()),
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
)]
pub async fn index(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    page::answer(&request, "docs.html")
}

/// Gives a file of the reference.
#[utoipa::path(
    get,
    path = "/docs/{name}",
    operation_id = "docs_file",
    params(("name" = String, Path)),
    security(()),
    responses(
        (status = 200, description = "Its bytes"),
        (status = 404, description = "There is none of this name", body = RevidError)
    ),
)]
pub async fn file(request: HttpRequest, name: Path<String>) -> Result<HttpResponse, ApiError> {
    let asset = ASSETS
        .get(name.as_str())
        .ok_or(ApiError::NotFound("page"))?;
    Ok(asset.answer(&request))
}

fn asset(name: &'static str) -> Option<(&'static str, Asset)> {
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::from("/openapi.json")));
    let file = file.ok().flatten()?;
    match Asset::of_compressed(name, file.bytes.into_owned()) {
        Ok(asset) => Some((name, asset)),
        Err(error) => {
            error!("{name} of the reference cannot be unpacked: {error}");
            None
        }
    }
}
