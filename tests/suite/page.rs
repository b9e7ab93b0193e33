//! The page at `/`, in a real browser.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{VIDEOS, is};
use crate::support::browser::Browser;
use crate::support::client::Answer;
use crate::support::picture;
use crate::support::scratch::Scratch;
use crate::support::service::{KEY, Service};

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
