//! Kinora's own API: orders, their videos, and their end.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{self, VIDEOS, create, delete, done, ended, faults, is, order, path};
use crate::support::client::{Answer, keys};
use crate::support::listing;
use crate::support::order::{short_to, with};
use crate::support::photos::{Gate, Photo, PhotoServer};
use crate::support::picture;
use crate::support::probe::Probe;
use crate::support::scratch::Scratch;
use crate::support::service::{PAID, Service, Setup};
use crate::support::sink::{Reply, Sink};
use crate::support::wait;

/// Two photos, one of which is nowhere.
fn two(photos: &PhotoServer) -> Value {
    order(&[photos.small(), photos.url("/nowhere.jpg")])
}

async fn probed(scratch: &Scratch, name: &str, url: &str) -> Probe {
    let video = reqwest::get(url).await.expect("an answer");
    assert_eq!(video.status(), 200, "{url}");
    let bytes = video.bytes().await.expect("the video");
    Probe::of(&scratch.write(name, bytes))
}

#[tokio::test]
async fn one_order_makes_several_videos_from_photos_that_are_fetched_once() {
    let (service, photos) = (listing::setup().start().await, PhotoServer::start());
    let png = || Photo::Bytes("image/png", picture::small());
    let everything = json!({
        "photos": [
            photos.put("/a.png", png()),
            {
                "url": photos.put("/b.png", png()), "duration": 1.5, "fit": "contain", "focus": {"x": 0.2, "y": 0.3},
                "motion": {"from": {"x": 0, "y": 0, "width": 1}, "to": {"x": 0.5, "y": 0.1, "width": 0.4}, "easing": "linear"}
            },
            {"url": photos.put("/c.png", png()), "caption": "The garden", "fit": "cover", "focus": "centre", "motion": "pan-left"}
        ],
        "duration": 4, "frame_rate": 20,
        "transition": {"kind": "slide", "duration": 0.3},
        "music": {"url": photos.put("/music.mp3", listing::music()), "volume": 0.5},
        "template": {
            "id": "JustListed1", "logo_url": photos.put("/logo.png", png()),
            "fields": {"address": "1 Main St", "price": "$1", "details": "3 bed", "name": "J", "phone": "1", "website": "a.b"}
        },
        "outputs": [
            {"name": "feed"},
            {"name": "reel", "aspect_ratio": "9:16", "titles": false},
            {"name": "mls", "aspect_ratio": "16:9", "branded": false, "max_bytes": 150000}
        ],
        "id": "mine"
    });
    let video = create(&service, &everything).await;
    assert_eq!(video["client_id"], "mine");
    let names: Vec<&Value> = (0..3).map(|i| &video["outputs"][i]["name"]).collect();
    assert_eq!(names, ["feed", "reel", "mls"]);
    let video = ended(&service, &video).await;
    assert_eq!(
        (&video["state"], &video["progress"]),
        (&json!("done"), &json!(1.0)),
        "{video}"
    );
    let fields = [
        "client_id",
        "created_at",
        "error",
        "finished_at",
        "id",
        "node",
        "outputs",
        "progress",
        "queue_position",
        "skipped",
        "started_at",
        "state",
        "warnings",
    ];
    assert_eq!(keys(&video), fields);
    let scratch = Scratch::new();
    let sizes = [(1080, 1080), (1080, 1920), (1920, 1080)];
    let mut urls = Vec::new();
    for (i, size) in sizes.into_iter().enumerate() {
        let output = &video["outputs"][i];
        let url = output["url"].as_str().expect("an address");
        let probe = probed(&scratch, &format!("{i}.mp4"), url).await;
        assert_eq!((probe.size(), probe.frames()), (size, 80));
        assert_eq!(
            (&output["width"], &output["height"]),
            (&json!(size.0), &json!(size.1))
        );
        assert_eq!(output["duration"], 4.0);
        assert!(probe.sound().is_some());
        let thumbnail = output["thumbnail_url"].as_str().expect("an address");
        assert_eq!(
            reqwest::get(thumbnail).await.expect("an answer").status(),
            200
        );
        urls.push(url.to_owned());
    }
    assert!(
        video["outputs"][2]["size_bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes <= 150_000)
    );
    assert!(urls[0] != urls[1] && urls[1] != urls[2]);
    for photo in ["/a.png", "/b.png", "/c.png", "/logo.png", "/music.mp3"] {
        assert_eq!(photos.asked(photo), 1, "{photo}");
    }
    // A restart forgets none of it.
    let service = service.kill_and_restart().await;
    let later = service.get(&path(&video)).await.expect(200);
    assert_eq!(later, video);
}

#[tokio::test]
async fn a_client_that_prefers_to_wait_gets_the_finished_video() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let gate = Gate::new();
    let ask = |wait: &str, url: String| {
        let order = order(&[url]);
        Answer::to(service.posting(VIDEOS, &order).header("prefer", wait))
    };
    let video = ask("respond-async, wait=60", photos.small())
        .await
        .expect(200);
    assert_eq!(video["state"], "done");
    assert_eq!(video["outputs"][0]["name"], "video");
    let video = ask("wait=1", photos.gated("/held.png", &gate))
        .await
        .expect(202);
    assert_eq!(video["state"], "running");
}

