//! SeaweedFS, which speaks the protocol of Amazon S3.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::BUCKET;
use super::http;
use super::ports::Ports;
use super::process::{Launch, Process};

const S3: u16 = 1;
const FILER: u16 = 2;
const MASTER: u16 = 3;
const VOLUME: u16 = 4;
const ADMIN: u16 = 5;

/// Its parts, and the ports they listen on.
const PARTS: [(&str, u16); 5] = [
    ("s3", S3),
    ("filer", FILER),
    ("master", MASTER),
    ("volume", VOLUME),
    ("admin", ADMIN),
];

/// An access key and its secret.
#[derive(Clone, Copy)]
pub struct Keys {
    pub access_key: &'static str,
    pub secret_key: &'static str,
}

const OWNER: Keys = Keys {
    access_key: "kinora-owner",
    secret_key: "the-secret-of-the-owner",
};
const WRITER: Keys = Keys {
    access_key: "kinora-writer",
    secret_key: "the-secret-of-the-writer",
};

/// A server of its own, with one bucket.
pub struct SeaweedFs(Process);

impl SeaweedFs {
    pub fn start() -> Self {
        Self(Process::start("weed", launch))
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    pub fn port(&self) -> u16 {
        self.0.port(S3)
    }

    pub fn bucket(&self) -> &'static str {
        BUCKET
    }

    /// Keys with all rights.
    pub fn access_key(&self) -> &'static str {
        OWNER.access_key
    }

    pub fn secret_key(&self) -> &'static str {
        OWNER.secret_key
    }

    /// Keys with the right to write to the bucket, but not to read or list it.
    pub fn writer_keys(&self) -> Keys {
        WRITER
    }

    pub fn stop(&mut self) {
        self.0.stop();
    }

    pub fn restart(&mut self) {
        self.0.restart();
    }
}

fn launch(ports: &Ports, directory: &Path) -> Launch {
    let place = |name: &str| directory.join(name).display().to_string();
    let identities = place("identities.json");
    fs::write(&identities, identities_file().to_string()).expect("a file of keys");
    fs::create_dir(directory.join("data")).expect("a directory for the data");
    let mut arguments = vec![
        "mini".to_owned(),
        format!("-dir={}", place("data")),
        format!("-bucket={BUCKET}"),
        format!("-s3.config={identities}"),
        format!("-s3.localSocket={}", place("s3.sock")),
        format!("-filer.localSocket={}", place("filer.sock")),
    ];
    let fixed = [
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        // As Amazon's: a bucket that is not there is an error.
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-admin.ui=false",
        "-webdav=false",
        "-master.telemetry=false",
    ];
    arguments.extend(fixed.map(str::to_owned));
    let mut litter = Vec::new();
    for (part, index) in PARTS {
        let (port, grpc) = (ports.port(index), ports.grpc(index));
        arguments.push(format!("-{part}.port={port}"));
        arguments.push(format!("-{part}.port.grpc={grpc}"));
        // A name that cannot be set.
        litter.push(format!("/tmp/seaweedfs-{part}-grpc-{grpc}.sock").into());
    }
    let (s3, filer) = (ports.port(S3), ports.port(FILER));
    Launch {
        arguments,
        variables: Vec::new(),
        litter,
        serves: Box::new(move || serves(s3, filer)),
    }
}

fn identities_file() -> Value {
    let identity = |name: &str, keys: Keys, actions: Value| {
        let credentials = json!([{ "accessKey": keys.access_key, "secretKey": keys.secret_key }]);
        json!({ "name": name, "credentials": credentials, "actions": actions })
    };
    let owner = identity("owner", OWNER, json!(["Admin"]));
    let writer = identity("writer", WRITER, json!([format!("Write:{BUCKET}")]));
    json!({ "identities": [owner, writer] })
}

/// The bucket is made last. The filer shows it without a key.
fn serves(s3: u16, filer: u16) -> bool {
    let bucket = format!("HEAD /buckets/{BUCKET}/ HTTP/1.1\r\n");
    http::status(filer, &bucket, "") == Some(200)
        && http::status(s3, "GET /healthz HTTP/1.1\r\n", "") == Some(200)
}
