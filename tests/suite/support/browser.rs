//! A browser that looks at the page.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::service::{KEY, Service};
use super::wait::PATIENCE;
use crate::servers::chromium::ChromeDriver;

const AXE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/target/servers/axe/node_modules/axe-core/axe.min.js"
);

pub struct Browser {
    client: Client,
    driver: String,
    /// Of the service.
    origin: String,
}

/// One driver for all tests.
async fn driver() -> String {
    static DRIVER: OnceLock<ChromeDriver> = OnceLock::new();
    let driver = tokio::task::spawn_blocking(|| DRIVER.get_or_init(ChromeDriver::start));
    driver.await.expect("a driver").url()
}

impl Browser {
    /// With the page of a service before it, in a window of this size.
    pub async fn open(service: &Service, width: u32, height: u32) -> Self {
        let driver = driver().await;
        let arguments = [
            "--headless=new",
            // It runs as root in containers, and looks at nothing but the service.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--autoplay-policy=no-user-gesture-required",
            // Other hosts are not there.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        arguments.push(format!("--window-size={width},{height}"));
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("it is an object");
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver)
            .await
            .expect("a browser");
        let origin = service.url("");
        client.goto(&service.url("/")).await.expect("the page");
        Self {
            client,
            driver,
            origin,
        }
    }

    /// Opens another page of the service.
    pub async fn go(&self, path: &str) {
        let url = format!("{}{path}", self.origin);
        self.client.goto(&url).await.expect("the page");
    }

    /// Gives the key.
    pub async fn sign_in(&self) {
        self.enter("#api-key", KEY).await;
        self.seen("#workspace").await;
    }

    /// Types into a field, and confirms with Enter.
    pub async fn enter(&self, css: &str, text: &str) {
        let field = self.seen(css).await;
        field.clear().await.expect("a field");
        field
            .send_keys(&format!("{text}\u{e007}"))
            .await
            .expect("it takes keys");
    }

    /// Chooses files in a file input.
    pub async fn choose(&self, css: &str, files: &[&Path]) {
        let names: Vec<String> = files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let input = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css));
        let input = input.await.expect("an input");
        input
            .send_keys(&names.join("\n"))
            .await
            .expect("it takes files");
    }

    /// Drops sample photos of the page onto it, as from a file manager.
    pub async fn drop_samples(&self, names: &[&str]) {
        let drop = "const done = arguments[arguments.length - 1]; \
            const transfer = new DataTransfer(); \
            const take = async (name) => { \
                const bytes = await (await fetch(`/page/samples/${name}`)).blob(); \
                transfer.items.add(new File([bytes], name, { type: 'image/jpeg' })); \
            }; \
            Promise.all(arguments[0].map(take)).then(() => { \
                for (const type of ['dragenter', 'dragover', 'drop']) { \
                    const event = { bubbles: true, cancelable: true, dataTransfer: transfer }; \
                    document.body.dispatchEvent(new DragEvent(type, event)); \
                } \
                done(); \
            });";
        let dropped = self.client.execute_async(drop, vec![json!(names)]).await;
        dropped.expect("a drop");
    }

    pub async fn click(&self, css: &str) {
        self.seen(css).await.click().await.expect("a click");
    }

    /// Clicks the button that reads so, within an element.
    pub async fn click_button(&self, css: &str, text: &str) {
        let path = format!(".//button[normalize-space()='{text}']");
        let button = self.seen(css).await.find(Locator::XPath(&path)).await;
        let button = button.unwrap_or_else(|error| panic!("{text} is not there: {error}"));
        button.click().await.expect("a click");
    }

    /// Waits until an element is there and shown.
    pub async fn seen(&self, css: &str) -> Element {
        let wait = self.client.wait().at_most(PATIENCE);
        let element = wait.for_element(Locator::Css(css)).await;
        let element = element.unwrap_or_else(|error| panic!("{css} is not there: {error}"));
        self.until(&format!("{css} is seen"), async || {
            element.is_displayed().await.is_ok_and(|seen| seen)
        })
        .await;
        element
    }

    /// Waits until an element's text has these words.
    pub async fn reads(&self, css: &str, words: &str) {
        self.until(&format!("{css} reads {words:?}"), async || {
            let text = self
                .script(&format!(
                    "return document.querySelector('{css}')?.textContent ?? ''"
                ))
                .await;
            text.as_str().is_some_and(|text| text.contains(words))
        })
        .await;
    }

    /// Runs a script in the page.
    pub async fn script(&self, script: &str) -> Value {
        let ran = self.client.execute(script, Vec::new()).await;
        ran.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    pub async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        super::wait::until_async(what, async || {
            if is_so().await {
                return Some(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        })
        .await;
    }

    /// What axe finds that people with disabilities cannot use.
    pub async fn violations(&self) -> Vec<String> {
        let axe = std::fs::read_to_string(AXE).expect("axe: run scripts/install-test-servers");
        self.script(&axe).await;
        let found = "const done = arguments[arguments.length - 1]; \
            axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations.map(\
            (it) => it.id + ': ' + it.nodes.map((node) => node.target.join(' ')).join(', '))));";
        let found = self.client.execute_async(found, Vec::new()).await;
        let found = found.expect("what axe found");
        serde_json::from_value(found).expect("a list")
    }

    /// What the console says, and which other hosts were asked. Ends the browser.
    pub async fn close(self) -> Vec<String> {
        let session = self.client.session_id().await.expect("a session");
        let session = session.expect("an id");
        let mut faults = Vec::new();
        for entry in self.log(&session, "browser").await {
            faults.push(entry["message"].to_string());
        }
        for entry in self.log(&session, "performance").await {
            let message = entry["message"].as_str().unwrap_or_default();
            let message: Value = serde_json::from_str(message).expect("JSON");
            let message = &message["message"];
            if message["method"] == "Network.requestWillBeSent" {
                let url = message["params"]["request"]["url"]
                    .as_str()
                    .unwrap_or_default();
                let is_ours = ["blob:", "data:", "chrome:", self.origin.as_str()];
                if !is_ours.iter().any(|start| url.starts_with(start)) {
                    faults.push(format!("asks {url}"));
                }
            }
        }
        self.client.close().await.expect("an end");
        faults
    }

    async fn log(&self, session: &str, kind: &str) -> Vec<Value> {
        let url = format!("{}/session/{session}/se/log", self.driver);
        let asked = reqwest::Client::new()
            .post(url)
            .header("content-type", "application/json")
            .body(json!({ "type": kind }).to_string());
        let answer = asked.send().await.expect("an answer").bytes().await;
        let answer: Value = serde_json::from_slice(&answer.expect("a log")).expect("JSON");
        answer["value"].as_array().cloned().unwrap_or_default()
    }
}
