//! Settings: a file, overridden by the environment, overridden by flags; a bad one stops the start.

use std::process::Output;

use serde_json::Value;

use crate::support::order::short_to;
use crate::support::photos::PhotoServer;
use crate::support::render::stderr;
use crate::support::service::{PAID, Service, Setup};
use crate::support::sink::Sink;
use crate::support::wait;

/// Runs until it ends by itself, which a refused start does at once.
fn run(setup: &Setup) -> Output {
    let mut child = setup.command().spawn().expect("the service's process");
    let mut patience = 6000;
    let ended = loop {
        if child.try_wait().expect("its state").is_some() {
            break true;
        }
        if patience == 0 {
            break false;
        }
        patience -= 1;
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    if !ended {
        let _ = child.kill();
        panic!("the service started: {:?}", child.wait_with_output());
    }
    child.wait_with_output().expect("its output")
}

/// The start must be refused with one line that holds all the words.
fn refused(setup: &Setup, words: &[&str]) {
    let output = run(setup);
    let said = stderr(&output);
    assert!(!output.status.success(), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} in {said}");
    }
    assert!(!setup.data().exists(), "data were made");
}

#[test]
fn a_bad_value_in_the_environment_stops_the_start() {
    for (name, value, accepted) in [
        ("KINORA_BIND", "8080", "127.0.0.1:8080"),
        ("KINORA_BIND", "localhost", "127.0.0.1:8080"),
        ("KINORA_PRESET", "best", "fast, balanced or small"),
        ("KINORA_WORKERS", "0", "from 1"),
        ("KINORA_WORKERS", "-1", "from 1"),
        ("KINORA_WORKERS", "many", "number"),
        ("KINORA_PUBLIC_URL", "videos.example.com", "URL"),
        ("KINORA_PUBLIC_URL", "ftp://example.com", "URL"),
        ("KINORA_ALLOW_NETWORKS", "127.0.0.1", "CIDR"),
        ("KINORA_ALLOW_NETWORKS", "10.0.0.0/8,lan", "CIDR"),
        ("KINORA_WEBHOOK_RETRIES", "soon", "0s,5s"),
        ("KINORA_WEBHOOK_RETRIES", "0s,5", "0s,5s"),
        ("MAX_QUEUE_LENGTH", "-1", "0 for no bound"),
        ("MAX_QUEUE_LENGTH", "ten", "number"),
        ("MAX_QUEUE_LENGTH", "1.5", "number"),
    ] {
        refused(&Setup::bare().env(name, value), &[name, value, accepted]);
    }
}

#[test]
fn a_bad_secret_stops_the_start_and_is_not_repeated() {
    for (name, value, accepted) in [
        ("KINORA_WEBHOOK_SECRET", "hidden", "whsec_"),
        ("KINORA_WEBHOOK_SECRET", "whsec_aGlkZGVu", "24 to 64 bytes"),
        ("API_KEY", "two hidden words", "without spaces"),
        ("API_KEY", "hiddén", "ASCII"),
        ("DATABASE_URL", "host=a password=hidden", "postgres://user"),
        ("DATABASE_URL", "mysql://a:hidden@host/", "postgres://user"),
    ] {
        let setup = Setup::bare().env(name, value);
        refused(&setup, &[name, "…", accepted]);
        let said = stderr(&run(&setup));
        assert!(!said.contains("hid") && !said.contains("aGlk"), "{said}");
    }
}

#[test]
fn a_bad_flag_stops_the_start() {
    for (flag, value, accepted) in [
        ("--bind", "here", "127.0.0.1:8080"),
        ("--workers", "0", "from 1"),
        ("--public-url", "example", "URL"),
    ] {
        let setup = Setup::bare().arg(flag).arg(value);
        refused(&setup, &[flag, value, accepted]);
    }
}

