//! One of several nodes: its name, and what all of them must have in common.

use std::path::Path;

use super::StartError;
use crate::api::Role;
use crate::config::Config;
use crate::storage::Location;

/// From the settings, or of the host and the process.
pub fn name(config: &Config) -> String {
    config.server.node.clone().unwrap_or_else(|| {
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        format!("{host}-{}", std::process::id())
    })
}

/// Checks that nodes which share their jobs also share what belongs to them.
pub fn check(config: &Config) -> Result<(), StartError> {
    let role = config.server.role;
    if config.jobs.database_url.is_none() {
        return match role {
            Role::All => Ok(()),
            Role::Api | Role::Worker => Err(StartError::AloneWithRole),
        };
    }
    if role != Role::Worker && config.server.api_key.is_none() {
        return Err(StartError::NotShared("API_KEY"));
    }
    if config.webhooks.secret.is_none() {
        return Err(StartError::NotShared("KINORA_WEBHOOK_SECRET"));
    }
    match &config.storage.location {
        None => return Err(StartError::StorageNotShared),
        Some(Location::Directory(path)) if is_within(path, &config.storage.data_dir) => {
            return Err(StartError::StorageNotShared);
        }
        Some(_) => {}
    }
    Ok(())
}

/// Of paths as they are written, relative ones in the working directory.
fn is_within(path: &Path, directory: &Path) -> bool {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute(path).starts_with(absolute(directory))
}