#[tokio::test]
async fn the_defaults_are_those_of_listing_videos() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let gate = Gate::new();
    let video = create(
        &service,
        &json!({ "photos": [photos.gated("/a.png", &gate)] }),
    )
    .await;
    let output = &video["outputs"][0];
    assert_eq!(output["duration"], 30.0);
    assert_eq!(
        (&output["width"], &output["height"]),
        (&json!(1080), &json!(1080))
    );
    // Photos that tell how long they are shown tell how long the video is.
    let timed = |seconds: f64| json!({ "url": photos.gated("/a.png", &gate), "duration": seconds });
    let video = create(&service, &json!({ "photos": [timed(1.5), timed(2.0)] })).await;
    assert_eq!(video["outputs"][0]["duration"], 3.5);
}

#[tokio::test]
async fn a_bad_photo_is_left_out_and_told_if_that_is_asked_for() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let failed = create(&service, &two(&photos)).await;
    let failed = ended(&service, &failed).await;
    assert_eq!(
        (&failed["state"], &failed["error"]["code"]),
        (&json!("failed"), &json!("bad-answer"))
    );
    let message = failed["error"]["message"].as_str().expect("a message");
    assert!(message.starts_with("photos[1] "), "{message}");

    let skipping = |order| with(order, json!({ "on_bad_photo": "skip" }));
    let text = photos.put("/text.jpg", Photo::Bytes("image/jpeg", "text".into()));
    let photo = photos.small();
    let some = order(&[&text, &photo, &photos.url("/nowhere.jpg"), &photo]);
    let video = done(&service, &skipping(some)).await;
    let skipped = video["skipped"].as_array().expect("a list");
    let told: Vec<(&Value, &Value)> = skipped
        .iter()
        .map(|it| (&it["index"], &it["code"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!(0), &json!("not-a-picture")),
            (&json!(2), &json!("bad-answer"))
        ]
    );
    assert_eq!(photos.asked("/text.jpg"), 1);

    let none = create(&service, &skipping(order(&[&text]))).await;
    let none = ended(&service, &none).await;
    assert_eq!(
        (&none["state"], &none["error"]["code"]),
        (&json!("failed"), &json!("not-a-picture"))
    );
}

#[tokio::test]
async fn every_fault_of_an_order_is_told_with_its_place() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let photo = photos.small();
    let refused = async |order: Value| faults(&service.post(VIDEOS, &order).await, 400);
    let view = |x: f64, width: f64| json!({ "x": x, "y": 0, "width": width });
    let shape = json!({
        "photos": [
            5,
            "ftp://a.example/b.jpg",
            {"url": photo, "duration": 0, "fit": "stretch", "focus": {"x": 1.5, "y": 0}, "motion": "dolly"},
            {"url": photo, "motion": {"from": view(0.0, 0.0), "to": view(0.0, 2.0)}, "angle": 3}
        ],
        "duration": 401, "frame_rate": 14,
        "transition": {"kind": "star"},
        "music": {"volume": 1},
        "outputs": [{"name": "a/b"}, {"name": "c", "aspect_ratio": "2:1"}],
        "on_bad_photo": "cry",
        "surprise": 1
    });
    let mut told = refused(shape).await;
    told.sort();
    let expected = [
        "#",
        "#/duration",
        "#/frame_rate",
        "#/music/url",
        "#/on_bad_photo",
        "#/outputs/0/name",
        "#/outputs/1/aspect_ratio",
        "#/photos/0",
        "#/photos/1",
        "#/photos/2/duration",
        "#/photos/2/fit",
        "#/photos/2/focus/x",
        "#/photos/2/motion",
        "#/photos/3",
        "#/photos/3/motion/from/width",
        "#/photos/3/motion/to/width",
        "#/transition/kind",
    ];
    assert_eq!(told, expected);
    let sense = json!({
        "photos": [
            "http://10.0.0.1/a.jpg",
            {"url": photo, "motion": {"from": view(0.0, 0.5), "to": view(0.7, 0.5)}}
        ],
        "template": {"id": "None1"},
        "webhook_url": "http://user@example.com/",
        "outputs": [{"name": "a"}, {"name": "a"}]
    });
    let told = refused(sense).await;
    let expected = [
        "#/photos/0",
        "#/webhook_url",
        "#/photos/1/motion/to",
        "#/outputs/1/name",
        "#/template/id",
    ];
    assert_eq!(told, expected);
    assert_eq!(
        refused(json!({ "photos": vec![&photo; 101] })).await,
        ["#/photos"]
    );
    assert_eq!(refused(json!({ "photos": [] })).await, ["#/photos"]);
    assert_eq!(refused(json!({})).await, ["#/photos"]);
    let many = with(order(&[&photo; 20]), json!({ "duration": 1 }));
    assert_eq!(refused(many).await, ["#/duration"]);
}

