//! Orders in files: rendered here, or made by a server.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::api::{VIDEOS, is};
use crate::support::photos::{Gate, PhotoServer};
use crate::support::probe::Probe;
use crate::support::render::{command, kinora, stderr};
use crate::support::scratch::Scratch;
use crate::support::service::{KEY, Service};
use crate::support::{picture, wait};

/// An order beside a picture that it names, in a directory of its own.
fn laid(home: &Scratch, others: &[String]) -> Value {
    std::fs::create_dir(home.join("here")).expect("a directory");
    home.write("here/a.jpg", picture::jpeg(&picture::detailed(900, 700)));
    let mut photos = vec![json!("a.jpg"), json!({ "url": "a.jpg", "fit": "contain" })];
    photos.extend(others.iter().map(|url| json!(url)));
    let order = json!({
        "photos": photos, "duration": 2, "frame_rate": 15,
        "outputs": [{ "name": "feed" }, { "name": "reel", "aspect_ratio": "9:16" }]
    });
    home.write("here/order.json", order.to_string());
    order
}

fn ordering(home: &Scratch, server: &str, args: &[&str]) -> Command {
    let mut command = command(home);
    command
        .args(["order", "here/order.json", "--server", server])
        .args(args)
        .env("API_KEY", KEY)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it aside, so that the servers of this test go on.
async fn run(mut command: Command) -> Output {
    let ran = tokio::task::spawn_blocking(move || command.output());
    ran.await.expect("a thread").expect("the program runs")
}

fn sizes(directory: &Path) -> Vec<(u64, u64)> {
    let size = |name| Probe::of(&directory.join(name)).size();
    vec![size("feed.mp4"), size("reel.mp4")]
}

const SIZES: [(u64, u64); 2] = [(1080, 1080), (1080, 1920)];

#[tokio::test]
async fn an_order_is_the_same_here_and_on_a_server() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let home = Scratch::new();
    let order = laid(&home, &[photos.small()]);
    let mut here = command(&home);
    here.args(["render", "here/order.json", "-o", "made/here"])
        .env("KINORA_ALLOW_NETWORKS", "127.0.0.0/8");
    let here = run(here).await;
    assert!(here.status.success(), "{}", stderr(&here));
    let there = run(ordering(&home, &service.url(""), &["-o", "made/there"])).await;
    assert!(there.status.success(), "{}", stderr(&there));
    assert!(stderr(&there).contains("uploading here/a.jpg\n"));
    let (here, there) = (home.join("made/here"), home.join("made/there"));
    assert_eq!((sizes(&here), sizes(&there)), (SIZES.into(), SIZES.into()));
    for name in ["feed.jpg", "reel.jpg"] {
        let bytes = |directory: &Path| std::fs::read(directory.join(name)).expect("a picture");
        assert!(bytes(&here) == bytes(&there), "{name}");
    }
    // Sent by another program, it is the same order, but for the local files.
    assert_eq!(
        service.post(VIDEOS, &order).await.status,
        400,
        "a server knows no paths"
    );
    assert_eq!(std::fs::read_dir(&there).expect("files").count(), 4);
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_said() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let home = Scratch::new();
    laid(&home, &[photos.url("/nowhere.jpg")]);
    let url = service.url("");
    let output = run(ordering(&home, &url, &[])).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("photos[2] answered 404"),
        "{}",
        stderr(&output)
    );
    let missing = std::fs::read_to_string(home.join("here/order.json")).expect("it");
    home.write("here/order.json", missing.replace("a.jpg", "b.jpg"));
    for (args, server, key, sentence) in [
        (&[][..], url.as_str(), KEY, "here/b.jpg cannot be read"),
        (
            &["--key-file", "nothing"],
            &url,
            KEY,
            "nothing cannot be read",
        ),
        (
            &[],
            "localhost:8080",
            KEY,
            "is not the http(s) address of a server",
        ),
        (&[], "http://127.0.0.1:1", KEY, "could not be reached"),
    ] {
        if sentence.contains("could") {
            home.write(
                "here/order.json",
                json!({ "photos": ["https://example.com/a"] }).to_string(),
            );
        }
        let mut command = ordering(&home, server, args);
        command.env("API_KEY", key);
        let output = run(command).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(sentence), "{}", stderr(&output));
    }
    let mut wrong = ordering(&home, &url, &[]);
    wrong.env("API_KEY", "wrong");
    assert!(stderr(&run(wrong).await).contains("Unauthorized"));
    let mut none = ordering(&home, &url, &[]);
    none.env_remove("API_KEY");
    assert!(stderr(&run(none).await).contains("set API_KEY"));
    home.write(
        "here/order.json",
        json!({ "photos": [photos.small()], "length": 3 }).to_string(),
    );
    for output in [
        run(ordering(&home, &url, &[])).await,
        kinora(&home, ["render", "here/order.json", "-o", "x"]),
    ] {
        assert!(stderr(&output).contains("length"), "{}", stderr(&output));
    }
}

