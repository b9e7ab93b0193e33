//! The page at `/`, in a real browser.

use reqwest::Method;
use serde_json::{Value, json};

use crate::servers::ports::Ports;
use crate::support::api::{VIDEOS, done, is};
use crate::support::browser::Browser;
use crate::support::client::Answer;
use crate::support::photos::PhotoServer;
use crate::support::picture;
use crate::support::scratch::Scratch;
use crate::support::service::{KEY, Service, Setup};
use crate::support::sink::Sink;

const NOTHING: Vec<String> = Vec::new();

/// A film that plays in the page.
async fn plays(browser: &Browser) {
    browser.seen("#film-players video").await;
    browser
        .until("the film plays", async || {
            let time = browser
                .script(
                    "const film = document.querySelector('#film-players video'); \
                     film.muted = true; film.play(); return film.currentTime",
                )
                .await;
            time.as_f64() > Some(0.2)
        })
        .await;
}

fn photos(home: &Scratch) -> [std::path::PathBuf; 2] {
    let photo = |name, width| {
        let image = picture::detailed(width, 700);
        home.write(name, picture::jpeg(&image))
    };
    [photo("a.jpg", 900), photo("b.jpg", 1100)]
}

#[tokio::test]
async fn a_newcomer_makes_a_film_of_own_photos_in_four_clicks() {
    let (service, home) = (Service::start().await, Scratch::new());
    let browser = Browser::open(&service, 1440, 900).await;
    browser.sign_in().await;
    assert_eq!(browser.violations().await, NOTHING);
    // The first click opens the dialog for files.
    let [a, b] = photos(&home);
    browser.choose("input[type=file]", &[&a, &b]).await;
    browser.seen("#preview[src]").await;
    assert_eq!(browser.violations().await, NOTHING);
    browser.click("#make").await;
    plays(&browser).await;
    assert_eq!(browser.violations().await, NOTHING);
    let list = service.get(VIDEOS).await.expect(200);
    assert_eq!(list["items"][0]["state"], "done");
    assert_eq!(browser.close().await, NOTHING);
}

#[tokio::test]
async fn the_sample_photos_become_a_first_film_on_a_phone() {
    let service = Service::start().await;
    let browser = Browser::open(&service, 390, 844).await;
    browser.sign_in().await;
    browser.click("#make-first").await;
    plays(&browser).await;
    let wide = browser
        .script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth",
        )
        .await;
    assert_eq!(wide, json!(0));
    assert_eq!(browser.close().await, NOTHING);
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_page() {
    let (service, home) = (Service::start().await, Scratch::new());
    let browser = Browser::open(&service, 820, 1180).await;
    browser.enter("#api-key", "wrong").await;
    browser.reads("#api-key-fault", "refused").await;
    browser.sign_in().await;
    let text = home.write("notes.txt", "no picture at all");
    browser.choose("input[type=file]", &[&text]).await;
    browser.reads("#photo-list", "text").await;
    assert_eq!(browser.violations().await, NOTHING);
    // Chromium tells of each answer that is an error.
    let said = browser.close().await;
    let is_expected = |line: &String| line.contains("401") || line.contains("422");
    assert!(said.iter().all(is_expected), "{said:?}");
}

#[tokio::test]
async fn a_film_that_is_being_made_is_cancelled_in_the_page() {
    let (service, home) = (Service::start().await, Scratch::new());
    let browser = Browser::open(&service, 1440, 900).await;
    browser.sign_in().await;
    let [a, b] = photos(&home);
    browser.choose("input[type=file]", &[&a, &b]).await;
    // Long enough to be cancelled.
    browser.enter("#duration", "400").await;
    browser.click("#make").await;
    browser.reads("#film-state", "Making").await;
    browser.click("#film-cancel").await;
    browser.reads("#film-state", "Cancelled").await;
    let list = service.get(VIDEOS).await.expect(200);
    is(&service, &list["items"][0], &["cancelled"]).await;
    assert_eq!(browser.close().await, NOTHING);
}

#[tokio::test]
async fn photos_are_dropped_into_the_page() {
    let service = Service::start().await;
    let browser = Browser::open(&service, 820, 1180).await;
    browser.sign_in().await;
    browser
        .drop_samples(&["1-aitzgorri.jpg", "2-peaks.jpg"])
        .await;
    browser.seen("#preview[src]").await;
    let photos = "return document.querySelectorAll('#photo-list > li').length";
    assert_eq!(browser.script(photos).await, json!(2));
    assert_eq!(browser.violations().await, NOTHING);
    assert_eq!(browser.close().await, NOTHING);
}

