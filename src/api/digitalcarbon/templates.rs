//! The templates that a client can choose from.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::ListingError;
use crate::api::Service;
use crate::api::error::ApiError;
use crate::api::openapi::CommonErrors;
use crate::listing::AspectRatio;
use crate::listing::template::{Field, Template};

/// A template.
#[derive(Serialize, ToSchema)]
#[schema(as = ListingTemplate)]
struct Listed<'a> {
    template_id: &'a str,
    name: &'a str,
    description: &'a str,
    /// What it shows of the request, by the path of the field.
    uses: Vec<&'static str>,
    aspect_ratios: [&'static str; AspectRatio::ALL.len()],
}

impl<'a> From<&'a Template> for Listed<'a> {
    fn from(template: &'a Template) -> Self {
        Self {
            template_id: &template.name,
            name: &template.title,
            description: &template.description,
            uses: template.uses().into_iter().map(path).collect(),
            aspect_ratios: AspectRatio::ALL.map(AspectRatio::name),
        }
    }
}

/// Where a fact stands below `template_params`.
fn path(field: Field) -> &'static str {
    match field {
        Field::Address => "property_details.address",
        Field::Price => "property_details.price",
        Field::Details => "property_details.details",
        Field::Name => "contact_details.name",
        Field::Phone => "contact_details.phone",
        Field::Website => "contact_details.website",
        Field::Logo => "logo_url",
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = ListingTemplates)]
struct Answer<'a> {
    templates: Vec<Listed<'a>>,
}

/// Lists the templates.
#[utoipa::path(
    get,
    path = "/v1-beta/templates",
    operation_id = "listing_templates",
    responses((status = 200, description = "All of them", body = Answer), CommonErrors<ListingError>),
)]
pub async fn templates(service: Data<Service>) -> Result<HttpResponse, ApiError> {
    let templates = service.templates.iter().map(Listed::from).collect();
    Ok(HttpResponse::Ok().json(Answer { templates }))
}
