//! Chromium, by its driver.

use std::net::TcpStream;

use super::process::{Launch, Process};

const PORT: u16 = 1;

/// Starts browsers, which end with it.
pub struct ChromeDriver(Process);

impl ChromeDriver {
    pub fn start() -> Self {
        Self(Process::start("chromedriver", |ports, _| {
            let port = ports.port(PORT);
            Launch {
                arguments: vec![format!("--port={port}"), "--log-level=WARNING".to_owned()],
                variables: Vec::new(),
                litter: Vec::new(),
                serves: Box::new(move || TcpStream::connect(("127.0.0.1", port)).is_ok()),
            }
        }))
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.0.port(PORT))
    }
}
