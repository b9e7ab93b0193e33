//! The settings of the storage: which one, and which kind of address it gives.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::{Location, Variables};
use crate::setting::{Setting, assign, bytes, positive_duration};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The longest that a signature may hold, by every provider's rules.
pub const MAX_PRESIGN_TTL: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Clone)]
pub struct Settings {
    /// Holds the job store, the keys, and videos that are in a storage nowhere else.
    pub data_dir: PathBuf,
    /// `None`: `videos/` in the data directory.
    pub location: Option<Location>,
    /// `None`: what suits the storage and the other settings.
    pub urls: Option<AddressKind>,
    /// The base of public addresses, without a slash at its end.
    pub public_url: Option<String>,
    /// The endpoint under which clients reach the store, if it is another than ours.
    pub signing_url: Option<String>,
    /// Of signed addresses.
    pub presign_ttl: Duration,
    /// `None`: path style where an endpoint is given.
    pub path_style: Option<bool>,
    pub checksums: Checksums,
    /// The canned ACL of new objects; `None`: none is sent.
    pub acl: Option<String>,
    /// The `Cache-Control` of new objects; empty: none.
    pub cache_control: String,
    /// How long a store may fail until a job whose video is finished fails as well.
    pub patience: Duration,
    /// Bytes that have to be free on the disk for anything new to be accepted.
    pub min_free: u64,
    /// The providers' variables, from the environment: credentials, region, endpoint.
    pub variables: Variables,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: "./data".into(),
            location: None,
            urls: None,
            public_url: None,
            signing_url: None,
            presign_ttl: 7 * DAY,
            path_style: None,
            checksums: Checksums::WhenRequired,
            acl: None,
            cache_control: "public, max-age=31536000, immutable".to_owned(),
            patience: Duration::from_secs(3600),
            min_free: 1 << 30,
            variables: Variables::default(),
        }
    }
}

impl Settings {
    pub const TABLE: &[Setting<Self>] = &[
        Setting {
            key: "storage.data_dir",
            env: Some("KINORA_DATA_DIR"),
            accepts: "the path of a directory",
            set: |s, text| assign(&mut s.data_dir, Some(text.into())),
        },
        Setting {
            key: "storage.url",
            env: None,
            accepts: "file:///directory, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix, \
                      with a prefix of plain names",
            set: |s, text| assign(&mut s.location, Location::parse(text).map(Some)),
        },
        Setting {
            key: "storage.urls",
            env: None,
            accepts: "public, presigned or service",
            set: |s, text| assign(&mut s.urls, AddressKind::parse(text).map(Some)),
        },
        Setting {
            key: "storage.public_url",
            env: None,
            accepts: "an http or https URL without query or fragment",
            set: |s, text| assign(&mut s.public_url, base_url(text).map(Some)),
        },
        Setting {
            key: "storage.signing_url",
            env: None,
            accepts: "an http or https URL without query or fragment",
            set: |s, text| assign(&mut s.signing_url, base_url(text).map(Some)),
        },
        Setting {
            key: "storage.presign_ttl",
            env: None,
            accepts: "a time from 1s to 7d",
            set: |s, text| {
                let ttl = positive_duration(text);
                let ttl =
                    ttl.filter(|ttl| (Duration::from_secs(1)..=MAX_PRESIGN_TTL).contains(ttl));
                assign(&mut s.presign_ttl, ttl)
            },
        },
        Setting {
            key: "storage.min_free",
            env: None,
            accepts: "a number of bytes, or one with a unit such as 500MiB or 2GB; 0 for none",
            set: |s, text| assign(&mut s.min_free, bytes(text)),
        },
        Setting {
            key: "storage.path_style",
            env: None,
            accepts: "true or false",
            set: |s, text| assign(&mut s.path_style, text.parse().ok().map(Some)),
        },
        Setting {
            key: "storage.checksums",
            env: None,
            accepts: "when-required or when-supported",
            set: |s, text| assign(&mut s.checksums, Checksums::parse(text)),
        },
        Setting {
            key: "storage.acl",
            env: None,
            accepts: "a canned ACL of S3, such as public-read",
            set: |s, text| assign(&mut s.acl, canned_acl(text).map(Some)),
        },
        Setting {
            key: "storage.cache_control",
            env: None,
            accepts: "a Cache-Control header",
            set: |s, text| {
                let is_header = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                assign(&mut s.cache_control, is_header.then(|| text.to_owned()))
            },
        },
        Setting {
            key: "storage.patience",
            env: None,
            accepts: "a time, such as 1h",
            set: |s, text| assign(&mut s.patience, positive_duration(text)),
        },
    ];
}

/// The address of a stored file that clients are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// `storage.public_url` and the key.
    Public,
    /// Signed, and good for a while.
    Presigned,
    /// Through this service.
    Service,
}

impl AddressKind {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "public" => Some(Self::Public),
            "presigned" => Some(Self::Presigned),
            "service" => Some(Self::Service),
            _ => None,
        }
    }
}

/// When checksums are sent in headers that older stores do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksums {
    WhenRequired,
    WhenSupported,
}

impl Checksums {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "when-required" => Some(Self::WhenRequired),
            "when-supported" => Some(Self::WhenSupported),
            _ => None,
        }
    }
}

/// Settings that contradict each other, or that are not enough. Each says all there is to say.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{one} and {other} contradict each other; set one of them, or both to the same")]
    Contradiction { one: &'static str, other: String },
    #[error("{missing} is not set, but {given} is; set {missing}, or remove {given}")]
    Missing {
        missing: &'static str,
        given: &'static str,
    },
    #[error("{name} is not accepted; give {accepts}")]
    BadVariable {
        name: &'static str,
        accepts: &'static str,
    },
    #[error(
        "storage.urls is \"public\", but storage.public_url is not set; set it to the base that clients reach"
    )]
    NoPublicUrl,
    #[error(
        "storage.urls is \"presigned\", but a directory cannot sign addresses; set it to \"service\" or \"public\""
    )]
    CannotPresign,
    #[error(
        "storage.urls is \"presigned\", but the credentials cannot sign addresses; set it to \"service\" \
         or \"public\", or check {0}"
    )]
    CannotSign(&'static str),
    #[error("the storage {location} cannot be used: {cause}; check {keys}")]
    Provider {
        location: String,
        cause: String,
        keys: &'static str,
    },
}

/// The base of an address, without a slash at its end.
pub fn base_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_base = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    is_base.then(|| url.as_str().trim_end_matches('/').to_owned())
}

fn canned_acl(text: &str) -> Option<String> {
    let is_name = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_name.then(|| text.to_owned())
}
