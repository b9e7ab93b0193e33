//! Orders that were made before are not rendered again.

use std::path::PathBuf;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::api::{VIDEOS, delete, done, order, path};
use crate::support::bucket::own_s3;
use crate::support::listing;
use crate::support::order::{short, with};
use crate::support::photos::{Photo, PhotoServer};
use crate::support::picture;
use crate::support::service::{PAID, Service, Setup};

/// A service whose encoder writes down each start.
struct Counted {
    service: Service,
    starts: PathBuf,
}

impl Counted {
    async fn start(setup: Setup) -> Self {
        let starts = setup.home().join("starts");
        let script = format!("echo >> {}\nexec ffmpeg \"$@\"\n", starts.display());
        let script = setup.home().script("ffmpeg", &script);
        let ffmpeg = script.to_str().expect("a path").to_owned();
        let setup = setup.env("KINORA_FFMPEG", ffmpeg);
        Self {
            service: setup.start().await,
            starts,
        }
    }

    fn starts(&self) -> usize {
        let starts = std::fs::read_to_string(&self.starts).unwrap_or_default();
        starts.lines().count()
    }
}

async fn bytes(url: &Value) -> Vec<u8> {
    let answer = reqwest::get(url.as_str().expect("an address"))
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    answer.bytes().await.expect("a file").to_vec()
}

fn two_outputs(photos: &PhotoServer) -> Value {
    let photo = photos.put("/a.png", Photo::Bytes("image/png", picture::small()));
    let outputs = json!({ "outputs": [{ "name": "a" }, { "name": "b", "aspect_ratio": "16:9" }] });
    with(order(&[photo]), outputs)
}

/// The same order twice: the second has files of its own, and nothing was encoded for it.
async fn is_made_once(counted: &Counted, order: &Value) -> [Value; 2] {
    let first = done(&counted.service, order).await;
    let starts = counted.starts();
    let second = done(&counted.service, order).await;
    assert_eq!(counted.starts(), starts);
    assert!(first["id"] != second["id"]);
    let count = first["outputs"].as_array().expect("outputs").len();
    for i in 0..count {
        for field in ["url", "thumbnail_url"] {
            let (first, second) = (&first["outputs"][i][field], &second["outputs"][i][field]);
            assert!(first != second);
            assert!(bytes(first).await == bytes(second).await);
        }
    }
    [first, second]
}

#[tokio::test]
async fn an_order_that_was_find_same_is_not_encoded_again() {
    let photos = PhotoServer::start();
    let counted = Counted::start(Setup::new()).await;
    let order = two_outputs(&photos);
    let [first, second] = is_made_once(&counted, &order).await;
    // Each has its own: one goes, the other stays.
    assert_eq!(delete(&counted.service, &first).await.status, 204);
    bytes(&second["outputs"][1]["url"]).await;
    let starts = counted.starts();
    let third = done(&counted.service, &order).await;
    assert_eq!(counted.starts(), starts);
    // With other bytes at the same address, it is another video.
    let other = picture::png(&picture::detailed(300, 200));
    photos.put("/a.png", Photo::Bytes("image/png", other));
    let fourth = done(&counted.service, &order).await;
    assert!(counted.starts() > starts);
    let [third, fourth] = [third, fourth].map(|video| video["outputs"][0]["url"].clone());
    assert!(bytes(&third).await != bytes(&fourth).await);
    // And so with another specification.
    let starts = counted.starts();
    done(&counted.service, &with(order, json!({ "duration": 2 }))).await;
    assert!(counted.starts() > starts);
}

#[tokio::test]
async fn the_older_dialects_reuse_videos_too() {
    let photos = PhotoServer::start();
    let counted = Counted::start(listing::setup()).await;
    let service = &counted.service;
    let urls = [photos.small()];
    let one = service.post(PAID, &short(&urls[0])).await.expect(200);
    let starts = counted.starts();
    let two = service.post(PAID, &short(&urls[0])).await.expect(200);
    assert_eq!(counted.starts(), starts);
    assert!(one["response"] != two["response"]);
    assert!(bytes(&one["response"]).await == bytes(&two["response"]).await);
    let listing = listing::generate(service, &listing::order(&urls)).await;
    listing::ended(service, &listing).await;
    let starts = counted.starts();
    let again = listing::generate(service, &listing::order(&urls)).await;
    assert_eq!(listing::ended(service, &again).await["status"], "completed");
    assert_eq!(counted.starts(), starts);
    assert!(
        service
            .get(&listing::about(&again, "results"))
            .await
            .expect(200)["thumbnail_url"]
            .is_string()
    );
}

#[tokio::test]
async fn a_video_whose_file_is_gone_is_made_again() {
    let photos = PhotoServer::start();
    let counted = Counted::start(Setup::new()).await;
    let order = order(&[photos.small()]);
    let first = done(&counted.service, &order).await;
    let starts = counted.starts();
    let name = format!("{}.mp4", first["id"].as_str().expect("an id"));
    let file = counted.service.setup().data().join("videos").join(name);
    std::fs::remove_file(file).expect("the file");
    let second = done(&counted.service, &order).await;
    assert!(counted.starts() > starts);
    bytes(&second["outputs"][0]["url"]).await;
}

#[tokio::test]
async fn nothing_is_reused_if_that_is_not_wanted() {
    let photos = PhotoServer::start();
    let counted = Counted::start(Setup::new().env("KINORA_CACHE_VIDEOS", "false")).await;
    let order = order(&[photos.small()]);
    done(&counted.service, &order).await;
    let starts = counted.starts();
    done(&counted.service, &order).await;
    assert!(counted.starts() > starts);
}

#[tokio::test(flavor = "multi_thread")]
async fn videos_in_a_bucket_are_copied_there() {
    let photos = PhotoServer::start();
    let setup = tokio::task::spawn_blocking(|| own_s3(Setup::new(), "reuse")).await;
    let counted = Counted::start(setup.expect("a bucket")).await;
    let [_, second] = is_made_once(&counted, &two_outputs(&photos)).await;
    let data = counted.service.setup().data();
    for directory in ["videos", "unstored"] {
        let files = std::fs::read_dir(data.join(directory));
        assert!(
            files.is_ok_and(|mut files| files.next().is_none()),
            "{directory}"
        );
    }
    let page = counted.service.get(VIDEOS).await.expect(200);
    assert_eq!(page["items"].as_array().expect("items").len(), 2);
    let later = counted.service.get(&path(&second)).await.expect(200);
    assert_eq!(later["state"], "done");
}
