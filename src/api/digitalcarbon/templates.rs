//! The templates that a client can choose from.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;

use crate::api::Service;
use crate::api::error::ApiError;
use crate::listing::AspectRatio;

#[derive(Serialize)]
struct Template {
    template_id: &'static str,
    name: &'static str,
    description: &'static str,
    /// What it shows of the request, by the path of the field.
    uses: &'static [&'static str],
}

const ALL_FACTS: &[&str] = &[
    "property_details.address",
    "property_details.price",
    "property_details.details",
    "contact_details.name",
    "contact_details.phone",
    "contact_details.website",
    "logo_url",
];

const TEMPLATES: &[Template] = &[
    Template {
        template_id: "ActiveListing1",
        name: "Active listing",
        description: "A home that is for sale",
        uses: ALL_FACTS,
    },
    Template {
        template_id: "JustListed1",
        name: "Just listed",
        description: "A home that is new on the market",
        uses: ALL_FACTS,
    },
    Template {
        template_id: "JustSold1",
        name: "Just sold",
        description: "A home that has found its buyer",
        uses: ALL_FACTS,
    },
    Template {
        template_id: "OpenHouse1",
        name: "Open house",
        description: "An invitation to see a home",
        uses: ALL_FACTS,
    },
    Template {
        template_id: "PriceReduced1",
        name: "Price reduced",
        description: "A home that costs less than before",
        uses: ALL_FACTS,
    },
];

/// The names of all templates.
pub fn ids() -> Vec<&'static str> {
    let ids = TEMPLATES.iter().map(|template| template.template_id);
    ids.collect()
}

/// Lists them.
pub async fn templates(
    request: HttpRequest,
    service: Data<Service>,
) -> Result<HttpResponse, ApiError> {
    service.key.check(&request)?;
    let ratios = AspectRatio::ALL.map(AspectRatio::name);
    let templates = TEMPLATES.iter().map(|template| {
        let mut printed = json!(template);
        printed["aspect_ratios"] = json!(ratios);
        printed
    });
    let templates: Vec<_> = templates.collect();
    Ok(HttpResponse::Ok().json(json!({ "templates": templates })))
}
