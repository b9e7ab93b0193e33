//! Azurite, which speaks the protocol of Azure Blob Storage.

use std::path::Path;
use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::BUCKET;
use super::http;
use super::ports::Ports;
use super::process::{Launch, Process};

const BLOBS: u16 = 1;
const ACCOUNT: &str = "kinoratest";
/// In Base64, as accounts have it.
const KEY: &str = "dGhlIGtleSBvZiBhbiBhY2NvdW50IGZvciB0ZXN0cyBvZiBLaW5vcmE=";
/// The one that the storage's client uses.
const VERSION: &str = "2023-11-03";

/// A server of its own, with one account and one container.
pub struct Azurite(Process);

impl Azurite {
    pub fn start() -> Self {
        Self(Process::start("azurite-blob", launch))
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// The endpoint of the account, whose name is part of the path here, not of the host.
    pub fn account_url(&self) -> String {
        format!("{}/{ACCOUNT}", self.endpoint())
    }

    pub fn port(&self) -> u16 {
        self.0.port(BLOBS)
    }

    pub fn container(&self) -> &'static str {
        BUCKET
    }

    pub fn account(&self) -> &'static str {
        ACCOUNT
    }

    pub fn key(&self) -> &'static str {
        KEY
    }

    pub fn stop(&mut self) {
        self.0.stop();
    }

    pub fn restart(&mut self) {
        self.0.restart();
    }
}

fn launch(ports: &Ports, directory: &Path) -> Launch {
    let port = ports.port(BLOBS);
    let data = directory.join("data").display().to_string();
    let port_text = port.to_string();
    let arguments = [
        "--location",
        &data,
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        &port_text,
        "--silent",
        "--disableTelemetry",
    ];
    Launch {
        arguments: arguments.map(str::to_owned).to_vec(),
        variables: vec![("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{KEY}"))],
        litter: Vec::new(),
        serves: Box::new(move || matches!(create_container(port), Some(201 | 409))),
    }
}

/// 409: it was there before a restart.
fn create_container(port: u16) -> Option<u16> {
    let date = httpdate::fmt_http_date(SystemTime::now());
    let target = format!("/{ACCOUNT}/{BUCKET}");
    // Twelve lines of standard headers that are not sent, then what is sent.
    let signed = format!(
        "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{VERSION}\n\
         /{ACCOUNT}{target}\nrestype:container"
    );
    let key = BASE64_STANDARD.decode(KEY).expect("a key");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    mac.update(signed.as_bytes());
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    let head = format!(
        "PUT {target}?restype=container HTTP/1.1\r\nx-ms-date: {date}\r\nx-ms-version: {VERSION}\r\n\
         Authorization: SharedKey {ACCOUNT}:{signature}\r\n"
    );
    http::status(port, &head, "")
}
