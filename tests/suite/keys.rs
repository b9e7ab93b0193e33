//! Who may ask.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::service::{KEY, PAID, Service, Setup, V1};
use crate::support::wire::Wire;

const GUARDED: &[(Method, &str)] = &[
    (Method::POST, PAID),
    (Method::POST, V1),
    (Method::POST, "/paid/get/job/status"),
    (
        Method::GET,
        "/paid/get/job/status/00000000-0000-4000-8000-000000000000",
    ),
    (Method::POST, "/v1/toolkit/job/status"),
    (Method::POST, "/v1/toolkit/jobs/status"),
    (Method::GET, "/v1/toolkit/test"),
    (Method::GET, "/v1/toolkit/authenticate"),
];

#[tokio::test]
async fn without_the_right_key_every_endpoint_answers_401() {
    let service = Service::start().await;
    let longer = format!("{KEY}x");
    let keys = [
        None,
        Some(""),
        Some("wrong"),
        Some(&KEY[1..]),
        Some(&longer),
    ];
    for (method, path) in GUARDED {
        for key in keys {
            let mut request = service.anonymous(method.clone(), path);
            if let Some(key) = key {
                request = request.header("x-api-key", key);
            }
            let answer = Answer::to(request).await;
            let body = answer.expect(401);
            assert_eq!(body, json!({ "message": "Unauthorized" }), "{path} {key:?}");
        }
    }
}

#[tokio::test]
async fn the_right_key_opens_whatever_the_case_of_the_headers_name() {
    let service = Service::start().await;
    for name in ["x-api-key", "X-API-Key", "X-Api-Key"] {
        let request = service
            .anonymous(Method::GET, "/v1/toolkit/authenticate")
            .header(name, KEY);
        Answer::to(request).await.expect(200);
    }
}

#[tokio::test]
async fn the_key_is_checked_before_the_json_and_the_json_before_the_schema() {
    let service = Service::start().await;
    let broken = || service.anonymous(Method::POST, PAID).body("{");
    let answer = Answer::to(broken()).await;
    assert_eq!(answer.expect(401), json!({ "message": "Unauthorized" }));

    let large = service
        .anonymous(Method::POST, PAID)
        .body(vec![b' '; 100_000]);
    Answer::to(large).await.expect(401);

    let request = broken()
        .header("x-api-key", KEY)
        .header("content-type", "application/json");
    let body = Answer::to(request).await.expect(400);
    assert!(message(&body).contains("JSON"), "{body}");

    let body = service.post(PAID, &json!({})).await.expect(400);
    assert!(message(&body).contains("image_url"), "{body}");
}

#[tokio::test]
async fn the_key_is_checked_before_the_body_arrives() {
    let setup = Setup::new().config("[server]\nrequest_timeout = \"500ms\"");
    let service = setup.start().await;
    let authority = service.authority();
    for path in [PAID, "/v1-beta/generate-video"] {
        // Of the body nothing is sent, and then a byte now and then.
        let mut wire = Wire::connect(authority);
        wire.say(format!(
            "POST {path} HTTP/1.1\r\nhost: {authority}\r\n\
             content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        ));
        assert_eq!(wire.reply().status, 401, "{path}");
        assert!(wire.is_closed_while_it_drips("1\r\n \r\n"), "{path}");
    }
}

fn message(body: &Value) -> &str {
    body["message"].as_str().expect("a message")
}

#[tokio::test]
async fn a_service_without_a_key_makes_one_and_says_once_where_it_is() {
    let service = Setup::new().without("API_KEY").start().await;
    let file = service.setup().data().join("api-key");
    let line = service.logged("API_KEY").await;
    assert!(line.contains(&file.display().to_string()), "{line}");
    assert!(line.contains("curl "), "{line}");

    let key = fs::read_to_string(&file).expect("the key's file");
    let mode = fs::metadata(&file).expect("the key's file").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    assert!(!line.contains(key.trim()), "the key itself is in the log");
    authenticates(&service, key.trim()).await;

    let again = service.kill_and_restart().await;
    authenticates(&again, key.trim()).await;
    let log = again.log();
    assert!(!log.iter().any(|line| line.contains("API_KEY")), "{log:#?}");
}

async fn authenticates(service: &Service, key: &str) {
    let request = service
        .anonymous(Method::GET, "/v1/toolkit/authenticate")
        .header("x-api-key", key);
    Answer::to(request).await.expect(200);
}

/// What the first start prints on its standard output, a file that is called the journal or not.
fn printed_at_the_first_start(is_journal: bool) -> (String, String) {
    let setup = Setup::bare();
    let path = setup.home().join("output");
    let output = File::create(&path).expect("a file");
    let facts = output.metadata().expect("a file");
    let journal = match is_journal {
        true => format!("{}:{}", facts.dev(), facts.ino()),
        false => "1:1".to_owned(),
    };
    let mut child = setup
        .command()
        .env("JOURNAL_STREAM", journal)
        .stdout(output)
        .spawn()
        .expect("the service's process");
    let log = BufReader::new(child.stderr.take().expect("a log"));
    let lines = log.lines().map_while(Result::ok);
    let started = lines.into_iter().any(|line| line.contains("listening on"));
    child.kill().expect("an end");
    child.wait().expect("an end");
    assert!(started);
    let key = fs::read_to_string(setup.data().join("api-key")).expect("a key");
    let printed = fs::read_to_string(path).expect("a text");
    (printed, key.trim().to_owned())
}

#[test]
fn the_key_of_the_first_start_is_shown_but_not_to_the_journal() {
    let (printed, key) = printed_at_the_first_start(false);
    assert_eq!(printed, format!("API key, shown this once: {key}\n"));
    let (printed, _) = printed_at_the_first_start(true);
    assert_eq!(printed, "");
}
