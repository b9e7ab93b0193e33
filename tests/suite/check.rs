//! `kinora check`, and settings of the storage that cannot be right.

use std::io::Read;
use std::process::{Child, Output};

use crate::servers::fake_gcs;
use crate::support::bucket::{peer_s3, seaweedfs};
use crate::support::service::{Service, Setup};
use crate::support::wait;

fn check(setup: &Setup) -> Output {
    let command = setup.command();
    let program = command.get_program().to_owned();
    let mut check = std::process::Command::new(program);
    check
        .arg("check")
        .current_dir(setup.home().path())
        .env_clear();
    for (name, value) in command.get_envs() {
        check.env(name, value.expect("a value"));
    }
    check.stdin(std::process::Stdio::null());
    check.output().expect("kinora check")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn all_is_well_with_a_bucket_that_can_be_used() {
    let setup = peer_s3(Setup::new(), &seaweedfs().endpoint());
    let output = check(&setup);
    assert!(output.status.success(), "{}", stdout(&output));
    let told = stdout(&output);
    assert_eq!(told.lines().count(), 8, "{told}");
    for name in [
        "ffmpeg",
        "decoding",
        "HEIC",
        "data directory",
        "job store",
        "storage, write",
        "storage, read",
    ] {
        assert!(
            told.lines()
                .any(|line| line.starts_with(&format!("ok    {name}: "))),
            "{told}"
        );
    }
}

#[test]
fn a_converter_is_not_needed_but_one_that_is_there_must_work() {
    for (program, is_well, told) in [
        (
            "/nowhere/heif-convert",
            true,
            "ok    HEIC: there is no heif-convert",
        ),
        (
            "/bin/false",
            false,
            "HEIC: a sample is a damaged HEIC picture",
        ),
        (
            "/bin/true",
            false,
            "HEIC: a sample is a damaged HEIC picture",
        ),
    ] {
        let setup = Setup::new().config(&format!("[sandbox]\nheif_convert = \"{program}\"\n"));
        let output = check(&setup);
        assert_eq!(output.status.success(), is_well, "{program}");
        assert!(stdout(&output).contains(told), "{}", stdout(&output));
    }
}

#[test]
fn it_may_run_before_the_first_start() {
    let setup = Setup::new();
    let output = check(&setup);
    assert!(output.status.success(), "{}", stdout(&output));
    let mode = std::fs::metadata(setup.data())
        .expect("the directory")
        .permissions();
    let mode = std::os::unix::fs::PermissionsExt::mode(&mode);
    assert_eq!(mode & 0o077, 0, "others may read it");
}

#[test]
fn values_that_are_no_text_are_none_of_our_settings() {
    use std::os::unix::ffi::OsStringExt;
    let setup = Setup::new();
    let mut command = setup.command();
    command.env("OTHER", std::ffi::OsString::from_vec(vec![0xff]));
    command.env("KINORA_STORAGE_URLS", "nonsense");
    let told = stderr(&command.output().expect("an end"));
    assert!(told.starts_with("kinora: KINORA_STORAGE_URLS"), "{told}");
}

#[test]
fn credentials_that_cannot_be_read_are_not_repeated() {
    let setup = Setup::new().env("GCP_BUCKET_NAME", "b");
    for credentials in [
        "\"a-private-key\"",
        "a-private-key",
        r#"{"private_key": "a-private-key"}"#,
    ] {
        let output = check(&setup.clone().env("GCP_SA_CREDENTIALS", credentials));
        let told = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(!told.contains("a-private-key"), "{told}");
        assert!(told.contains("GCP_SA_CREDENTIALS"), "{told}");
    }
}

#[test]
fn the_peers_keys_are_enough_beside_a_storage_url() {
    let server = seaweedfs();
    let setup = Setup::new()
        .env(
            "KINORA_STORAGE_URL",
            format!("s3://{}/keys", server.bucket()),
        )
        .env("AWS_ENDPOINT_URL", server.endpoint())
        .env("S3_ACCESS_KEY", server.access_key())
        .env("S3_SECRET_KEY", server.secret_key());
    let output = check(&setup);
    assert!(output.status.success(), "{}", stdout(&output));
}

/// Another program's endpoint does not draw the peer's keys to it.
#[test]
fn the_peers_endpoint_is_the_one_that_is_used() {
    let server = seaweedfs();
    let setup = peer_s3(Setup::new(), &server.endpoint())
        .env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
        .env("AWS_SESSION_TOKEN", "of-another-key");
    let output = check(&setup);
    assert!(output.status.success(), "{}", stdout(&output));
    let url = format!("s3://{}", server.bucket());
    refused(
        setup.env("KINORA_STORAGE_URL", url),
        &["S3_ENDPOINT_URL", "AWS_ENDPOINT_URL"],
    );
}

#[tokio::test]
async fn it_may_run_beside_the_service() {
    let service = Service::start().await;
    let output = check(service.setup());
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(
        stdout(&output).contains("ok    job store: it answers"),
        "{}",
        stdout(&output)
    );
}

/// Fails with a line that names these, and never the secret.
#[track_caller]
fn fails(setup: &Setup, line: &str, names: &[&str]) {
    let output = check(setup);
    assert_eq!(output.status.code(), Some(1));
    let told = stdout(&output);
    let failed = format!("FAIL  {line}: ");
    let failed = told.lines().find(|line| line.starts_with(&failed));
    let failed = failed.unwrap_or_else(|| panic!("{told}{}", stderr(&output)));
    for name in names {
        assert!(failed.contains(name), "{name} in {failed}");
    }
    assert!(
        !told.contains(seaweedfs().secret_key()) && !told.contains("a-wrong-secret"),
        "{told}"
    );
}

#[test]
fn what_is_wrong_is_named_with_its_cure() {
    let server = seaweedfs();
    let setup = || peer_s3(Setup::new(), &server.endpoint());
    let nowhere = Setup::new().env("KINORA_FFMPEG", "/nowhere/ffmpeg");
    fails(&nowhere, "ffmpeg", &["encoder.ffmpeg"]);
    let wrong = setup().env("S3_ACCESS_KEY", "nobody");
    fails(
        &wrong,
        "storage, write",
        &["S3_ACCESS_KEY", "InvalidAccessKeyId"],
    );
    let wrong = setup().env("S3_SECRET_KEY", "a-wrong-secret");
    fails(
        &wrong,
        "storage, write",
        &["S3_SECRET_KEY", "SignatureDoesNotMatch"],
    );
    let down = peer_s3(Setup::new(), "http://127.0.0.1:1");
    fails(
        &down,
        "storage, write",
        &["S3_ENDPOINT_URL", "cannot be reached"],
    );
    let blocked = Setup::new().env("KINORA_DATA_DIR", "/proc/kinora");
    fails(&blocked, "data directory", &["storage.data_dir"]);
}

#[test]
fn keys_of_a_stranger_are_refused_with_the_cure() {
    let endpoint = crate::support::bucket::fake_gcs().endpoint();
    let setup = Setup::new()
        .env(
            "GCP_BUCKET_NAME",
            crate::support::bucket::fake_gcs().bucket(),
        )
        .env(
            "GCP_SA_CREDENTIALS",
            fake_gcs::credentials_of_a_stranger(&endpoint),
        );
    fails(&setup, "storage, write", &["GCP_SA_CREDENTIALS"]);
    let missing = Setup::new()
        .env("GCP_BUCKET_NAME", "no-such-bucket")
        .env("GCP_SA_CREDENTIALS", fake_gcs::credentials(&endpoint));
    fails(
        &missing,
        "storage, write",
        &["there is no such bucket", "GCP_BUCKET_NAME"],
    );
}

/// A service that does not outlive its test, even if it starts against expectation.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // Err: it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The start stops with one line.
#[track_caller]
fn refused(setup: Setup, names: &[&str]) {
    let mut service = Started(setup.command().spawn().expect("the service"));
    let ended = wait::until_blocking("the start stops", || service.0.try_wait().ok()?);
    assert!(!ended.success());
    let mut told = String::new();
    let stderr = service.0.stderr.as_mut().expect("a pipe");
    stderr.read_to_string(&mut told).expect("what it said");
    assert_eq!(told.lines().count(), 1, "{told}");
    for name in names {
        assert!(told.contains(name), "{name} in {told}");
    }
}

#[test]
fn settings_that_contradict_each_other_stop_the_start() {
    let setup = || peer_s3(Setup::new(), "http://127.0.0.1:1");
    let url = "KINORA_STORAGE_URL";
    refused(
        setup().env(url, "s3://another"),
        &["S3_BUCKET_NAME", "storage.url"],
    );
    refused(
        setup().env(url, "gs://videos"),
        &["S3_BUCKET_NAME", "storage.url"],
    );
    let both = setup().env(url, "s3://videos/here");
    let keys = both.clone().env("AWS_ACCESS_KEY_ID", "another");
    refused(keys, &["S3_ACCESS_KEY", "AWS_ACCESS_KEY_ID"]);
    let endpoint = both.env("AWS_ENDPOINT_URL", "http://127.0.0.1:2");
    refused(endpoint, &["S3_ENDPOINT_URL", "AWS_ENDPOINT_URL"]);
    let google = Setup::new()
        .env("GCP_BUCKET_NAME", "one")
        .env(url, "gs://another");
    refused(google, &["GCP_BUCKET_NAME", "storage.url"]);
}

#[test]
fn settings_that_cannot_be_right_stop_the_start() {
    for (name, value) in [
        ("KINORA_STORAGE_URL", "s3://videos/../others"),
        ("KINORA_STORAGE_URL", "s3://videos/%2E%2e/others"),
        ("KINORA_STORAGE_URL", "s3://videos/a b"),
        ("KINORA_STORAGE_URL", "s3://key:secret@videos"),
        ("KINORA_STORAGE_URL", "ftp://videos"),
        ("KINORA_STORAGE_URL", "file://elsewhere/films"),
        ("KINORA_STORAGE_PUBLIC_URL", "https://cdn.example.com/?a=b"),
        ("KINORA_STORAGE_PUBLIC_URL", "cdn.example.com"),
        ("KINORA_STORAGE_SIGNING_URL", "https://cdn.example.com/#a"),
        ("KINORA_STORAGE_URLS", "private"),
        ("KINORA_STORAGE_PRESIGN_TTL", "8d"),
        ("KINORA_STORAGE_ACL", "public-read\nx: y"),
        ("KINORA_STORAGE_CHECKSUMS", "always"),
        ("KINORA_STORAGE_PATH_STYLE", "maybe"),
    ] {
        refused(Setup::new().env(name, value), &[name]);
    }
    let password = Setup::new().env("KINORA_STORAGE_URL", "s3://key:a-password@videos");
    let output = password.command().output().expect("an end");
    assert!(
        !stderr(&output).contains("a-password"),
        "{}",
        stderr(&output)
    );
    let public = Setup::new().env("KINORA_STORAGE_URLS", "public");
    refused(public, &["storage.urls", "storage.public_url"]);
    let presigned = Setup::new().env("KINORA_STORAGE_URLS", "presigned");
    refused(presigned, &["storage.urls", "directory"]);
    let no_bucket = Setup::new().env("S3_ENDPOINT_URL", "http://127.0.0.1:1");
    refused(no_bucket, &["S3_BUCKET_NAME"]);
    let no_account = Setup::new().env("KINORA_STORAGE_URL", "az://videos");
    refused(no_account, &["az://videos", "AZURE_STORAGE_ACCOUNT_NAME"]);
    let not_json = Setup::new()
        .env("GCP_BUCKET_NAME", "b")
        .env("GCP_SA_CREDENTIALS", "{");
    refused(not_json, &["gs://b", "GCP_SA_CREDENTIALS"]);
}
