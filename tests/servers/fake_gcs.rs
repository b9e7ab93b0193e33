//! fake-gcs-server, which speaks the protocol of Google Cloud Storage, with a gateway for what it lacks.

use std::path::Path;

use serde_json::json;

use super::BUCKET;
use super::gateway::Gateway;
use super::http;
use super::ports::Ports;
use super::process::{Launch, Process};
use super::signature::{EMAIL, PRIVATE_KEY};

const STORAGE: u16 = 1;

/// A server of its own, with one bucket.
pub struct FakeGcs {
    process: Process,
    gateway: Gateway,
}

impl FakeGcs {
    pub fn start() -> Self {
        let process = Process::start("fake-gcs-server", launch);
        let gateway = Gateway::start(process.port(STORAGE));
        Self { process, gateway }
    }

    pub fn endpoint(&self) -> String {
        self.gateway.endpoint()
    }

    pub fn port(&self) -> u16 {
        self.gateway.port()
    }

    pub fn bucket(&self) -> &'static str {
        BUCKET
    }

    /// The JSON text of a service account that has all rights on this server.
    pub fn credentials(&self) -> String {
        credentials(&self.endpoint())
    }

    pub fn stop(&mut self) {
        self.process.stop();
    }

    pub fn restart(&mut self) {
        self.process.restart();
    }
}

/// The same with another endpoint, as that of a proxy.
pub fn credentials(endpoint: &str) -> String {
    account(endpoint, EMAIL)
}

/// Those of an account that has no rights.
pub fn credentials_of_a_stranger(endpoint: &str) -> String {
    account(endpoint, "stranger@example.iam.gserviceaccount.com")
}

fn account(endpoint: &str, email: &str) -> String {
    let account = json!({
        "type": "service_account",
        "client_email": email,
        "private_key_id": "throw-away",
        "private_key": PRIVATE_KEY,
        "gcs_base_url": endpoint,
    });
    account.to_string()
}

fn launch(ports: &Ports, directory: &Path) -> Launch {
    let port = ports.port(STORAGE);
    let data = directory.join("data").display().to_string();
    let arguments = [
        "-scheme=http",
        "-backend=filesystem",
        &format!("-filesystem-root={data}"),
        "-host=127.0.0.1",
        &format!("-port={port}"),
        &format!("-external-url=http://127.0.0.1:{port}"),
        // Without a port: the requests name that of the gateway, or of a proxy.
        "-public-host=127.0.0.1",
        "-log-level=warn",
    ];
    Launch {
        arguments: arguments.map(str::to_owned).to_vec(),
        variables: Vec::new(),
        litter: Vec::new(),
        serves: Box::new(move || matches!(create_bucket(port), Some(200 | 409))),
    }
}

/// 409: it was there before a restart.
fn create_bucket(port: u16) -> Option<u16> {
    let head = "POST /storage/v1/b?project=kinora HTTP/1.1\r\nContent-Type: application/json\r\n";
    http::status(port, head, &json!({ "name": BUCKET }).to_string())
}
