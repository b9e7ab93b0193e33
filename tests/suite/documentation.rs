//! The description of the API at `/openapi.json`, and the reference at `/docs`.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::client::Answer;
use crate::support::service::{KEY, Service};

const NOTHING: Vec<String> = Vec::new();
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

async fn document(service: &Service) -> Value {
    let asked = service.anonymous(Method::GET, "/openapi.json");
    let document = Answer::to(asked).await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    document
}

/// Method and path of all that is described.
fn described(document: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            found.insert((method.to_uppercase(), path.clone()));
        }
    }
    found
}

#[tokio::test]
async fn what_is_described_is_what_is_served() {
    let service = Service::start().await;
    let document = document(&service).await;
    let mut served = BTreeSet::new();
    for (path, methods) in kinora::api::routes() {
        // OpenAPI has no patterns.
        let path = path.replace(":.*}", "}");
        for method in methods {
            // Every GET has its HEAD.
            if method != "HEAD" {
                served.insert((method.to_owned(), path.clone()));
            }
        }
    }
    assert_eq!(described(&document), served);
}

#[tokio::test]
async fn each_operation_answers_as_it_is_described() {
    let service = Service::start().await;
    let document = document(&service).await;
    let mut ids = BTreeSet::new();
    for (method, template) in described(&document) {
        let operation = &document["paths"][&template][method.to_lowercase()];
        let id = operation["operationId"].as_str().expect("an id");
        assert!(ids.insert(id), "{id} is there twice");
        let path = template
            .replace("{id}", NOBODY)
            .replace("{job_id}", NOBODY)
            .replace("{name}", "none");
        let method: Method = method.parse().expect("a method");
        let answer = Answer::to(service.request(method.clone(), &path)).await;
        let told = &operation["responses"][answer.status.to_string()];
        assert!(
            told.is_object() && answer.status != 405,
            "{method} {path}: {}",
            answer.status
        );
        let without = Answer::to(service.anonymous(method, &path)).await;
        let is_public = operation["security"]
            .as_array()
            .is_some_and(|them| them.contains(&json!({})));
        assert_eq!(without.status == 401, !is_public, "{path}");
    }
}

#[tokio::test]
async fn every_schema_that_is_named_is_there() {
    let service = Service::start().await;
    let document = document(&service).await;
    let text = document.to_string();
    let named = text.split("\"#/").skip(1);
    for pointer in named.filter_map(|rest| rest.split('"').next()) {
        let found = document.pointer(&format!("/{pointer}"));
        assert!(found.is_some(), "{pointer} is not there");
    }
    let schemas = &document["components"]["schemas"];
    let fields = |name: &str| schemas[name]["properties"].clone();
    assert_eq!(fields("ImageToVideo")["length"]["maximum"], 60);
    assert_eq!(fields("ImageToVideoV1")["length"]["maximum"], 400);
    for template in [
        &fields("Order")["template"]["properties"]["id"],
        &fields("ListingOrder")["template_params"]["properties"]["template_id"],
    ] {
        let names = template["enum"].as_array().expect("names");
        assert!(names.contains(&json!("JustListed1")), "{names:?}");
    }
}

#[tokio::test]
async fn the_reference_is_read_and_tried_in_a_browser() {
    let service = Service::start().await;
    let browser = Browser::open(&service, 1440, 900).await;
    // The reference takes the key that the page has stored.
    browser.sign_in().await;
    browser.go("/docs").await;
    let dialects = ["Videos", "DigitalCarbon", "RevidAPI", "Service"];
    for dialect in dialects {
        browser.reads("#reference", dialect).await;
    }
    let operation = "#operations-RevidAPI-authenticate";
    browser
        .click(&format!("{operation} .opblock-summary-control"))
        .await;
    browser.click(&format!("{operation} .try-out__btn")).await;
    browser.click(&format!("{operation} .execute")).await;
    browser
        .reads(&format!("{operation} .live-responses-table"), "Authorized")
        .await;
    assert_eq!(browser.close().await, NOTHING);
}

#[tokio::test]
async fn the_reference_asks_for_no_key() {
    let service = Service::start().await;
    for (path, kind) in [
        ("/docs", "text/html; charset=utf-8"),
        (
            "/docs/swagger-ui-bundle.js",
            "text/javascript; charset=utf-8",
        ),
        ("/docs/swagger-ui.css", "text/css; charset=utf-8"),
    ] {
        let plain = Answer::to(service.anonymous(Method::GET, path)).await;
        assert_eq!((plain.status, plain.header("content-type")), (200, kind));
        assert!(!plain.text().contains(KEY));
    }
    let other = Answer::to(service.anonymous(Method::GET, "/docs/index.html")).await;
    assert_eq!(other.status, 404);
}
