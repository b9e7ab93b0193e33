//! The description of the service's HTTP, at `/openapi.json` (OpenAPI 3.1).
//!
//! Paths and answers come from the handlers and their types, bodies of requests from the schemas that check them.

mod errors;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

pub use errors::{
    BodyErrors, CommonErrors, DeletedErrors, ErrorBody, ItemErrors, OrderErrors, QueueErrors,
};

use super::{DIALECTS, Service, files, health, page, reference, revid, telemetry};

/// With all its parts, but for what differs from service to service.
static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// What a part of the service tells of itself.
pub struct Description {
    /// Over its operations.
    pub title: &'static str,
    pub text: &'static str,
    /// In the form of OpenAPI.
    pub document: Value,
    /// The schemas that check the bodies of requests, by their names in the document.
    pub bodies: Vec<(&'static str, Value)>,
}

/// What belongs to no dialect.
#[derive(OpenApi)]
#[openapi(
    paths(
        page::index,
        page::file,
        files::file,
        health::healthz,
        health::readyz,
        telemetry::tell,
        openapi,
        reference::index,
        reference::file,
    ),
    components(schemas(revid::RevidError))
)]
struct Common;

impl Description {
    fn common() -> Self {
        Self {
            title: "Service",
            text: "What needs no key: pages, files, health, metrics.",
            document: json!(Common::openapi()),
            bodies: Vec::new(),
        }
    }
}

fn document() -> Value {
    let mut document = head();
    let own = DIALECTS.iter().rev().map(|dialect| dialect.description());
    for part in own.chain([Description::common()]) {
        add(&mut document, part);
    }
    document
}

fn head() -> Value {
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key")));
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Kinora",
            "description": "Turns photographs into videos.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "tags": [],
        "paths": {},
        "components": { "schemas": {}, "securitySchemes": { "key": key, "bearer": bearer } },
        "security": [{ "key": [] }],
    })
}

fn add(document: &mut Value, part: Description) {
    let tag = json!({ "name": part.title, "description": part.text });
    push(&mut document["tags"], tag);
    for (path, operations) in members(&part.document["paths"]) {
        let operations = members(operations).map(|(method, operation)| {
            let mut operation = operation.clone();
            operation["tags"] = json!([part.title]);
            if let Some(Value::Object(body)) = operation.get_mut("requestBody") {
                body.entry("required").or_insert(json!(true));
            }
            (method.clone(), operation)
        });
        document["paths"][path] = operations.collect();
    }
    let schemas = &mut document["components"]["schemas"];
    for (name, schema) in members(&part.document["components"]["schemas"]) {
        schemas[name] = schema.clone();
    }
    for (name, body) in part.bodies {
        add_body(schemas, name, body);
    }
}

/// Adds a schema, and its parts under names of their own.
fn add_body(schemas: &mut Value, name: &str, mut body: Value) {
    if let Value::Object(fields) = &mut body {
        fields.remove("$schema");
        if let Some(parts) = fields.remove("$defs") {
            for (part, schema) in members(&parts) {
                schemas[format!("{name}.{part}")] = schema.clone();
            }
        }
    }
    point_to_parts(&mut body, name);
    schemas[name] = body;
}

/// Lets references to the parts of a schema point to where the document has them.
fn point_to_parts(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                let part = value.as_str().and_then(|it| it.strip_prefix("#/$defs/"));
                match part {
                    Some(part) if key == "$ref" => {
                        *value = json!(format!("#/components/schemas/{name}.{part}"));
                    }
                    _ => point_to_parts(value, name),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| point_to_parts(item, name)),
        _ => {}
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn push(list: &mut Value, item: Value) {
    if let Value::Array(items) = list {
        items.push(item);
    }
}

/// Describes what the service answers to.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    security(()),
    responses((status = 200, description = "An OpenAPI 3.1 document", body = Value)),
)]
pub async fn openapi(service: Data<Service>) -> HttpResponse {
    let mut document = DOCUMENT.clone();
    let schemas = &mut document["components"]["schemas"];
    let names: Vec<&str> = service.templates.names().collect();
    let template = &mut schemas["Order"]["properties"]["template"];
    template["properties"]["id"] = json!({ "enum": names });
    let listing = &mut schemas["ListingOrder"]["properties"]["template_params"];
    listing["properties"]["template_id"] = json!({ "enum": names });
    HttpResponse::Ok().json(document)
}