#[tokio::test]
async fn what_is_not_made_as_it_was_asked_for_is_told() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let photo = photos.small();
    let long = json!({
        "photos": [{"url": photo, "duration": 3}, photo],
        "duration": 1, "frame_rate": 15,
        "transition": {"kind": "fade", "duration": 2}
    });
    let video = create(&service, &long).await;
    let warnings = video["warnings"].as_array().expect("a list");
    let told = |words: &str| {
        warnings
            .iter()
            .any(|it| it.as_str().is_some_and(|it| it.contains(words)))
    };
    assert!(
        told("durations of the photos") && told("transitions of 2 s"),
        "{warnings:?}"
    );
    assert!(create(&service, &order(&[photo])).await["warnings"] == json!([]));
}

#[tokio::test]
async fn all_errors_are_problems() {
    let service = Service::start().await;
    let problem = |answer: Answer, status| faults(&answer, status);
    problem(
        Answer::to(service.anonymous(Method::GET, VIDEOS)).await,
        401,
    );
    problem(
        service
            .get("/api/videos/00000000-0000-4000-8000-000000000000")
            .await,
        404,
    );
    problem(service.get("/api/videos/one").await, 400);
    problem(service.get("/api/nothing").await, 404);
    let wrong = Answer::to(service.request(Method::PUT, VIDEOS)).await;
    assert_eq!(wrong.header("allow"), "GET, HEAD, POST");
    problem(wrong, 405);
    let text = service.request(Method::POST, VIDEOS).body("text");
    problem(Answer::to(text).await, 415);
    for query in ["state=late", "limit=0", "limit=1000", "cursor=x", "sort=up"] {
        problem(service.get(&format!("{VIDEOS}?{query}")).await, 400);
    }
}

#[tokio::test]
async fn videos_are_listed_newest_first_whoever_ordered_them() {
    let setup = Setup::new().env("KINORA_WORKERS", "1");
    let (service, photos) = (setup.start().await, PhotoServer::start());
    let first = done(&service, &order(&[photos.small()])).await;
    let short = crate::support::order::short(&photos.small());
    let second = service.post(PAID, &short).await.expect(200);
    let failed = create(&service, &order(&[photos.url("/nowhere.jpg")])).await;
    ended(&service, &failed).await;
    let gate = Gate::new();
    let running = create(&service, &order(&[photos.gated("/held.png", &gate)])).await;
    let queued = create(&service, &order(&[photos.small()])).await;
    is(&service, &running, &["running"]).await;
    let list = async |query: &str| service.get(&format!("{VIDEOS}?{query}")).await.expect(200);
    let ids = |page: &Value| -> Vec<Value> {
        let items = page["items"].as_array().expect("items");
        items.iter().map(|item| item["id"].clone()).collect()
    };
    let all = [
        &queued["id"],
        &running["id"],
        &failed["id"],
        &second["job_id"],
        &first["id"],
    ];
    let page = list("limit=2").await;
    assert_eq!(ids(&page).iter().collect::<Vec<_>>(), all[..2]);
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let rest = list(&format!("cursor={cursor}")).await;
    assert_eq!(ids(&rest).iter().collect::<Vec<_>>(), all[2..]);
    assert_eq!(rest["next_cursor"], Value::Null);
    for (state, expected) in [("queued", 0), ("running", 1), ("failed", 2)] {
        assert_eq!(
            ids(&list(&format!("state={state}")).await),
            [all[expected].clone()]
        );
    }
    assert_eq!(ids(&list("state=done").await).len(), 2);
    assert_eq!(page["items"][0]["queue_position"], 1);
    gate.open();
    ended(&service, &queued).await;
}

