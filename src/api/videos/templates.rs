//! The templates that an order can name.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;
use super::page::List;
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::openapi::CommonErrors;
use crate::listing::template::Template;

#[derive(Serialize, ToSchema)]
struct TemplateObject<'a> {
    id: &'a str,
    name: &'a str,
    description: &'a str,
    /// The fields that it shows, and `logo` for the logo.
    uses: Vec<String>,
}

impl<'a> From<&'a Template> for TemplateObject<'a> {
    fn from(template: &'a Template) -> Self {
        Self {
            id: &template.name,
            name: &template.title,
            description: &template.description,
            uses: template.uses().iter().map(ToString::to_string).collect(),
        }
    }
}

/// Lists the templates.
#[utoipa::path(
    get,
    path = "/api/templates",
    operation_id = "list_templates",
    responses((status = 200, body = List<TemplateObject>), CommonErrors<Problem>),
)]
pub async fn templates(service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let items: Vec<TemplateObject> = service.templates.iter().map(TemplateObject::from).collect();
    Ok(HttpResponse::Ok().json(List::whole(items)))
}