#[test]
fn a_bad_value_in_the_file_stops_the_start() {
    for (file, words) in [
        (
            "[server]\nbind = 8080",
            ["server.bind", "8080", "127.0.0.1:8080"],
        ),
        (
            "[server]\nstop_grace = \"soon\"",
            ["server.stop_grace", "soon", "30s"],
        ),
        (
            "[server]\nrequest_timeout = \"0s\"",
            ["server.request_timeout", "0s", "10s"],
        ),
        ("[jobs]\nworkers = 0", ["jobs.workers", "0", "from 1"]),
        (
            "[jobs]\nmax_express_queue_length = -5",
            ["jobs.max_express_queue_length", "-5", "0 for no bound"],
        ),
        (
            "[net]\nallow_networks = [\"lan\"]",
            ["net.allow_networks", "lan", "CIDR"],
        ),
        (
            "[webhooks]\nretries = []",
            ["webhooks.retries", "\"\"", "0s,5s"],
        ),
        (
            "[picture]\nmax_side = 0",
            ["picture.max_side", "0", "from 1"],
        ),
    ] {
        let mut words = words.to_vec();
        words.push("config.toml");
        refused(&Setup::bare().config(file), &words);
    }
}

#[test]
fn a_bad_value_in_the_file_is_told_even_when_it_is_overridden() {
    let setup = Setup::bare().config("[server]\nbind = \"nonsense\"");
    refused(&setup, &["server.bind", "nonsense"]);
}

#[test]
fn a_setting_that_does_not_exist_stops_the_start() {
    for (file, word) in [
        ("[server]\nbnid = \"127.0.0.1:0\"", "server.bnid"),
        ("workers = 3", "workers"),
        ("[srever]\nbind = \"127.0.0.1:0\"", "srever.bind"),
        ("[server.bind]\nport = 3", "server.bind.port"),
    ] {
        refused(&Setup::bare().config(file), &[word, "config.toml"]);
    }
}

#[test]
fn a_file_that_is_missing_or_broken_stops_the_start() {
    let setup = Setup::bare().arg("--config").arg("missing.toml");
    refused(&setup, &["missing.toml"]);
    refused(&Setup::bare().config("[server"), &["config.toml", "TOML"]);
}

#[test]
fn an_address_that_is_taken_stops_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("the port").to_string();
    let output = run(&Setup::bare().env("KINORA_BIND", &address));
    assert!(!output.status.success());
    assert!(stderr(&output).contains(&address), "{}", stderr(&output));
}

#[test]
fn a_data_directory_that_cannot_be_made_stops_the_start() {
    let setup = Setup::bare();
    setup.home().write("file", "");
    let output = run(&setup.clone().env("KINORA_DATA_DIR", "file/data"));
    assert!(!output.status.success());
    assert!(stderr(&output).contains("file/data"), "{}", stderr(&output));
}

/// The bound of the queue, as a 202 tells it.
async fn bound(setup: Setup) -> Value {
    let (service, photos, sink) = (setup.start().await, PhotoServer::start(), Sink::start());
    let order = short_to(&photos.url("/missing"), &sink.url("/hook"));
    service.post(PAID, &order).await.expect(202)["max_queue_length"].clone()
}

#[tokio::test]
async fn the_environment_overrides_the_file_and_the_file_the_default() {
    assert_eq!(bound(Setup::new()).await, 10);
    let file = Setup::new().config("[jobs]\nmax_queue_length = 3");
    assert_eq!(bound(file.clone()).await, 3);
    assert_eq!(bound(file.env("MAX_QUEUE_LENGTH", "7")).await, 7);
}

async fn public_url(setup: Setup) -> String {
    let service: Service = setup.start().await;
    let body = service.get("/v1/toolkit/test").await.expect(200);
    let url = body["response"].as_str().expect("a URL").to_owned();
    url.split("/videos/").next().unwrap().to_owned()
}

#[tokio::test]
async fn flags_override_the_environment() {
    let file = Setup::new().config("[server]\npublic_url = \"https://file.example\"");
    assert_eq!(public_url(file.clone()).await, "https://file.example");
    let env = file.env("KINORA_PUBLIC_URL", "https://env.example");
    assert_eq!(public_url(env.clone()).await, "https://env.example");
    let flag = env.arg("--public-url").arg("https://flag.example");
    assert_eq!(public_url(flag).await, "https://flag.example");
}

