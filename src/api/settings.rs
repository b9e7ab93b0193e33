//! The settings of the server.

use std::net::SocketAddr;
use std::time::Duration;

use super::auth;
use crate::setting::{Setting, assign, duration, positive_duration};

#[derive(Clone, Debug)]
pub struct Settings {
    pub bind: SocketAddr,
    /// Where clients reach this service; the bound address if not set.
    pub public_url: Option<String>,
    /// Created in the data directory if not set.
    pub api_key: Option<String>,
    /// For a request's body to arrive.
    pub request_timeout: Duration,
    /// For running jobs to finish when the service is stopped.
    pub stop_grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            api_key: None,
            request_timeout: Duration::from_secs(10),
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
            key: "server.request_timeout",
            env: None,
            accepts: "a time, such as 10s",
            set: |s, text| assign(&mut s.request_timeout, positive_duration(text)),
        },
        Setting {
            key: "server.stop_grace",
            env: None,
            accepts: "a time, such as 30s",
            set: |s, text| assign(&mut s.stop_grace, duration(text)),
        },
    ];
}

fn public_url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    (plain && url.fragment().is_none()).then(|| text.trim_end_matches('/').to_owned())
}
