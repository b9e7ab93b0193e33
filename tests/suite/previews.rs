//! Orders that are looked at before they are made.

use std::ops::Range;

use image::ImageFormat;
use kinora::picture::thumbnail as picture_of;
use kinora::spec::Size;
use serde_json::{Value, json};

use crate::support::api::{done, faults, order};
use crate::support::frames;
use crate::support::listing;
use crate::support::order::with;
use crate::support::photos::{Gate, Photo, PhotoServer};
use crate::support::picture;
use crate::support::service::{Service, Setup};

const PREVIEW: &str = "/api/videos/preview";
const SHEET: &str = "/api/videos/contact-sheet";
const CHECK: &str = "/api/videos/check";

/// Eight photos, whose second begins at the moment of the thumbnail.
fn listing_of_eight(photos: &PhotoServer) -> Value {
    let urls: Vec<String> = (0..8)
        .map(|n| {
            let image = picture::detailed(900 + 40 * n, 700);
            photos.put(
                &format!("/{n}.jpg"),
                Photo::Bytes("image/jpeg", picture::jpeg(&image)),
            )
        })
        .collect();
    let fields = json!({ "address": "1 Main St", "price": "$1", "name": "J" });
    json!({
        "photos": urls, "duration": 16, "frame_rate": 15,
        "template": { "id": "ActiveListing1", "fields": fields },
        "outputs": [{ "name": "a" }, { "name": "b", "aspect_ratio": "9:16", "branded": false }]
    })
}

#[tokio::test]
async fn a_preview_is_the_frame_that_the_video_will_have() {
    let (service, photos) = (listing::setup().start().await, PhotoServer::start());
    let order = listing_of_eight(&photos);
    let video = done(&service, &order).await;
    for (name, output) in [("a", 0), ("b", 1)] {
        let url = video["outputs"][output]["thumbnail_url"]
            .as_str()
            .expect("an address");
        let thumbnail = reqwest::get(url).await.expect("an answer").bytes().await;
        let thumbnail = thumbnail.expect("the thumbnail");
        for time in ["", "time=2&"] {
            let preview = service
                .post(&format!("{PREVIEW}?{time}output={name}"), &order)
                .await;
            assert_eq!(
                (preview.status, preview.header("content-type")),
                (200, "image/jpeg")
            );
            assert!(preview.bytes == thumbnail, "{name} {time}");
        }
        let other = service
            .post(&format!("{PREVIEW}?time=2.1&output={name}"), &order)
            .await;
        assert!(other.bytes != thumbnail);
    }
}

/// Runs ffmpeg with a quality that loses nothing.
const LOSSLESS: &str = r#"count=$#
while [ $count -gt 0 ]; do
    argument=$1
    shift
    case $before in
    -crf) argument=0 ;;
    -profile:v) argument=high444 ;;
    esac
    before=$argument
    case $argument in -crf) argument=-qp ;; esac
    set -- "$@" "$argument"
    count=$((count - 1))
done
exec ffmpeg "$@""#;

#[tokio::test]
async fn a_preview_is_the_frame_before_it_is_encoded() {
    let setup = listing::setup();
    let ffmpeg = setup.home().script("ffmpeg", LOSSLESS);
    let ffmpeg = ffmpeg.to_str().expect("a path").to_owned();
    let service = setup.env("KINORA_FFMPEG", ffmpeg).start().await;
    let photos = PhotoServer::start();
    let order = listing_of_eight(&photos);
    let video = done(&service, &order).await;
    // A title, a transition, a pan, and the closing card.
    let moments = [15, 61, 100, 230];
    for (name, output, (width, height)) in [("a", 0, (1080, 1080)), ("b", 1, (1080, 1920))] {
        let mut previews = Vec::new();
        for frame in moments {
            let time = frame as f64 / 15.0;
            let path = format!("{PREVIEW}?time={time}&output={name}");
            let preview = service.post(&path, &order).await;
            assert_eq!(preview.status, 200);
            previews.push(preview.bytes);
        }
        let url = video["outputs"][output]["url"]
            .as_str()
            .expect("an address");
        let film = reqwest::get(url).await.expect("an answer").bytes().await;
        let file = service
            .setup()
            .home()
            .write("film.mp4", film.expect("the film"));
        let decoded = tokio::task::spawn_blocking(move || frames::all(&file));
        let decoded = decoded.await.expect("the frames");
        for (frame, preview) in moments.into_iter().zip(previews) {
            let size = Size { width, height };
            let picture = picture_of(decoded[frame].samples(), size).expect("a picture");
            assert!(preview == picture, "{name} {frame}");
        }
    }
}