#[tokio::test]
async fn a_file_may_have_any_name_and_an_empty_variable_is_none() {
    let setup = Setup::new().env("MAX_QUEUE_LENGTH", "");
    setup
        .home()
        .write("other.toml", "[jobs]\nmax_queue_length = 4");
    assert_eq!(bound(setup.arg("--config").arg("other.toml")).await, 4);
}

#[tokio::test]
async fn the_data_directory_is_where_it_is_set() {
    let setup = Setup::new().env("KINORA_DATA_DIR", "over/there");
    let service = setup.start().await;
    let home = service.setup().home();
    assert!(home.join("over/there/videos").is_dir());
    assert!(!service.setup().data().exists());
}

#[tokio::test]
async fn the_file_of_the_sources_holds_the_defaults() {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml");
    let setup = Setup::new().arg("--config").arg(sources);
    // The environment of the tests sets the address; the rest is the file's.
    assert_eq!(bound(setup).await, 10);
}

#[tokio::test]
async fn the_peers_variables_for_object_stores_do_not_stop_the_start() {
    let setup = Setup::new()
        .env("S3_ENDPOINT_URL", "https://s3.example.com")
        .env("S3_ACCESS_KEY", "key")
        .env("S3_SECRET_KEY", "secret")
        .env("S3_BUCKET_NAME", "videos")
        .env("S3_REGION", "eu")
        .env("GCP_BUCKET_NAME", "videos")
        .env("GCP_SA_CREDENTIALS", "{}");
    let service = setup.start().await;
    wait::until("the log says that they have no effect", || {
        let log = service.log();
        log.iter()
            .any(|line| line.contains("S3_ENDPOINT_URL"))
            .then_some(())
    })
    .await;
    let log = service.log().join("\n");
    assert!(!log.contains("secret\""), "{log}");
}

#[tokio::test]
async fn every_setting_has_a_variable_named_after_its_key() {
    let setup = Setup::new().config("[jobs]\nmax_queue_length = 3");
    let long = setup.env("KINORA_JOBS_MAX_QUEUE_LENGTH", "5");
    assert_eq!(bound(long.clone()).await, 5);
    assert_eq!(bound(long.env("MAX_QUEUE_LENGTH", "7")).await, 7);
    for (name, value, accepted) in [
        ("KINORA_JOBS_TIME_LIMIT", "soon", "30m"),
        ("KINORA_NET_MAX_DOWNLOAD_BYTES", "-1", "from 1"),
        ("KINORA_ENCODER_CODEC", "mpeg1", "h264"),
    ] {
        refused(&Setup::bare().env(name, value), &[name, value, accepted]);
    }
}

#[tokio::test]
async fn a_key_of_the_last_version_is_still_read_with_a_warning() {
    let setup = Setup::new().config("[video]\npreset = \"small\"");
    let service = setup.start().await;
    let warning = service.logged("video.preset").await;
    assert!(warning.contains("encoder.preset"), "{warning}");
    for (file, words) in [
        (
            "[video]\npreset = \"best\"",
            ["video.preset", "best", "fast, balanced or small"],
        ),
        (
            "[video]\nprest = \"small\"",
            ["video.prest", "no setting", "config.toml"],
        ),
    ] {
        refused(&Setup::bare().config(file), &words);
    }
}

#[test]
fn the_file_of_the_sources_names_every_setting() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::read_to_string(root.join("config.toml")).expect("config.toml");
    let mut section = String::new();
    let mut named = Vec::new();
    for line in file.lines() {
        let line = line.trim_start_matches("# ");
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name.to_owned();
        } else if let Some((key, _)) = line.split_once(" = ") {
            named.push(format!("{section}.{key}"));
        }
    }
    let mut tables = Vec::new();
    collect(&root.join("src"), &mut tables);
    let keys = tables.iter().flat_map(|text| text.split("key: \"").skip(1));
    let keys: Vec<&str> = keys.filter_map(|rest| rest.split('"').next()).collect();
    assert!(keys.len() > 20, "the tables of settings have moved");
    for key in keys {
        assert!(
            named.iter().any(|name| name == key),
            "{key} is not explained"
        );
    }
}

/// The text of every source file.
fn collect(folder: &std::path::Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(std::fs::read_to_string(path).expect("a source file"));
        }
    }
}