#[tokio::test]
async fn a_waiting_and_a_running_job_are_cancelled() {
    let setup = Setup::new().env("KINORA_WORKERS", "1");
    let (service, photos, sink) = (setup.start().await, PhotoServer::start(), Sink::start());
    let gate = Gate::new();
    let hooked = |path: &str| json!({ "webhook_url": sink.url(path) });
    let running = with(
        order(&[photos.gated("/held.png", &gate)]),
        hooked("/running"),
    );
    let running = create(&service, &running).await;
    is(&service, &running, &["running"]).await;
    let queued = create(&service, &with(order(&[photos.small()]), hooked("/queued"))).await;
    for (video, path) in [(&queued, "/queued"), (&running, "/running")] {
        let cancelled = delete(&service, video).await.expect(200);
        assert_eq!(
            (&cancelled["state"], &cancelled["error"]["code"]),
            (&json!("cancelled"), &json!("cancelled"))
        );
        let told = sink.wait_for(path, 1).await[0].json();
        assert_eq!(told["type"], "video.cancelled");
        assert_eq!(
            (&told["id"], &told["state"]),
            (&video["id"], &json!("cancelled"))
        );
        // Of an ended job, what is left is deleted.
        assert_eq!(delete(&service, video).await.status, 204);
        faults(&service.get(&api::path(video)).await, 410);
    }
    let work = service.setup().data().join("work");
    let is_empty = || std::fs::read_dir(&work).is_ok_and(|mut files| files.next().is_none());
    wait::until("no files are left", || is_empty().then_some(())).await;
}

#[tokio::test]
async fn a_video_that_is_being_drawn_is_cancelled_with_its_encoder() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let long = json!({ "photos": [photos.small()], "duration": 400, "outputs": [{"name": "a"}, {"name": "b"}] });
    let video = create(&service, &long).await;
    wait::until_async("it is drawn", async || {
        let video = service.get(&path(&video)).await.expect(200);
        (video["progress"].as_f64() > Some(0.0)).then_some(())
    })
    .await;
    // Beside them, the start tries ffmpeg.
    let two = || (children(&service) == 2).then_some(());
    wait::until("two encoders run", two).await;
    assert_eq!(
        delete(&service, &video).await.expect(200)["state"],
        "cancelled"
    );
    assert_eq!(children(&service), 0);
}

/// Encoders that run.
fn children(service: &Service) -> usize {
    let path = format!("/proc/{0}/task/{0}/children", service.pid());
    let mut count = 0;
    let listed = std::fs::read_to_string(path).unwrap_or_default();
    let threads = std::fs::read_dir(format!("/proc/{}/task", service.pid())).expect("threads");
    let mut pids: Vec<String> = listed.split_whitespace().map(str::to_owned).collect();
    for thread in threads.flatten() {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        pids.extend(children.split_whitespace().map(str::to_owned));
    }
    pids.sort();
    pids.dedup();
    for pid in pids {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        count += usize::from(name.trim() == "ffmpeg");
    }
    count
}

#[tokio::test]
async fn the_older_dialects_tell_a_cancelled_job_as_failed() {
    let setup = Setup::new().env("KINORA_WORKERS", "2");
    let (service, photos) = (setup.start().await, PhotoServer::start());
    let gate = Gate::new();
    let url = photos.gated("/held.png", &gate);
    let waiting = service.post_aside(PAID, &crate::support::order::short(&url));
    let listing = listing::generate(&service, &listing::order(&[url])).await;
    gate.arrived(2).await;
    let page = service
        .get(&format!("{VIDEOS}?state=running"))
        .await
        .expect(200);
    for video in page["items"].as_array().expect("items") {
        delete(&service, video).await.expect(200);
    }
    let envelope = waiting.await.expect("an answer").expect(500);
    assert_eq!(envelope["message"], "the job was cancelled");
    let status = listing::status(&service, &listing).await;
    assert_eq!(
        (&status["status"], &status["error_message"]),
        (&json!("failed"), &json!("the job was cancelled"))
    );
}