#[tokio::test]
async fn the_next_preview_fetches_nothing() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let url = photos.put("/a.png", Photo::Bytes("image/png", picture::small()));
    let order = order(&[url]);
    for focus in ["auto", "centre"] {
        let photo = json!([{ "url": order["photos"][0], "focus": focus }]);
        let order = with(order.clone(), json!({ "photos": photo }));
        assert_eq!(service.post(PREVIEW, &order).await.status, 200);
    }
    // Another part of the photo is decoded finer, from the same file.
    let view = json!({ "x": 0, "y": 0, "width": 0.2 });
    let photo = json!([{ "url": order["photos"][0], "motion": { "from": view, "to": view } }]);
    let order = with(order, json!({ "photos": photo }));
    assert_eq!(
        service
            .post(&format!("{PREVIEW}?time=0.5"), &order)
            .await
            .status,
        200
    );
    assert_eq!(photos.asked("/a.png"), 1);
}

#[tokio::test]
async fn a_contact_sheet_shows_twelve_frames() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let order = listing_of_eight(&photos);
    let sheet = service.post(&format!("{SHEET}?output=b"), &order).await;
    assert_eq!(
        (sheet.status, sheet.header("content-type")),
        (200, "image/jpeg")
    );
    let sheet = image::load_from_memory_with_format(&sheet.bytes, ImageFormat::Jpeg);
    let sheet = sheet.expect("a picture");
    assert_eq!(
        (sheet.width(), sheet.height()),
        (4 * 360 + 5 * 8, 3 * 640 + 4 * 8)
    );
}

#[tokio::test]
async fn a_preview_without_its_photo_says_why() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let missing = order(&[photos.url("/nowhere.jpg")]);
    for path in [PREVIEW, SHEET] {
        let answer = service.post(path, &missing).await;
        faults(&answer, 422);
        assert_eq!(answer.json()["code"], "bad-answer");
    }
    let order = order(&[photos.small()]);
    for (query, place) in [
        ("time=2", "#/time"),
        ("time=-1", "#/time"),
        ("output=x", "#/output"),
        ("size=9", "#"),
    ] {
        let answer = service.post(&format!("{PREVIEW}?{query}"), &order).await;
        assert_eq!(faults(&answer, 400), [place]);
    }
    assert_eq!(
        faults(&service.post(PREVIEW, &json!({})).await, 400),
        ["#/photos"]
    );
}

#[tokio::test]
async fn a_check_tells_what_there_would_be_and_renders_nothing() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let text = photos.put("/text.jpg", Photo::Bytes("image/jpeg", "text".into()));
    let order = with(
        order(&[
            photos.small(),
            photos.url("/nowhere.jpg"),
            text,
            photos.small(),
        ]),
        json!({
            "music": { "url": photos.url("/no-music.mp3") },
            "outputs": [{ "name": "a" }, { "name": "b", "aspect_ratio": "16:9" }],
            "transition": { "kind": "fade", "duration": 5 }
        }),
    );
    let check = service.post(CHECK, &order).await.expect(200);
    let sizes: Vec<&Value> = (0..4).map(|i| &check["photos"][i]["width"]).collect();
    assert!(sizes[0].is_u64() && sizes[1].is_null() && sizes[2].is_null() && sizes[3] == sizes[0]);
    let problems = check["problems"].as_array().expect("a list");
    let told: Vec<(&Value, &Value)> = problems
        .iter()
        .map(|it| (&it["photo"], &it["code"]))
        .collect();
    let expected = [
        (&json!(1), &json!("bad-answer")),
        (&json!(2), &json!("not-a-picture")),
        (&Value::Null, &json!("bad-answer")),
    ];
    assert_eq!(told, expected);
    let warnings = check["warnings"].as_array().expect("a list");
    assert!(
        warnings[0]
            .as_str()
            .expect("a sentence")
            .contains("transitions of 5 s"),
        "{warnings:?}"
    );
    for (i, name) in ["a", "b"].into_iter().enumerate() {
        let output = &check["outputs"][i];
        assert_eq!(
            (&output["name"], &output["duration"]),
            (&json!(name), &json!(1.0))
        );
        let scenes = output["scenes"].as_array().expect("scenes");
        let shown: Vec<&Value> = scenes.iter().map(|scene| &scene["photo"]).collect();
        assert_eq!(shown, [0, 3]);
        assert!(
            scenes[0]["motion"]["from"]["width"]
                .as_f64()
                .is_some_and(|width| width > 0.0)
        );
    }
    let page = service.get("/api/videos").await.expect(200);
    assert_eq!(page["items"], json!([]));
}

