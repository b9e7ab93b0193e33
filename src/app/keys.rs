//! The key of the API and the secret of webhooks: from the settings, or made at the first start.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::{env, fs};

use log::info;
use uuid::Uuid;

use super::data_dir::DataDir;
use super::{StartError, local_url};
use crate::api;
use crate::config::Config;
use crate::webhooks::Secret;

/// The key from the settings, or the one in the data directory, which the first start makes.
pub fn api_key(config: &Config, data: &DataDir, address: SocketAddr) -> Result<String, StartError> {
    if let Some(key) = &config.server.api_key {
        return Ok(key.clone());
    }
    let file = data.api_key();
    let (key, made) = data.load_or_create(&file, || {
        format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
    })?;
    if made {
        info!(
            "no API_KEY is set; made one and keep it in {file}. Try it: \
             curl -H \"x-api-key: $(cat '{file}')\" -H 'content-type: application/json' \
             -d '{{\"image_url\": \"https://example.com/photo.jpg\"}}' {url}/paid/image/convert/video",
            file = file.display(),
            url = local_url(address),
        );
        // Not in the log, which others may keep.
        if !is_output_kept() {
            // Err: nobody reads it.
            let _ = writeln!(io::stdout(), "API key, shown this once: {key}");
        }
    }
    if api::auth::is_acceptable(&key) {
        Ok(key)
    } else {
        Err(StartError::BadKeyFile(file))
    }
}

/// The same for the secret that signs webhooks.
pub fn webhook_secret(config: &Config, data: &DataDir) -> Result<Secret, StartError> {
    if let Some(secret) = &config.webhooks.secret {
        return Ok(secret.clone());
    }
    let file = data.webhook_secret();
    let random = || [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
    let (text, made) = data.load_or_create(&file, || Secret::format(&random()))?;
    if made {
        info!(
            "no KINORA_WEBHOOK_SECRET is set; made one and keep it in {}",
            file.display()
        );
    }
    Secret::parse(&text).ok_or(StartError::BadKeyFile(file))
}

/// Whether the standard output is a log: systemd names its journal in a variable, which shells below may inherit.
fn is_output_kept() -> bool {
    let Ok(journal) = env::var("JOURNAL_STREAM") else {
        return false;
    };
    let output = fs::metadata("/dev/stdout");
    output.is_ok_and(|output| journal == format!("{}:{}", output.dev(), output.ino()))
}
