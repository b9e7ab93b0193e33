//! Outbound HTTP. Every address that a request names, of a photo, a webhook or an upload, is checked
//! by the guard and then connected to from here, and from nowhere else.

mod client;
mod policy;

use std::time::Duration;

use ipnet::IpNet;

pub use client::{ClientError, FetchError, Net, Oversize, Reply, SendError};
pub use policy::{Policy, UrlError};

use crate::setting::{Setting, assign, at_least, list, positive_duration};

#[derive(Clone, Debug)]
pub struct Settings {
    /// Networks that may be reached although they are not public.
    pub allow_networks: Vec<IpNet>,
    /// For a whole download, redirects included.
    pub fetch_timeout: Duration,
    pub max_download_bytes: u64,
    /// For a whole upload, the answer included.
    pub upload_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_networks: Vec::new(),
            fetch_timeout: Duration::from_secs(30),
            max_download_bytes: 64 << 20,
            upload_timeout: Duration::from_secs(5 * 60),
        }
    }
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "net.allow_networks",
            env: Some("KINORA_ALLOW_NETWORKS"),
            accepts: "networks in CIDR form with commas between them, such as 10.0.0.0/8,::1/128",
            set: |s, text| assign(&mut s.allow_networks, list(text, |item| item.parse().ok())),
        },
        Setting {
            key: "net.fetch_timeout",
            env: None,
            accepts: "a time, such as 30s",
            set: |s, text| assign(&mut s.fetch_timeout, positive_duration(text)),
        },
        Setting {
            key: "net.max_download_bytes",
            env: None,
            accepts: "a number of bytes from 1 up",
            set: |s, text| assign(&mut s.max_download_bytes, at_least(1, text)),
        },
        Setting {
            key: "net.upload_timeout",
            env: None,
            accepts: "a time, such as 5m",
            set: |s, text| assign(&mut s.upload_timeout, positive_duration(text)),
        },
    ];
}