#[tokio::test]
async fn a_film_is_followed_over_a_lost_connection() {
    let (ports, home) = (Ports::reserve(), Scratch::new());
    let bind = format!("127.0.0.1:{}", ports.port(1));
    let setup = Setup::new().env("KINORA_BIND", bind);
    let service = setup.start().await;
    let browser = Browser::open(&service, 1440, 900).await;
    browser.sign_in().await;
    let [a, b] = photos(&home);
    browser.choose("input[type=file]", &[&a, &b]).await;
    browser.enter("#duration", "60").await;
    browser.click("#make").await;
    browser.reads("#film-state", "Making").await;
    let setup = service.kill().await;
    browser.reads("#film-state", "connection is lost").await;
    let service = setup.start().await;
    plays(&browser).await;
    let list = service.get(VIDEOS).await.expect(200);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    // Chromium tells of each request that does not arrive.
    let said = browser.close().await;
    let is_expected = |line: &String| line.contains("ERR_");
    assert!(said.iter().all(is_expected), "{said:?}");
}

#[tokio::test]
async fn an_order_and_its_film_are_there_again_after_a_reload() {
    let (service, home) = (Service::start().await, Scratch::new());
    let browser = Browser::open(&service, 1440, 900).await;
    browser.sign_in().await;
    let [a, b] = photos(&home);
    browser.choose("input[type=file]", &[&a, &b]).await;
    browser.enter("#duration", "40").await;
    browser.seen("#preview[src]").await;
    browser.click("#make").await;
    browser.reads("#film-state", "Making").await;
    browser.go("/").await;
    plays(&browser).await;
    let restored = "return [document.querySelectorAll('.photo').length, \
        document.querySelector('#duration').value]";
    assert_eq!(browser.script(restored).await, json!([2, "40"]));
    assert_eq!(browser.close().await, NOTHING);
}

#[tokio::test]
async fn films_are_listed_their_webhooks_sent_again_and_their_files_deleted() {
    let (service, sink) = (Service::start().await, Sink::start());
    let photos = PhotoServer::start();
    let order = json!({
        "photos": [photos.small()], "duration": 1, "webhook_url": sink.url("/hook"), "id": "<b>one</b>"
    });
    done(&service, &order).await;
    sink.wait_for("/hook", 1).await;
    let browser = Browser::open(&service, 1440, 900).await;
    browser.sign_in().await;
    // What a client calls it is text.
    browser.reads(".job-title", "<b>one</b>").await;
    browser.reads(".job .facts", "webhook delivered").await;
    browser.click_button(".job", "Resend webhook").await;
    sink.wait_for("/hook", 2).await;
    browser.click_button(".job", "Delete").await;
    browser.click("#confirmation-accept").await;
    let rows = "return document.querySelectorAll('.job').length";
    browser
        .until("the row is gone", async || {
            browser.script(rows).await == json!(0)
        })
        .await;
    assert_eq!(browser.violations().await, NOTHING);
    assert_eq!(browser.close().await, NOTHING);
}

#[tokio::test]
async fn the_page_is_small_and_asks_for_no_key_itself() {
    let service = Service::start().await;
    let page = Answer::to(service.anonymous(Method::GET, "/")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let text = page.text();
    let linked = text
        .split(['"', '\''])
        .filter(|it| it.starts_with("/page/"));
    let mut names: Vec<String> = linked.map(str::to_owned).collect();
    let mut bytes = 0;
    // With the modules that these import.
    let mut index = 0;
    while let Some(name) = names.get(index).cloned() {
        let file = Answer::to(service.anonymous(Method::GET, &name)).await;
        assert_eq!(file.status, 200, "{name}");
        let imports = file.text();
        let imports = imports.split('"').filter_map(|it| it.strip_prefix("./"));
        for import in imports.map(|it| format!("/page/{it}")) {
            if !names.contains(&import) {
                names.push(import);
            }
        }
        let gzip = service
            .anonymous(Method::GET, &name)
            .header("accept-encoding", "gzip");
        let packed = Answer::to(gzip).await;
        assert_eq!(packed.header("content-encoding"), "gzip", "{name}");
        bytes += packed.bytes.len();
        let etag = packed.header("etag").to_owned();
        let known = service
            .anonymous(Method::GET, &name)
            .header("if-none-match", etag);
        assert_eq!(Answer::to(known).await.status, 304);
        index += 1;
    }
    assert!(
        names.len() > 5 && bytes < 150_000,
        "{bytes} bytes of {names:?}"
    );
    let posted = Answer::to(service.anonymous(Method::POST, "/")).await;
    assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD"));
    for other in ["/page/", "/page/../Cargo.toml", "/page/none.js"] {
        assert_eq!(
            Answer::to(service.anonymous(Method::GET, other))
                .await
                .status,
            404
        );
    }
    let with_key: Value = json!(KEY);
    assert!(!text.contains(with_key.as_str().expect("a text")));
}
