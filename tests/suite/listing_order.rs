//! DigitalCarbon's `/v1-beta`: which orders are taken, and what is said of the others.

use serde_json::{Value, json};

use crate::support::client::keys;
use crate::support::listing::{GENERATE, detail, generate, order, with_params};
use crate::support::order::with;
use crate::support::service::Service;

const PHOTO: &str = "https://example.com/a.jpg";

/// The sentence that an order is refused with.
async fn refusal(service: &Service, order: &Value) -> String {
    detail(&service.post(GENERATE, order).await.expect(400)).to_owned()
}

#[tokio::test]
async fn what_is_missing_or_of_the_wrong_type_is_named() {
    let service = Service::start().await;
    let good = || order(&[PHOTO]);
    let params = |params| with_params(good(), params);
    let no_photo = "At least one photo is required in files";
    let id_required = "template_params.template_id is required";
    let strings = "is not of type \"string\"";
    for (order, sentence) in [
        (json!([]), "[] is not of type \"object\"".to_owned()),
        (with(good(), json!({ "files": [] })), no_photo.to_owned()),
        (with(good(), json!({ "files": null })), no_photo.to_owned()),
        (
            json!({ "template_params": { "template_id": "ActiveListing1" } }),
            no_photo.to_owned(),
        ),
        (
            with(good(), json!({ "files": PHOTO })),
            format!("files: \"{PHOTO}\" is not of type \"array\""),
        ),
        (
            with(good(), json!({ "files": [{ "url": PHOTO }, { "url": 7 }] })),
            format!("files[1].url: 7 {strings}"),
        ),
        (
            with(good(), json!({ "files": [{}] })),
            "files[0].url is required".to_owned(),
        ),
        (
            json!({ "files": [{ "url": PHOTO }] }),
            "template_params is required".to_owned(),
        ),
        (
            params(json!({ "template_id": null })),
            id_required.to_owned(),
        ),
        (
            params(json!({ "template_id": "  " })),
            id_required.to_owned(),
        ),
        (
            params(json!({ "template_id": 1, "aspect_ratio": [] })),
            format!(
                "template_params.template_id: 1 {strings}; template_params.aspect_ratio: [] {strings}"
            ),
        ),
        (
            params(json!({ "property_details": { "price": 500000 } })),
            format!("template_params.property_details.price: 500000 {strings}"),
        ),
        (
            params(json!({ "contact_details": "John Doe" })),
            "template_params.contact_details: \"John Doe\" is not of type \"object\"".to_owned(),
        ),
        (
            params(json!({ "logo_url": "logo.png" })),
            "template_params.logo_url: \"logo.png\" is not an absolute http(s) URL".to_owned(),
        ),
        (
            params(json!({ "soundtrack_url": "http://10.0.0.1/a.mp3" })),
            "template_params.soundtrack_url points to an address that is not allowed".to_owned(),
        ),
    ] {
        let mut said: Vec<String> = refusal(&service, &order)
            .await
            .split("; ")
            .map(str::to_owned)
            .collect();
        let mut sentences: Vec<&str> = sentence.split("; ").collect();
        said.sort();
        sentences.sort();
        assert_eq!(said, sentences, "{order}");
    }
}

#[tokio::test]
async fn an_unknown_template_or_aspect_ratio_is_told_the_known_ones() {
    let service = Service::start().await;
    let wrong = with_params(
        order(&[PHOTO]),
        json!({ "template_id": "Nope", "aspect_ratio": "2:1" }),
    );
    let said = refusal(&service, &wrong).await;
    for words in [
        "template_params.template_id: \"Nope\" is not a template; there are ActiveListing1, ",
        "template_params.aspect_ratio: \"2:1\" is not an aspect ratio; there are 16:9, 1:1, 4:5, 9:16",
    ] {
        assert!(said.contains(words), "{said}");
    }

    let body = service.get("/v1-beta/templates").await.expect(200);
    let templates = body["templates"].as_array().expect("templates");
    assert!(templates.len() >= 5, "{body}");
    for template in templates {
        let id = template["template_id"].as_str().expect("an id");
        assert!(said.contains(id), "{id}: {said}");
        assert!(template["name"].is_string() && template["description"].is_string());
        assert_eq!(
            template["aspect_ratios"],
            json!(["16:9", "1:1", "4:5", "9:16"])
        );
        let uses = template["uses"].as_array().expect("uses");
        assert!(
            uses.contains(&json!("property_details.address")),
            "{template}"
        );
        let chosen = with_params(order(&[PHOTO]), json!({ "template_id": id }));
        generate(&service, &chosen).await;
    }
}

