//! The description of the API, at `/openapi.json` (OpenAPI 3.1).
//!
//! Paths and answers come from the handlers and their types. The order is described by the schema that checks it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

use super::Service;
use super::videos::{self, Problem};
use crate::job::PublicState;
use crate::jobs::WebhookState;
use crate::{order, schema};

/// With all its parts, but for what differs from service to service.
static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kinora",
        description = "Turns photographs into videos.",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(
        videos::create::create,
        videos::read::list,
        videos::read::video,
        videos::cancel::cancel,
        videos::events::events,
        videos::preview::check,
        videos::preview::preview,
        videos::preview::contact_sheet,
        videos::photos::upload,
        videos::templates::templates,
        videos::webhooks::list,
        videos::webhooks::resend,
    ),
    components(schemas(Problem)),
    modifiers(&Key),
    security(("key" = [])),
)]
struct Document;

/// The key of all requests.
struct Key;

impl Modify for Key {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key")));
        components.add_security_scheme("key", key);
    }
}

/// An order. Its schema is that of the checks.
#[derive(ToSchema)]
pub struct Order {}

/// A point of a photo, in fractions of its width and height from its upper left corner.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a type of the specification")]
pub struct Point {
    x: f64,
    y: f64,
}

/// A part of a photo that has the shape of the frame, in fractions of the photo's width and height.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a type of the specification")]
pub struct View {
    x: f64,
    y: f64,
    width: f64,
}

/// The errors that any request may be answered with.
pub struct CommonErrors;

impl IntoResponses for CommonErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            ("400", "The request is not valid"),
            ("401", "The key is missing or wrong"),
            ("429", "Too many wrong keys, or a full queue"),
            ("500", "An internal error occurred"),
            (
                "503",
                "The service is stopping, or the job store or the storage does not answer",
            ),
        ])
    }
}

/// The errors of a request with a body.
pub struct BodyErrors;

impl IntoResponses for BodyErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            ("408", "The body did not arrive in time"),
            ("413", "The body is too large"),
            ("415", "The body is not JSON"),
            (
                "422",
                "Nothing can be made of the order, or its Idempotency-Key was used for another",
            ),
        ])
    }
}

/// The errors of a request about one video or webhook.
pub struct ItemErrors;

impl IntoResponses for ItemErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            ("404", "It is not known"),
            ("410", "Its files were deleted"),
        ])
    }
}

fn problems(told: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let problem = |(status, description): &(&str, &str)| {
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new()
            .description(*description)
            .content("application/problem+json", content)
            .build();
        ((*status).to_owned(), RefOr::T(response))
    };
    told.iter().map(problem).collect()
}

fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    let mut order = order_schema();
    let schemas = &mut document["components"]["schemas"];
    if let Some(Value::Object(parts)) = order.as_object_mut().and_then(|it| it.remove("$defs")) {
        for (name, part) in parts {
            schemas[part_name(&name)] = part;
        }
    }
    schemas["Order"] = order;
    let paths = &mut document["paths"];
    for path in ["/api/videos", "/api/webhooks"] {
        if let Some(Value::Array(parameters)) = paths[path]["get"].get_mut("parameters") {
            for parameter in parameters.iter_mut().filter(|it| it["name"] == "state") {
                parameter["schema"] = json!({ "enum": states(path) });
            }
        }
    }
    // Each event holds a video object; as a whole, the stream is text.
    let events = &mut paths["/api/videos/{id}/events"]["get"]["responses"]["200"]["content"];
    events["text/event-stream"] = json!({});
    document
}

fn states(path: &str) -> Vec<&'static str> {
    match path {
        "/api/videos" => PublicState::ALL.map(PublicState::name).to_vec(),
        _ => WebhookState::ALL.map(WebhookState::name).to_vec(),
    }
}

/// The schema of the checks, in which photos may be addresses alone, with its parts where the document has them.
fn order_schema() -> Value {
    let mut text = order::SCHEMA_TEXT.to_owned();
    for part in ["text", "view"] {
        let name = part_name(part);
        text = text.replace(
            &format!("#/$defs/{part}"),
            &format!("#/components/schemas/{name}"),
        );
    }
    let mut order = schema::parse(&text);
    let photo = order["properties"]["photos"]["items"].take();
    let address = json!({ "type": "string", "format": "uri" });
    order["properties"]["photos"]["items"] = json!({ "anyOf": [address, photo] });
    order
}

fn part_name(name: &str) -> String {
    format!("Order.{name}")
}

pub async fn openapi(service: Data<Service>) -> HttpResponse {
    let mut document = DOCUMENT.clone();
    let template = &mut document["components"]["schemas"]["Order"]["properties"]["template"];
    let names: Vec<&str> = service.templates.names().collect();
    template["properties"]["id"] = json!({ "enum": names });
    HttpResponse::Ok().json(document)
}
