//! The examples in `examples/api`, run as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use image::{Rgb, RgbImage};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::VIDEOS;
use crate::support::client::{Answer, client};
use crate::support::listing;
use crate::support::photos::PhotoServer;
use crate::support::picture;
use crate::support::probe::{Probe, boxes};
use crate::support::render::stderr;
use crate::support::scratch::Scratch;
use crate::support::service::{KEY, Service};

/// Interpreter, and file.
type Script = (&'static str, &'static str);

const SHELL: Script = ("sh", "order.sh");
const PYTHON: Script = ("python3", "order.py");
const JAVASCRIPT: Script = ("node", "order.mjs");

fn example(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/api");
    folder.join(name)
}

/// Runs a script in a directory of the test's own, with nothing but its two settings.
async fn run(script: Script, service: &Service, home: &Scratch, photos: &[&str]) -> Output {
    let (interpreter, file) = script;
    let mut command = Command::new(interpreter);
    command
        .arg(example(file))
        .args(photos)
        .current_dir(home.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("KINORA_URL", service.url(""))
        .env("API_KEY", KEY)
        .stdin(Stdio::null());
    // On a thread of its own, as the photo server needs this one.
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    output.expect("a thread").expect("the interpreter")
}

/// The video objects of all jobs, newest first.
async fn videos(service: &Service) -> Vec<Value> {
    let page = service.get(VIDEOS).await.expect(200);
    page["items"].as_array().expect("items").clone()
}

/// The names of the files in a directory, sorted.
fn names(home: &Scratch) -> Vec<String> {
    let entries = fs::read_dir(home.path()).expect("a directory");
    let mut names: Vec<String> = entries
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    names
}

/// A file and a URL become two videos, and remain one job when the script is run again.
async fn makes_two_videos_once(script: Script) {
    let (service, photos) = (listing::setup().start().await, PhotoServer::start());
    let home = Scratch::new();
    let red = RgbImage::from_pixel(640, 480, Rgb([200, 20, 20]));
    home.write("a photo.jpg", picture::jpeg(&red));
    let url = photos.small();
    for _ in 0..2 {
        let output = run(script, &service, &home, &["a photo.jpg", &url]).await;
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(output.stdout, b"feed.mp4\nreel.mp4\n");
        assert_eq!(names(&home), ["a photo.jpg", "feed.mp4", "reel.mp4"]);
        for (name, size) in [("feed.mp4", (1080, 1080)), ("reel.mp4", (1080, 1920))] {
            let video = home.join(name);
            assert_eq!(boxes(&video)[0], "ftyp");
            assert_eq!(Probe::of(&video).size(), size);
            fs::remove_file(video).expect("a video");
        }
    }
    assert_eq!(videos(&service).await.len(), 1);
    assert_eq!(photos.asked("/small.png"), 1);
}

/// The sentence of the service is the last line on stderr.
async fn tells_why_there_is_no_video(script: Script) {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let home = Scratch::new();
    let fails = async |photo: &str| {
        let output = run(script, &service, &home, &[photo]).await;
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(output.stdout.is_empty());
        let text = stderr(&output);
        let last = text.lines().last().expect("a line").to_owned();
        let sentence = last.strip_prefix(&format!("{}: ", script.1));
        sentence.unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    // An upload that is refused.
    let text = "a text and no picture";
    home.write("text.jpg", text);
    let upload = service.request(Method::POST, "/api/photos").body(text);
    let refused = Answer::to(upload).await.expect(422);
    assert_eq!(fails("text.jpg").await, refused["detail"]);
    // An order that is refused. The sentence has quotation marks in it.
    let order = json!({ "photos": ["http://a\"b\\c/"] });
    let refused = service.post(VIDEOS, &order).await.expect(400);
    assert_eq!(fails("http://a\"b\\c/").await, refused["detail"]);
    assert_eq!(videos(&service).await.len(), 0);
    // A video that fails.
    let told = fails(&photos.url("/nowhere.jpg")).await;
    assert_eq!(told, videos(&service).await[0]["error"]["message"]);
    assert_eq!(names(&home), ["text.jpg"]);
}

#[tokio::test]
async fn the_shell_script_makes_two_videos_once() {
    makes_two_videos_once(SHELL).await;
}

#[tokio::test]
async fn the_python_script_makes_two_videos_once() {
    makes_two_videos_once(PYTHON).await;
}

#[tokio::test]
async fn the_javascript_script_makes_two_videos_once() {
    makes_two_videos_once(JAVASCRIPT).await;
}

#[tokio::test]
async fn the_shell_script_tells_why_there_is_no_video() {
    tells_why_there_is_no_video(SHELL).await;
}

#[tokio::test]
async fn the_python_script_tells_why_there_is_no_video() {
    tells_why_there_is_no_video(PYTHON).await;
}

#[tokio::test]
async fn the_javascript_script_tells_why_there_is_no_video() {
    tells_why_there_is_no_video(JAVASCRIPT).await;
}

/// A workflow of n8n, with as much of n8n as it needs.
struct Workflow {
    all: Value,
    env: Value,
}

impl Workflow {
    fn read(service: &Service) -> Self {
        let text = fs::read(example("n8n-listing-video.json")).expect("the workflow");
        Self {
            all: serde_json::from_slice(&text).expect("JSON"),
            env: json!({ "KINORA_URL": service.url(""), "API_KEY": KEY }),
        }
    }

    fn nodes(&self) -> &[Value] {
        self.all["nodes"].as_array().expect("nodes")
    }

    fn node(&self, name: &str) -> &Value {
        let mut named = self.nodes().iter().filter(|node| node["name"] == name);
        let node = named.next().unwrap_or_else(|| panic!("no node {name}"));
        assert!(named.next().is_none(), "two nodes {name}");
        node
    }

    /// All connections: from, and to.
    fn connections(&self) -> Vec<(&Value, &Value)> {
        let connections = self.all["connections"].as_object().expect("connections");
        let mut all = Vec::new();
        for (from, outputs) in connections {
            assert!(outputs.as_object().is_some_and(|kinds| kinds.len() == 1));
            for output in outputs["main"].as_array().expect("outputs") {
                for target in output.as_array().expect("targets") {
                    assert_eq!(
                        (&target["type"], &target["index"]),
                        (&json!("main"), &json!(0))
                    );
                    let to = target["node"].as_str().expect("a name");
                    all.push((self.node(from), self.node(to)));
                }
            }
        }
        all
    }

    /// The one node that an output leads to.
    fn next(&self, node: &Value, output: usize) -> &Value {
        let name = node["name"].as_str().expect("a name");
        let targets = &self.all["connections"][name]["main"][output];
        assert_eq!(targets.as_array().map(Vec::len), Some(1), "{name}");
        self.node(targets[0]["node"].as_str().expect("a name"))
    }

    /// Posts a listing to the webhook, and tells what it answers: status and item.
    async fn run(&self, listing: Value) -> (u64, Value) {
        let mut node = &self.nodes()[0];
        let mut item = Value::Null;
        loop {
            let parameters = &node["parameters"];
            let data = json!({ "$env": self.env, "$json": item });
            let mut output = 0;
            match node["type"].as_str().expect("a type") {
                "n8n-nodes-base.webhook" => {
                    assert_eq!(parameters["responseMode"], "responseNode");
                    item = json!({ "body": listing });
                }
                "n8n-nodes-base.httpRequest" => item = request(parameters, &data).await,
                "n8n-nodes-base.if" => output = usize::from(!holds(parameters, &data)),
                "n8n-nodes-base.set" => item = assigned(parameters, &data),
                "n8n-nodes-base.respondToWebhook" => {
                    assert_eq!(parameters["respondWith"], "firstIncomingItem");
                    let status = parameters["options"]["responseCode"].as_u64();
                    return (status.unwrap_or(200), item);
                }
                kind => panic!("the test knows no {kind}"),
            }
            node = self.next(node, output);
        }
    }
}

/// The item that an HTTP Request node makes.
async fn request(parameters: &Value, data: &Value) -> Value {
    let text = |parameter: &Value| evaluated(parameter, data);
    assert_eq!(parameters["sendHeaders"], true);
    assert_eq!(parameters["sendBody"], true);
    assert_eq!(parameters["specifyBody"], "json");
    // Problems are items as well, although their media type is not that of JSON.
    let response = &parameters["options"]["response"]["response"];
    assert_eq!(response["fullResponse"], true);
    assert_eq!(response["neverError"], true);
    assert_eq!(response["responseFormat"], "json");
    let method = text(&parameters["method"]);
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let mut request = client().request(method, text(&parameters["url"]));
    let headers = &parameters["headerParameters"]["parameters"];
    for header in headers.as_array().expect("headers") {
        let (name, value) = (text(&header["name"]), text(&header["value"]));
        if let Some(wait) = value.strip_prefix("wait=") {
            let milliseconds = wait.parse::<u64>().expect("seconds") * 1000;
            let timeout = parameters["options"]["timeout"].as_u64();
            assert!(timeout > Some(milliseconds), "{timeout:?}");
        }
        request = request.header(name, value);
    }
    let body = text(&parameters["jsonBody"]);
    let body: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    let request = request
        .header("content-type", "application/json")
        .body(body.to_string());
    let answer = Answer::to(request).await;
    json!({ "statusCode": answer.status, "body": answer.json() })
}

/// Whether the condition of an If node holds.
fn holds(parameters: &Value, data: &Value) -> bool {
    let conditions = &parameters["conditions"]["conditions"];
    assert_eq!(conditions.as_array().map(Vec::len), Some(1));
    let condition = &conditions[0];
    assert_eq!(condition["operator"]["type"], "string");
    assert_eq!(condition["operator"]["operation"], "equals");
    let side = |name: &str| evaluated(&condition[name], data);
    side("leftValue") == side("rightValue")
}

/// The item that a Set node makes.
fn assigned(parameters: &Value, data: &Value) -> Value {
    let assignments = &parameters["assignments"]["assignments"];
    let mut item = json!({});
    for assignment in assignments.as_array().expect("assignments") {
        assert_eq!(assignment["type"], "string");
        let name = assignment["name"].as_str().expect("a name");
        item[name] = evaluated(&assignment["value"], data).into();
    }
    item
}

/// The text of a parameter. One that begins with `=` has expressions in it.
fn evaluated(parameter: &Value, data: &Value) -> String {
    let parameter = parameter.as_str().expect("a text");
    let Some(mut rest) = parameter.strip_prefix('=') else {
        return parameter.to_owned();
    };
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once("{{") {
        let (expression, after) = after.split_once("}}").expect("the end of an expression");
        text.push_str(before);
        match value(expression.trim(), data) {
            Value::String(value) => text.push_str(&value),
            value => text.push_str(&value.to_string()),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The value of an expression: `a ?? b`, `JSON.stringify(a)`, `'text'`, or a path such as `$json.a[0]?.b`.
fn value(expression: &str, data: &Value) -> Value {
    let between = |open: &str, close: &str| expression.strip_prefix(open)?.strip_suffix(close);
    if let Some(inner) = between("JSON.stringify(", ")") {
        return value(inner, data).to_string().into();
    }
    if let Some((first, rest)) = expression.split_once(" ?? ") {
        return match value(first, data) {
            Value::Null => value(rest, data),
            value => value,
        };
    }
    if let Some(text) = between("'", "'") {
        return text.into();
    }
    let path = expression.replace("?.", ".").replace('[', ".");
    let path = path.replace(']', "");
    let is_path = path.starts_with("$env.") || path.starts_with("$json.");
    let is_known = |c: char| c.is_ascii_alphanumeric() || "$._".contains(c);
    assert!(
        is_path && path.chars().all(is_known),
        "the test knows no expression {expression}"
    );
    let pointer = format!("/{}", path.replace('.', "/"));
    data.pointer(&pointer).cloned().unwrap_or_default()
}

#[tokio::test]
async fn the_n8n_workflow_answers_with_the_videos_or_the_failure() {
    let (service, photos) = (listing::setup().start().await, PhotoServer::start());
    let workflow = Workflow::read(&service);
    // Every node but the first is led to.
    let connections = workflow.connections();
    for node in &workflow.nodes()[1..] {
        let is_reached = connections.iter().any(|(_, to)| *to == node);
        assert!(is_reached, "{node}");
    }
    let listing = |id: &str, photo: &str| {
        json!({
            "id": id,
            "photos": [photo],
            "address": "1 \"Main\" St",
            "price": "$500,000"
        })
    };
    let good = listing("42", &photos.small());
    let (status, item) = workflow.run(good.clone()).await;
    assert_eq!(status, 200, "{item}");
    for name in ["feed", "reel"] {
        let url = item[name].as_str().expect("an address");
        let answer = Answer::to(client().get(url)).await;
        assert_eq!(answer.header("content-type"), "video/mp4");
    }
    // Sent again, it is the same video; with another body, an error.
    assert_eq!(workflow.run(good).await, (200, item));
    assert_eq!(videos(&service).await.len(), 1);
    let (status, refused) = workflow.run(listing("42", &photos.url("/b.png"))).await;
    let message = refused["message"].as_str().expect("a message");
    assert!(
        status == 502 && message.contains("Idempotency-Key"),
        "{status} {message}"
    );
    // What is not there is the service's to complain of.
    let (status, incomplete) = workflow.run(json!({ "id": "44" })).await;
    let message = incomplete["message"].as_str().expect("a message");
    assert!(
        status == 502 && message.starts_with("photos"),
        "{status} {message}"
    );
    let (status, failed) = workflow.run(listing("43", &photos.url("/b.png"))).await;
    let all = videos(&service).await;
    let error = &all[0]["error"];
    assert_eq!((status, &failed["message"]), (502, &error["message"]));
    assert!(error["message"].is_string());
}