#[tokio::test]
async fn up_to_a_hundred_photos_are_taken() {
    let service = Service::start().await;
    let urls = |count: usize| -> Vec<String> {
        // As long as presigned URLs are.
        let query = "s".repeat(5000);
        (0..count).map(|n| format!("{PHOTO}?{n}{query}")).collect()
    };
    generate(&service, &order(&urls(100))).await;
    let expected = "Maximum of 100 photos allowed";
    assert_eq!(refusal(&service, &order(&urls(101))).await, expected);
    let nonsense = vec!["nonsense"; 101];
    assert_eq!(refusal(&service, &order(&nonsense)).await, expected);
}

#[tokio::test]
async fn every_invalid_image_url_is_listed_at_once() {
    let service = Service::start().await;
    let bad = [
        "not-a-url",
        "ftp://example.com/a.jpg",
        "http://",
        "http://exam ple.com/a.jpg",
        "http://10.0.0.1/a.jpg",
        "http://me:pw@example.com/a.jpg",
        "file:///etc/passwd",
        "/a.jpg",
    ];
    let mut urls = vec![PHOTO];
    urls.extend(bad);
    urls.push("https://example.com/b.jpg");
    let expected = format!("Invalid image URLs: [{}]", bad.join(", "));
    assert_eq!(refusal(&service, &order(&urls)).await, expected);
}

#[tokio::test]
async fn what_was_left_open_counts_as_missing() {
    let service = Service::start().await;
    let open = json!({
        "aspect_ratio": "",
        "soundtrack_url": null,
        "logo_url": "  ",
        "property_details": { "address": null, "price": "", "details": " \n" },
        "contact_details": null
    });
    generate(&service, &with_params(order(&[PHOTO]), open)).await;
}

#[tokio::test]
async fn a_text_may_be_long() {
    let service = Service::start().await;
    let address = |length| json!({ "property_details": { "address": "é".repeat(length) } });
    generate(&service, &with_params(order(&[PHOTO]), address(10_000))).await;
    let said = refusal(&service, &with_params(order(&[PHOTO]), address(10_001))).await;
    assert!(
        said.starts_with("template_params.property_details.address: "),
        "{said}"
    );
    assert!(said.ends_with("is longer than 10000 characters"), "{said}");
    assert!(said.chars().count() < 300, "{said}");
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_named() {
    let service = Service::start().await;
    let typos = with_params(
        order(&[PHOTO]),
        json!({ "asepct_ratio": "16:9", "contact_details": { "fax": "1" } }),
    );
    let typos = with(
        typos,
        json!({ "lenght": 60, "files": [{ "url": PHOTO, "alt": {} }] }),
    );
    let body = service.post(GENERATE, &typos).await.expect(200);
    assert_eq!(keys(&body), ["job_id", "warnings"]);
    let mut warnings: Vec<&str> = body["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    warnings.sort_unstable();
    let expected = [
        "files[0].alt is not known and was ignored",
        "lenght is not known and was ignored",
        "template_params.asepct_ratio is not known and was ignored",
        "template_params.contact_details.fax is not known and was ignored",
    ];
    assert_eq!(warnings, expected);
}

#[tokio::test]
async fn characters_without_a_font_are_named() {
    let service = Service::start().await;
    // Of Nag Mundari, a young script, for which hardly a system has a font.
    let address = json!({ "property_details": { "address": "12 Hill \u{1e4d0}\u{1e4d1} Lane" } });
    let body = service
        .post(GENERATE, &with_params(order(&[PHOTO]), address))
        .await
        .expect(200);
    assert_eq!(
        body["warnings"],
        json!(["no font has \"\u{1e4d0}\u{1e4d1}\", which is left out of the titles"])
    );
}

#[tokio::test]
async fn very_many_unknown_fields_are_counted() {
    let service = Service::start().await;
    let mut typos = order(&[PHOTO]);
    for n in 0..1000 {
        typos[format!("field-{n}")] = json!(n);
    }
    let body = service.post(GENERATE, &typos).await.expect(200);
    let warnings = body["warnings"].as_array().expect("warnings");
    assert_eq!(warnings.len(), 21);
    assert_eq!(
        warnings[20],
        "980 more fields are not known and were ignored"
    );
}