#[tokio::test]
async fn the_example_is_made_as_it_stands() {
    let (service, home) = (Service::start().await, Scratch::new());
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/order.json");
    let mut client = command(&home);
    client.args(["order", example, "-o", "out", "--server", &service.url("")]);
    client.env("API_KEY", KEY);
    let output = run(client).await;
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("kinora: "), "{}", stderr(&output));
    assert_eq!(sizes(&home.join("out")), SIZES);
    let branded = std::fs::metadata(home.join("out/mls.mp4")).expect("a video");
    assert!(branded.len() <= 20_000_000);
}

#[test]
fn an_order_leaves_no_room_for_flags() {
    let home = Scratch::new();
    laid(&home, &[]);
    for (args, sentence) in [
        (
            &["here/order.json", "--length", "3"][..],
            "--length has no place",
        ),
        (&["here/order.json", "--fit", "cover"], "--fit has no place"),
        (
            &["here/order.json", "here/a.jpg"],
            "names its photos itself",
        ),
        (&["here/none.json"], "cannot be read"),
        (&["here/a.json"], "is not JSON"),
    ] {
        home.write("here/a.json", "{");
        let args = [&["render", "-o", "out"], args].concat();
        let output = kinora(&home, args);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(sentence), "{}", stderr(&output));
    }
    assert!(!home.join("out").exists());
}

#[tokio::test]
async fn a_client_that_is_interrupted_cancels_its_order() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let gate = Gate::new();
    let home = Scratch::new();
    laid(&home, &[photos.gated("/held.png", &gate)]);
    let mut client = ordering(&home, &service.url(""), &[])
        .spawn()
        .expect("it runs");
    gate.arrived(1).await;
    let signal = Command::new("kill")
        .args(["-INT", &client.id().to_string()])
        .status();
    assert!(signal.expect("kill").success());
    let status = wait::until("the client ends", || client.try_wait().expect("a status")).await;
    assert_eq!(status.code(), Some(130));
    let list = service.get(VIDEOS).await.expect(200);
    is(&service, &list["items"][0], &["cancelled"]).await;
}

#[tokio::test]
async fn a_client_outlives_a_restart_of_its_server() {
    let photos = PhotoServer::start();
    let gate = Gate::new();
    let service = Service::start().await;
    let address = service.authority().to_owned();
    let home = Scratch::new();
    laid(&home, &[photos.gated("/held.png", &gate)]);
    let waiting = tokio::spawn(run(ordering(&home, &service.url(""), &["-o", "out"])));
    gate.arrived(1).await;
    let setup = service.kill().await.env("KINORA_BIND", address);
    let _service = setup.start().await;
    gate.open();
    let output = waiting.await.expect("an end");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(sizes(&home.join("out")), SIZES);
}

#[tokio::test]
async fn a_detached_client_tells_the_address_of_its_video() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let home = Scratch::new();
    laid(&home, &[photos.small()]);
    let output = run(ordering(&home, &service.url("/"), &["--detach"])).await;
    assert!(output.status.success(), "{}", stderr(&output));
    let address = String::from_utf8(output.stdout).expect("an address");
    let path = address
        .trim()
        .strip_prefix(&service.url(""))
        .expect("of the service");
    service.get(path).await.expect(200);
}
