//! The variables of the environment that storages read.

use std::collections::BTreeMap;
use std::fmt;

/// The names that an endpoint of S3 may have.
pub const S3_ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];

/// Variables of the environment by their names. Most are secrets.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those that storages read: the providers' own, and the names of the peer.
    pub fn choose(all: impl Iterator<Item = (String, String)>) -> Self {
        const PREFIXES: [&str; 5] = ["AWS_", "GOOGLE_", "AZURE_", "S3_", "GCP_"];
        let ours = |name: &str| {
            name == "SERVICE_ACCOUNT" || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        };
        Self(
            all.filter(|(name, value)| ours(name) && !value.is_empty())
                .collect(),
        )
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn remove(&mut self, names: &[&str]) {
        for name in names {
            self.0.remove(*name);
        }
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