#[tokio::test]
async fn a_slow_photo_holds_up_no_other_preview() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let gate = Gate::new();
    let order = order(&[photos.gated("/held.png", &gate)]);
    let waiting: Vec<_> = (0..8)
        .map(|_| service.post_aside(PREVIEW, &order))
        .collect();
    gate.arrived(8).await;
    let other = with(order, json!({ "photos": [photos.small()] }));
    assert_eq!(service.post(PREVIEW, &other).await.status, 200);
    gate.open();
    for answer in waiting {
        assert_eq!(answer.await.expect("an answer").status, 200);
    }
}

#[tokio::test]
async fn previews_that_wait_for_photos_hold_up_no_order() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let gate = Gate::new();
    let held = order(&[photos.gated("/held.png", &gate)]);
    // Of these, two hundred wait for their photo, and the others for a place.
    let waiting: Vec<_> = (0..220)
        .map(|_| service.post_aside(PREVIEW, &held))
        .collect();
    gate.arrived(200).await;
    done(&service, &order(&[photos.small()])).await;
    assert_eq!(gate.count(), 200);
    gate.open();
    for answer in waiting {
        assert_eq!(answer.await.expect("an answer").status, 200);
    }
}

#[tokio::test]
async fn a_preview_leaves_bad_photos_out_as_the_video_will() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let mut urls: Vec<String> = Vec::new();
    for n in 0..3 {
        let grey = image::Rgb([60 * n + 40; 3]);
        let image = image::RgbImage::from_pixel(300, 300, grey);
        let photo = Photo::Bytes("image/png", picture::png(&image));
        urls.push(photos.put(&format!("/{n}.png"), photo));
        urls.push(photos.url("/nowhere.jpg"));
    }
    let fields = json!({ "duration": 6, "on_bad_photo": "skip" });
    let order = with(order(&urls), fields);
    let video = done(&service, &order).await;
    let url = video["outputs"][0]["thumbnail_url"].as_str().expect("it");
    let thumbnail = reqwest::get(url).await.expect("an answer").bytes().await;
    let preview = service.post(PREVIEW, &order).await;
    assert_eq!(preview.status, 200);
    assert!(preview.bytes == thumbnail.expect("the thumbnail"));
    assert_eq!(service.post(SHEET, &order).await.status, 200);
    let check = service.post(CHECK, &order).await.expect(200);
    let scenes = check["outputs"][0]["scenes"].as_array().expect("scenes");
    let shown: Vec<&Value> = scenes.iter().map(|scene| &scene["photo"]).collect();
    assert_eq!(shown, [0, 2, 4]);
    assert_eq!(check["photos"].as_array().map(Vec::len), Some(6));
    assert_eq!(check["problems"].as_array().map(Vec::len), Some(3));
    // Of no photo at all, there is none.
    let none = with(order, json!({ "photos": [photos.url("/nowhere.jpg")] }));
    faults(&service.post(PREVIEW, &none).await, 422);
    let check = service.post(CHECK, &none).await.expect(200);
    assert_eq!(check["outputs"][0]["scenes"], json!([]));
}

/// An opening title and a closing card over tints of the whole frame.
const TINTED: &str = r##"
title = "Tinted"

[style.plain]
font = "Manrope"
size = 6

[[panel]]
start = 0.4
end = 4
anchor = "centre"
backdrops = [{ tint = "#000000", opacity = 0.5 }]
items = [{ text = "{address}", style = "plain" }]

[[panel]]
start = -3.6
fade_out = 0
anchor = "centre"
backdrops = [{ tint = "#ffffff", opacity = 0.8 }]
items = [{ text = "{name}", style = "plain" }]
"##;

/// A service that knows it.
async fn service_with_tinted() -> Service {
    let setup = Setup::new().env("KINORA_TEMPLATES", "templates");
    let templates = setup.home().join("templates");
    std::fs::create_dir(templates).expect("a directory");
    setup.home().write("templates/Tinted.toml", TINTED);
    setup.start().await
}

