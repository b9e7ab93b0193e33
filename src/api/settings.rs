//! The settings of the server.

use std::net::SocketAddr;
use std::time::Duration;

use super::auth;
use crate::setting::{Setting, assign, at_least, duration, positive_duration};

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    All,
    /// Takes requests, and makes no videos.
    Api,
    /// Makes videos, and answers questions about its health alone.
    Worker,
}

#[derive(Clone, Debug)]
pub struct Settings {
    pub bind: SocketAddr,
    /// What this node does.
    pub role: Role,
    /// The name of this node; `None`: of its host and process.
    pub node: Option<String>,
    /// Where clients reach this service; the bound address if not set.
    pub public_url: Option<String>,
    /// Created in the data directory if not set.
    pub api_key: Option<String>,
    /// For who reads the metrics; `None`: anybody may.
    pub metrics_key: Option<String>,
    /// For a request's body to arrive.
    pub request_timeout: Duration,
    /// For a client to take the next bytes of an answer.
    pub write_timeout: Duration,
    /// At once. The system's limit of open files may allow fewer.
    pub max_connections: usize,
    /// At once from one address; `None`: no limit.
    pub max_connections_per_address: Option<usize>,
    /// Uploaded photos that are kept at once.
    pub max_photos: u32,
    /// For running jobs to finish when the service is stopped.
    pub stop_grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            role: Role::All,
            node: None,
            public_url: None,
            api_key: None,
            metrics_key: None,
            request_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            max_connections: 10_000,
            max_connections_per_address: None,
            max_photos: 1000,
            stop_grace: Duration::from_secs(30),
        }
    }
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "server.bind",
            env: Some("KINORA_BIND"),
            accepts: "an IP address and a port, such as 127.0.0.1:8080",
            set: |s, text| assign(&mut s.bind, text.parse().ok()),
        },
        Setting {
            key: "server.role",
            env: Some("KINORA_ROLE"),
            accepts: "all, api or worker",
            set: |s, text| assign(&mut s.role, role(text)),
        },
        Setting {
            key: "server.node",
            env: Some("KINORA_NODE"),
            accepts: "a name of letters, digits, dots, dashes and underscores",
            set: |s, text| assign(&mut s.node, is_name(text).then(|| Some(text.to_owned()))),
        },
        Setting {
            key: "server.public_url",
            env: Some("KINORA_PUBLIC_URL"),
            accepts: "an http(s) URL without a query, such as https://videos.example.com",
            set: |s, text| assign(&mut s.public_url, public_url(text).map(Some)),
        },
        Setting {
            key: "server.api_key",
            env: Some("API_KEY"),
            accepts: "a key of visible ASCII characters without spaces",
            set: |s, text| {
                assign(
                    &mut s.api_key,
                    auth::is_acceptable(text).then(|| Some(text.to_owned())),
                )
            },
        },
        Setting {
            key: "metrics.key",
            env: None,
            accepts: "a key of visible ASCII characters without spaces",
            set: |s, text| {
                let key = auth::is_acceptable(text).then(|| Some(text.to_owned()));
                assign(&mut s.metrics_key, key)
            },
        },
        Setting {
            key: "server.request_timeout",
            env: None,
            accepts: "a time, such as 10s",
            set: |s, text| assign(&mut s.request_timeout, positive_duration(text)),
        },
        Setting {
            key: "server.write_timeout",
            env: None,
            accepts: "a time, such as 30s",
            set: |s, text| assign(&mut s.write_timeout, positive_duration(text)),
        },
        Setting {
            key: "server.max_connections",
            env: None,
            accepts: "a number from 1 up",
            set: |s, text| assign(&mut s.max_connections, at_least(1, text)),
        },
        Setting {
            key: "server.max_connections_per_address",
            env: None,
            accepts: "a number; 0 is no limit",
            set: |s, text| {
                let max = text
                    .parse()
                    .ok()
                    .map(|max| Some(max).filter(|max| *max > 0));
                assign(&mut s.max_connections_per_address, max)
            },
        },
        Setting {
            key: "server.max_photos",
            env: None,
            accepts: "a number of photos",
            set: |s, text| assign(&mut s.max_photos, text.parse().ok()),
        },
        Setting {
            key: "server.stop_grace",
            env: None,
            accepts: "a time, such as 30s",
            set: |s, text| assign(&mut s.stop_grace, duration(text)),
        },
    ];
}

fn role(text: &str) -> Option<Role> {
    match text {
        "all" => Some(Role::All),
        "api" => Some(Role::Api),
        "worker" => Some(Role::Worker),
        _ => None,
    }
}

fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    !text.is_empty() && text.len() <= 100 && text.chars().all(is_plain)
}

fn public_url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    (plain && url.fragment().is_none()).then(|| text.trim_end_matches('/').to_owned())
}
