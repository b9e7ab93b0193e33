//! Requests that are sent again with the same key, to one node or several.

use std::collections::HashSet;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::api::{VIDEOS, ended, faults, order, path};
use crate::support::client::Answer;
use crate::support::cluster::{database, node};
use crate::support::listing;
use crate::support::order::{short, with};
use crate::support::photos::PhotoServer;
use crate::support::service::{PAID, Service, Setup};

fn keyed(request: RequestBuilder) -> RequestBuilder {
    request.header("idempotency-key", "order 17")
}

async fn ask(service: &Service, path: &str, body: &Value) -> Answer {
    Answer::to(keyed(service.posting(path, body))).await
}

#[tokio::test]
async fn the_same_request_is_done_once_on_each_dialect() {
    let photos = PhotoServer::start();
    let photo = photos.small();
    for (endpoint, body, id, mismatch) in [
        (PAID, short(&photo), "job_id", 422),
        (listing::GENERATE, listing::order(&[&photo]), "job_id", 422),
        (VIDEOS, order(&[&photo]), "id", 422),
    ] {
        let setup = listing::setup().env("MAX_QUEUE_LENGTH", "1");
        let service = setup.start().await;
        let mut ids = HashSet::new();
        let asked: Vec<_> = (0..50)
            .map(|_| tokio::spawn(Answer::to(keyed(service.posting(endpoint, &body)))))
            .collect();
        for answer in asked {
            let answer = answer.await.expect("an answer");
            assert!(answer.status < 300, "{}", answer.text());
            ids.insert(answer.json()[id].as_str().expect("an id").to_owned());
        }
        assert_eq!(ids.len(), 1, "{endpoint}");
        let other = with(body.clone(), json!({ "id": "another" }));
        let refused = ask(&service, endpoint, &other).await;
        assert_eq!(refused.status, mismatch, "{}", refused.text());
        // After a restart, too.
        let service = service.kill_and_restart().await;
        let again = ask(&service, endpoint, &body).await.json();
        assert!(ids.contains(again[id].as_str().expect("an id")));
        let page = service.get(VIDEOS).await.expect(200);
        assert_eq!(page["items"].as_array().expect("items").len(), 1);
    }
}

#[tokio::test]
async fn a_key_has_a_form() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    for key in ["", " ", &"k".repeat(256)] {
        let request = service.posting(VIDEOS, &order(&[photos.small()]));
        faults(
            &Answer::to(request.header("idempotency-key", key)).await,
            400,
        );
    }
}

#[tokio::test]
async fn a_request_that_was_refused_can_be_sent_again_with_its_key() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    faults(&ask(&service, VIDEOS, &json!({ "photos": [] })).await, 400);
    let accepted = ask(&service, VIDEOS, &order(&[photos.small()])).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_is_done_once_by_two_nodes() {
    let database = database().await;
    let unbounded = |name| -> Setup { node(&database, name).env("MAX_QUEUE_LENGTH", "1") };
    let nodes = [unbounded("a").start().await, unbounded("b").start().await];
    let photos = PhotoServer::start();
    let body = order(&[photos.small()]);
    let asked: Vec<_> = (0..50)
        .map(|n| tokio::spawn(Answer::to(keyed(nodes[n % 2].posting(VIDEOS, &body)))))
        .collect();
    let mut ids = HashSet::new();
    let mut video = Value::Null;
    for answer in asked {
        video = answer.await.expect("an answer").expect(202);
        ids.insert(path(&video));
    }
    assert_eq!(ids.len(), 1);
    let other = with(body, json!({ "duration": 2 }));
    faults(&ask(&nodes[0], VIDEOS, &other).await, 422);
    for node in &nodes {
        assert_eq!(ended(node, &video).await["state"], "done");
    }
}