#[tokio::test]
async fn a_caption_is_shown_while_its_photo_is_seen_alone() {
    let (service, photos) = (service_with_tinted().await, PhotoServer::start());
    let grey = image::RgbImage::from_pixel(400, 400, image::Rgb([128; 3]));
    let grey = photos.put("/grey.png", Photo::Bytes("image/png", picture::png(&grey)));
    let photo = |caption: Option<&str>| json!({ "url": grey, "caption": caption.unwrap_or(" ") });
    let order = json!({ "photos": [photo(Some("The garden")), photo(None)], "duration": 6, "frame_rate": 20 });
    let corner = async |order: &Value, time: &str, rows: Range<u32>| {
        let preview = service.post(&format!("{PREVIEW}?time={time}"), order).await;
        assert_eq!(preview.status, 200);
        let frame = image::load_from_memory(&preview.bytes)
            .expect("a picture")
            .to_rgb8();
        let mut levels = Vec::new();
        for y in rows {
            levels.extend((60..500).map(|x| frame.get_pixel(x, y).0[1]));
        }
        (levels.iter().min().copied(), levels.iter().max().copied())
    };
    let (darkest, lightest) = corner(&order, "1.5", 900..1040).await;
    assert!(
        darkest < Some(90) && lightest > Some(220),
        "{darkest:?} {lightest:?}"
    );
    // Not over the transition, nor over the photo after it.
    for time in ["3", "4.5"] {
        let (darkest, lightest) = corner(&order, time, 900..1040).await;
        assert!(
            darkest > Some(110) && lightest < Some(150),
            "{time}: {darkest:?} {lightest:?}"
        );
    }

    // A single photo: after its opening title and before its closing card.
    let order = json!({
        "photos": [photo(Some("The garden"))], "duration": 10,
        "template": { "id": "Tinted", "fields": { "address": "1 Main St", "name": "Jo" } },
    });
    for (time, is_shown) in [("2", false), ("5.2", true)] {
        let (_, lightest) = corner(&order, time, 900..1040).await;
        assert_eq!(lightest > Some(200), is_shown, "{time}: {lightest:?}");
    }
    let (darkest, _) = corner(&order, "9", 900..1040).await;
    assert!(darkest > Some(180), "over the closing card: {darkest:?}");
}

/// The seconds in which each photo of a check is on the screen.
async fn durations(service: &Service, order: &Value) -> (Vec<f64>, Value) {
    let check = service.post(CHECK, order).await.expect(200);
    let scenes = check["outputs"][0]["scenes"].as_array().expect("scenes");
    let seconds = scenes.iter().map(|scene| scene["duration"].as_f64());
    let seconds = seconds.collect::<Option<_>>().expect("durations");
    (seconds, check["warnings"].clone())
}

#[tokio::test]
async fn titles_have_their_time_beside_that_of_photos() {
    let (service, photos) = (service_with_tinted().await, PhotoServer::start());
    let titles = json!({ "id": "Tinted", "fields": { "address": "1 Main St", "name": "Jo" } });
    // Opening and closing take half of it; the photos share the rest.
    let photo = json!({ "url": photos.small(), "duration": 3 });
    let order = json!({ "photos": [photo, photo, photo, photo], "template": titles });
    let (_, warnings) = durations(&service, &order).await;
    assert_eq!(warnings, json!([]), "nobody asked for a length");
    let order = with(order, json!({ "duration": 12 }));
    let (seconds, warnings) = durations(&service, &order).await;
    let said = "the durations of the photos are 12 s together, and titles that hide photos take 6.0 s, in a video of \
                12 s: they are multiplied by 0.50";
    assert_eq!(warnings, json!([said]));
    let [first, second, third, last] = seconds[..] else {
        panic!("{seconds:?}")
    };
    assert!((second - third).abs() < 0.1, "{seconds:?}");
    // Of the 12 seconds, 3.2 and 2.8.
    assert!((first - second - 3.2).abs() < 0.4, "{seconds:?}");
    assert!((last - second - 2.8).abs() < 0.4, "{seconds:?}");

    // A video that is longer than its photos.
    let photo = json!({ "url": photos.small(), "duration": 0.1 });
    let order = json!({ "photos": [photo, photo, photo], "duration": 12 });
    let (_, warnings) = durations(&service, &order).await;
    let said = "the durations of the photos are 0.3 s together, in a video of 12 s: they are multiplied by 40.00";
    assert_eq!(warnings, json!([said]));

    // Of ten photos, three are left.
    let bad = photos.url("/nowhere.jpg");
    let urls: Vec<String> = (0..10)
        .map(|n| {
            if n % 4 == 1 {
                photos.small()
            } else {
                bad.clone()
            }
        })
        .collect();
    let order = json!({ "photos": urls, "template": titles, "on_bad_photo": "skip" });
    let (seconds, _) = durations(&service, &order).await;
    let [first, second, last] = seconds[..] else {
        panic!("{seconds:?}")
    };
    assert!((first - 4.0 - second).abs() < 0.8, "{seconds:?}");
    assert!((last - 3.6 - second).abs() < 0.8, "{seconds:?}");
}

#[tokio::test]
async fn a_transition_too_short_to_be_seen_is_said_to_be_a_cut() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let photo = json!({ "url": photos.small() });
    for (seconds, expected) in [
        (0.15, json!([])),
        (
            0.1,
            json!(["some transitions of 0.1 s would have fewer than four frames, and are cuts"]),
        ),
    ] {
        let transition = json!({ "kind": "fade", "duration": seconds });
        let order = json!({ "photos": [photo, photo], "duration": 6, "transition": transition });
        let (_, warnings) = durations(&service, &order).await;
        assert_eq!(warnings, expected, "{seconds} s");
    }
}
