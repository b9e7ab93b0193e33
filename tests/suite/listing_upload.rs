//! Finished listing videos, uploaded to where the client wants them.

use std::path::Path;

use serde_json::json;

use crate::support::client::Answer;
use crate::support::listing::{about, detail, ended, finished, generate, order, setup};
use crate::support::photos::PhotoServer;
use crate::support::raw::{Manner, Raw};
use crate::support::service::{KEY, Service};

async fn upload(service: &Service, id: &str, url: &str) -> Answer {
    let path = about(id, "results/upload-video");
    service.post(&path, &json!({ "upload_url": url })).await
}

#[tokio::test]
async fn a_finished_video_goes_where_the_client_wants_it() {
    let setup = setup().config("[net]\nupload_timeout = \"2s\"");
    let service = setup.start().await;
    let id = finished(&service).await;
    let file = service.setup().data().join(format!("videos/{id}.mp4"));

    arrives_whole(&service, &id, &std::fs::read(&file).expect("the video")).await;
    is_told_what_the_destination_answered(&service, &id).await;
    is_told_that_the_destination_is_no_good(&service, &id).await;
    let service = has_to_name_a_good_url(service, &id).await;
    takes_no_memory(&service, &id, &file).await;

    std::fs::remove_file(&file).expect("the video's end");
    let sink = Raw::start(Manner::Silent);
    let gone = upload(&service, &id, &sink.url("/")).await.expect(500);
    assert_eq!(detail(&gone), "Job completed but no results found");
    let gone = service.get(&about(&id, "results")).await.expect(500);
    assert_eq!(detail(&gone), "Job completed but no results found");
}

async fn arrives_whole(service: &Service, id: &str, video: &[u8]) {
    let path = "/bucket/a%20video.mp4?X-Amz-Signature=abc%2Fdef&part=1";
    for status in ["200 OK", "201 Created", "204 No Content"] {
        let sink = Raw::start(Manner::Answer(status));
        let answer = upload(service, id, &sink.url(path)).await.expect(200);
        assert_eq!(answer, json!({ "message": "Video uploaded successfully" }));
        let authority = sink.authority.clone();
        let heard = sink.heard();
        assert!(heard.body == video, "{} bytes came", heard.body.len());

        let mut lines = heard.head.trim_end().split("\r\n");
        let request = format!("PUT {path} HTTP/1.1");
        assert_eq!(lines.next(), Some(request.as_str()));
        let mut headers: Vec<String> = lines.map(str::to_ascii_lowercase).collect();
        headers.sort();
        let length = format!("content-length: {}", video.len());
        let (agent, host) = (user_agent(), format!("host: {authority}"));
        let expected = [
            "accept: */*",
            &length,
            "content-type: video/mp4",
            &host,
            &agent,
        ];
        assert_eq!(headers, expected);
        assert!(!heard.head.contains(KEY));
    }
}

fn user_agent() -> String {
    format!("user-agent: kinora/{}", env!("CARGO_PKG_VERSION"))
}

async fn is_told_what_the_destination_answered(service: &Service, id: &str) {
    let elsewhere = "302 Found\r\nlocation: http://127.0.0.1:1/elsewhere";
    for (manner, status) in [
        (Manner::Answer("403 Forbidden"), 403),
        (Manner::Refuse("403 Forbidden"), 403),
        (Manner::Answer("500 Oops"), 500),
        (Manner::Answer(elsewhere), 302),
    ] {
        let sink = Raw::start(manner);
        let body = upload(service, id, &sink.url("/")).await.expect(500);
        let expected = format!("The video was not uploaded: upload_url answered {status}");
        assert_eq!(detail(&body), expected);
    }
}

const UNKNOWN_NAME: &str = "could not be reached: its host name is not known, or leads to an address that is \
                            not allowed";

async fn is_told_that_the_destination_is_no_good(service: &Service, id: &str) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let nobody = format!("http://{}/x?sig=abc", free.local_addr().expect("the port"));
    drop(free);
    let hangs_up = Raw::start(Manner::HangUp);
    let silent = Raw::start(Manner::Silent);
    for (url, why) in [
        (nobody, "could not be reached"),
        (
            "http://kinora-test.invalid/x?sig=abc".to_owned(),
            UNKNOWN_NAME,
        ),
        (hangs_up.url("/x?sig=abc"), "broke the connection off"),
        (silent.url("/x?sig=abc"), "timed out"),
    ] {
        let body = upload(service, id, &url).await.expect(500);
        let expected = format!("The video was not uploaded: upload_url {why}");
        assert_eq!(detail(&body), expected, "{url}");
    }
    let log = service.log().join("\n");
    assert!(log.contains("upload_url could not be reached"), "{log}");
    assert!(!log.contains("sig=abc"), "{log}");
}

/// Gives back a service that may reach this machine again, and takes its time.
async fn has_to_name_a_good_url(service: Service, id: &str) -> Service {
    let path = about(id, "results/upload-video");
    for (body, words) in [
        (json!({}), "upload_url is required"),
        (json!([]), "object"),
        (json!({ "upload_url": 5 }), "upload_url: 5 is not of type"),
        (
            json!({ "upload_url": "ftp://example.com/x" }),
            "is not an absolute http(s) URL",
        ),
        (
            json!({ "upload_url": "http://me:pw@example.com/x" }),
            "upload_url must not contain a user name",
        ),
        (
            json!({ "upload_url": "http://10.0.0.1/x" }),
            "upload_url points to an address that is not allowed",
        ),
    ] {
        let answer = service.post(&path, &body).await.expect(400);
        assert!(detail(&answer).contains(words), "{body}: {answer}");
    }

    let setup = service.kill().await;
    let service = setup.clone().without("KINORA_ALLOW_NETWORKS").start().await;
    let sink = Raw::start(Manner::Silent);
    let by_name = sink.url("/").replace("127.0.0.1", "localhost");
    let body = upload(&service, id, &sink.url("/")).await.expect(400);
    let expected = "upload_url points to an address that is not allowed";
    assert_eq!(detail(&body), expected);
    let body = upload(&service, id, &by_name).await.expect(500);
    let expected = format!("The video was not uploaded: upload_url {UNKNOWN_NAME}");
    assert_eq!(detail(&body), expected);
    service.kill().await;
    setup.config("").start().await
}

/// However large the video is.
async fn takes_no_memory(service: &Service, id: &str, file: &Path) {
    const BYTES: u64 = 256 << 20;
    let large = std::fs::File::create(file).expect("the video");
    large.set_len(BYTES).expect("a large file");
    let sink = Raw::start(Manner::Refuse("403 Forbidden"));
    upload(service, id, &sink.url("/")).await.expect(500);

    let sink = Raw::start(Manner::Answer("200 OK"));
    upload(service, id, &sink.url("/")).await.expect(200);
    assert_eq!(sink.heard().body.len() as u64, BYTES);
    #[cfg(target_os = "linux")]
    assert!(
        service.peak_mebibytes() < 100,
        "{} MiB",
        service.peak_mebibytes()
    );
}

#[tokio::test]
async fn a_video_that_is_not_made_cannot_be_uploaded() {
    let service = setup().start().await;
    let photos = PhotoServer::start();
    let missing = order(&[photos.url("/missing.jpg")]);
    let id = generate(&service, &missing).await;
    let status = ended(&service, &id).await;
    assert_eq!(status["status"], "failed");
    let body = upload(&service, &id, "no URL").await.expect(400);
    assert_eq!(body["detail"], "Job is not completed yet");
    assert_eq!(body["status"], "failed");
}
