//! Finished videos, had without a key.

use reqwest::Method;
use serde_json::Value;

use crate::support::client::Answer;
use crate::support::order::short;
use crate::support::photos::PhotoServer;
use crate::support::service::{PAID, Service, Setup};
use crate::support::wire::ask;

async fn with_video() -> (Service, String) {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let made = service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(200);
    let path = format!("/videos/{}.mp4", made["job_id"].as_str().unwrap());
    (service, path)
}

#[tokio::test]
async fn a_video_is_served_whole_without_a_key() {
    let (service, path) = with_video().await;
    let answer = Answer::to(service.anonymous(Method::GET, &path)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "video/mp4");
    assert_eq!(answer.header("accept-ranges"), "bytes");
    let length = answer.bytes.len().to_string();
    assert_eq!(answer.header("content-length"), length);
    assert_eq!(&answer.bytes[4..8], b"ftyp");

    let head = Answer::to(service.anonymous(Method::HEAD, &path)).await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-length"), length);
    assert_eq!(head.header("content-type"), "video/mp4");
}

#[tokio::test]
async fn a_part_of_a_video_is_served_on_request() {
    let (service, path) = with_video().await;
    let whole = Answer::to(service.anonymous(Method::GET, &path))
        .await
        .bytes;
    let last = whole.len() - 1;
    for (range, from, to) in [
        ("bytes=0-0".to_owned(), 0, 0),
        ("bytes=100-299".to_owned(), 100, 299),
        (format!("bytes={last}-"), last, last),
        ("bytes=-50".to_owned(), last - 49, last),
        ("bytes=0-".to_owned(), 0, last),
        ("bytes=0-99999999999999999999".to_owned(), 0, last),
        ("Bytes=0-9".to_owned(), 0, 9),
    ] {
        let request = service
            .anonymous(Method::GET, &path)
            .header("range", &range);
        let part = Answer::to(request).await;
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.bytes, whole[from..=to], "{range}");
        let expected = format!("bytes {from}-{to}/{}", whole.len());
        assert_eq!(part.header("content-range"), expected);
    }
    let request = service.anonymous(Method::GET, &path);
    let past = Answer::to(request.header("range", format!("bytes={}-", last + 1))).await;
    assert_eq!(past.status, 416);
    let expected = format!("bytes */{}", whole.len());
    assert_eq!(past.header("content-range"), expected);
}

#[tokio::test]
async fn a_video_that_is_not_there_is_404_in_json() {
    let (service, path) = with_video().await;
    for other in [
        "/videos/3f1f8b8e-0000-4000-8000-000000000000.mp4".to_owned(),
        "/videos/".to_owned(),
        "/videos".to_owned(),
        "/videos/nothing".to_owned(),
        path.replace(".mp4", ""),
        path.replace(".mp4", ".mp4.mp4"),
        path.replace(".mp4", ".MP4"),
    ] {
        let body = Answer::to(service.anonymous(Method::GET, &other))
            .await
            .expect(404);
        assert!(body["message"].is_string(), "{other}: {body}");
    }
}

#[tokio::test]
async fn no_path_leads_out_of_the_videos() {
    let (service, path) = with_video().await;
    let authority = service.authority();
    for trick in [
        "/videos/../api-key",
        "/videos/..%2fkinora.sqlite3",
        "/videos/%2e%2e/kinora.sqlite3",
        "/videos/..%5ckinora.sqlite3",
        "/videos/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/videos//etc/passwd",
        "/videos/....//kinora.sqlite3",
        "/videos/%00.mp4",
        "/videos/../../../../etc/passwd",
        "/videos/%c0%ae%c0%ae/kinora.sqlite3",
    ] {
        let request = format!("GET {trick} HTTP/1.1\r\nhost: {authority}\r\n\r\n");
        let reply = ask(authority, &request);
        assert!([400, 404].contains(&reply.status), "{trick}: {reply:?}");
        let body: Value = reply.json();
        assert!(body["message"].is_string(), "{trick}: {reply:?}");
    }
    assert_eq!(service.get(&path).await.status, 200);
}

#[tokio::test]
async fn the_address_of_a_video_begins_with_the_public_url() {
    let setup = Setup::new().env("KINORA_PUBLIC_URL", "https://videos.example.com/kinora/");
    let (service, photos) = (setup.start().await, PhotoServer::start());
    let made = service
        .post(PAID, &short(&photos.small()))
        .await
        .expect(200);
    let url = made["response"].as_str().expect("a URL");
    let expected = format!(
        "https://videos.example.com/kinora/videos/{}.mp4",
        made["job_id"].as_str().unwrap()
    );
    assert_eq!(url, expected);
}

#[tokio::test]
async fn what_cannot_be_served_is_told_in_json_once() {
    let service = Service::start().await;
    let url = service.get("/v1/toolkit/test").await.json()["response"].clone();
    let url = url.as_str().expect("an address");
    let path = url
        .rsplit_once("/videos")
        .map(|(_, name)| format!("/videos{name}"))
        .unwrap();
    for (header, value, status) in [
        ("range", "bytes=9000-", 416),
        ("if-match", "\"other\"", 412),
    ] {
        let asked = service.anonymous(Method::GET, &path).header(header, value);
        let reply = asked.send().await.expect("an answer");
        assert_eq!(reply.status().as_u16(), status);
        assert_eq!(reply.headers()["content-type"], "application/json");
        assert_eq!(reply.headers().get_all("content-type").iter().count(), 1);
        assert!(reply.text().await.unwrap().contains("message"));
    }
}

#[tokio::test]
async fn a_video_that_the_client_has_is_not_sent_again() {
    let (service, path) = with_video().await;
    let whole = Answer::to(service.anonymous(Method::GET, &path)).await;
    let (etag, modified) = (whole.header("etag"), whole.header("last-modified"));
    let asked = async |headers: &[(&str, &str)]| {
        let mut request = service.anonymous(Method::GET, &path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::to(request).await
    };
    for known in [
        ("if-none-match", etag),
        ("if-none-match", "*"),
        ("if-modified-since", modified),
    ] {
        let answer = asked(&[known]).await;
        assert_eq!((answer.status, answer.bytes.len()), (304, 0), "{known:?}");
        assert_eq!(answer.header("etag"), etag);
    }
    for other in [
        ("if-none-match", "\"other\""),
        ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("if-match", etag),
        ("if-unmodified-since", modified),
    ] {
        assert_eq!(asked(&[other]).await.bytes, whole.bytes, "{other:?}");
    }
    let stale = ("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(asked(&[stale]).await.status, 412);
}

#[tokio::test]
async fn a_download_is_resumed_only_if_the_video_is_the_same() {
    let (service, path) = with_video().await;
    let whole = Answer::to(service.anonymous(Method::GET, &path)).await;
    let (etag, modified) = (whole.header("etag"), whole.header("last-modified"));
    for (condition, status) in [
        (etag, 206),
        (modified, 206),
        ("\"other\"", 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
    ] {
        let request = service
            .anonymous(Method::GET, &path)
            .header("range", "bytes=100-")
            .header("if-range", condition);
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, status, "{condition}");
        let from = if status == 206 { 100 } else { 0 };
        assert!(answer.bytes == whole.bytes[from..], "{condition}");
    }
    for ignored in ["bytes=0-1,5-6", "lines=1-2"] {
        let request = service.anonymous(Method::GET, &path);
        let answer = Answer::to(request.header("range", ignored)).await;
        assert_eq!(answer.status, 200, "{ignored}");
        assert!(answer.bytes == whole.bytes, "{ignored}");
    }
}