#[tokio::test]
async fn the_files_of_a_finished_video_are_deleted() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let two = with(
        order(&[photos.small()]),
        json!({ "outputs": [{"name": "a"}, {"name": "b"}] }),
    );
    let video = done(&service, &two).await;
    assert_eq!(delete(&service, &video).await.status, 204);
    faults(&service.get(&path(&video)).await, 410);
    faults(&delete(&service, &video).await, 410);
    for output in video["outputs"].as_array().expect("outputs") {
        for url in ["url", "thumbnail_url"] {
            let url = output[url].as_str().expect("an address");
            assert_eq!(
                reqwest::get(url).await.expect("an answer").status(),
                404,
                "{url}"
            );
        }
    }
    let page = service.get(VIDEOS).await.expect(200);
    assert_eq!(page["items"], json!([]));
    assert!(
        std::fs::read_dir(service.setup().data().join("videos"))
            .expect("files")
            .next()
            .is_none()
    );
}

#[tokio::test]
async fn the_templates_are_listed() {
    let service = Service::start().await;
    let page = service.get("/api/templates").await.expect(200);
    let items = page["items"].as_array().expect("items");
    assert_eq!(items.len(), 5);
    let listed = items
        .iter()
        .find(|item| item["id"] == "JustListed1")
        .expect("JustListed1");
    assert!(
        listed["uses"]
            .as_array()
            .expect("a list")
            .contains(&json!("address"))
    );
}

#[tokio::test]
async fn webhooks_are_listed_and_sent_again() {
    let setup = Setup::new()
        .env("KINORA_WEBHOOK_RETRIES", "0s")
        .env("KINORA_WEBHOOK_SECRET", NEW_SECRET)
        .env("KINORA_WEBHOOKS_PREVIOUS_SECRET", OLD_SECRET);
    let (service, photos, sink) = (setup.start().await, PhotoServer::start(), Sink::start());
    let bad = sink.answers("/bad", [Reply::Status(500), Reply::Status(200)]);
    let video = with(order(&[photos.small()]), json!({ "webhook_url": bad }));
    let video = done(&service, &video).await;
    let told = sink.wait_for("/bad", 1).await;
    assert!(told[0].is_signed_with(OLD_SECRET) && told[0].is_signed_with(NEW_SECRET));
    let good = short_to(&photos.small(), &sink.url("/good"));
    service.post(PAID, &good).await.expect(202);
    sink.wait_for("/good", 1).await;
    let list = async |query: &str| {
        let page = service
            .get(&format!("/api/webhooks?{query}"))
            .await
            .expect(200);
        page["items"].as_array().expect("items").clone()
    };
    wait::until_async("both are recorded", async || {
        list("state=pending").await.is_empty().then_some(())
    })
    .await;
    let given_up = list("state=given_up").await;
    assert_eq!(given_up.len(), 1);
    let fields = [
        "attempts",
        "id",
        "last_error",
        "next_at",
        "state",
        "url",
        "video_id",
    ];
    assert_eq!(keys(&given_up[0]), fields);
    assert_eq!(given_up[0]["video_id"], video["id"]);
    assert_eq!(
        (&given_up[0]["attempts"], &given_up[0]["url"]),
        (&json!(1), &json!(bad))
    );
    assert!(
        given_up[0]["last_error"]
            .as_str()
            .expect("a reason")
            .contains("500")
    );

    let path = format!(
        "/api/webhooks/{}/resend",
        given_up[0]["id"].as_str().expect("an id")
    );
    let sent = service.post(&path, &json!({})).await.expect(202);
    assert!(sent["id"] != given_up[0]["id"] && sent["video_id"] == video["id"]);
    let told = sink.wait_for("/bad", 2).await;
    assert_eq!(
        told[1].header("webhook-id"),
        sent["id"].as_str().expect("an id")
    );
    assert_eq!(told[0].json()["outputs"], told[1].json()["outputs"]);
    wait::until_async("it is delivered", async || {
        (list("state=delivered").await.len() == 2).then_some(())
    })
    .await;
    let newest = service.get("/api/webhooks?limit=1").await.expect(200);
    assert_eq!(newest["items"][0]["id"], sent["id"]);
    let cursor = newest["next_cursor"].as_str().expect("a cursor");
    assert_eq!(list(&format!("cursor={cursor}")).await.len(), 2);
    faults(
        &service.post("/api/webhooks/msg_x/resend", &json!({})).await,
        404,
    );
    faults(&service.get("/api/webhooks?state=lost").await, 400);
}

const OLD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
