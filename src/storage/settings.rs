//! The settings of the storage: which one, and which kind of address it gives.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::setting::{Setting, assign, positive_duration};

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

/// Where files are kept: what `storage.url` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    Directory(PathBuf),
    Bucket(Bucket),
}

/// A bucket, or a container as Azure calls it, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub provider: Provider,
    pub name: String,
    /// Without slashes at its ends; may be empty.
    pub prefix: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    S3,
    Google,
    Azure,
}

impl Provider {
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
        }
    }
}

impl Location {
    pub fn parse(text: &str) -> Option<Self> {
        // Url would resolve them silently, by any spelling.
        let leads_elsewhere = |segment: &str| {
            let segment = segment.to_ascii_lowercase().replace("%2e", ".");
            matches!(segment.as_str(), "." | "..")
        };
        if text.split(['/', '\\']).any(leads_elsewhere) {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let is_plain = url.query().is_none()
            && url.fragment().is_none()
            && url.port().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !is_plain {
            return None;
        }
        let provider = match url.scheme() {
            "file" => return url.to_file_path().ok().map(Self::Directory),
            "s3" => Provider::S3,
            "gs" => Provider::Google,
            "az" => Provider::Azure,
            _ => return None,
        };
        let prefix = url.path().trim_matches('/');
        Bucket::new(provider, url.host_str()?, prefix).map(Self::Bucket)
    }
}

impl Bucket {
    /// `None`: a name or prefix that would have to be escaped, or that leads elsewhere.
    pub fn new(provider: Provider, name: &str, prefix: &str) -> Option<Self> {
        let is_plain = |text: &str| {
            !text.is_empty()
                && text != "."
                && text != ".."
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
        };
        let prefix_is_plain = prefix.is_empty() || prefix.split('/').all(is_plain);
        (is_plain(name) && prefix_is_plain).then(|| Self {
            provider,
            name: name.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    /// The whole key of a file.
    pub fn key(&self, key: &str) -> String {
        if self.prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{}/{key}", self.prefix)
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => match Url::from_file_path(path) {
                Ok(url) => url.fmt(f),
                // Only a path that is not absolute, of which no location is made.
                Err(()) => path.display().fmt(f),
            },
            Self::Bucket(bucket) => {
                let scheme = bucket.provider.scheme();
                write!(f, "{scheme}://{}", bucket.key_of_root())
            }
        }
    }
}

impl Bucket {
    fn key_of_root(&self) -> String {
        let separator = if self.prefix.is_empty() { "" } else { "/" };
        format!("{}{separator}{}", self.name, self.prefix)
    }
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

    fn remove(&mut self, names: &[&str]) {
        for name in names {
            self.0.remove(*name);
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
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

impl Settings {
    /// Takes over what the peer's variables say, and checks that nothing contradicts it. Tells which
    /// of them have no effect, in sentences.
    pub fn resolve_peer_variables(&mut self) -> Result<Vec<String>, SettingsError> {
        let peer = PeerS3::read(&self.variables, self.location.is_some())?;
        let has_s3 = peer.is_some();
        if let Some(peer) = peer {
            self.take_s3(peer)?;
        }
        if !has_s3 {
            self.take_s3_keys()?;
        }
        let Some(bucket) = self.variables.get("GCP_BUCKET_NAME").map(str::to_owned) else {
            self.take_google_key()?;
            return Ok(Vec::new());
        };
        if has_s3 {
            // For videos that were stored there before.
            self.take_google_key()?;
            return Ok(vec![
                "GCP_BUCKET_NAME has no effect beside S3_ENDPOINT_URL: videos go to the S3 bucket"
                    .into(),
            ]);
        }
        self.take_google(&bucket)?;
        Ok(Vec::new())
    }

    fn take_s3(&mut self, peer: PeerS3) -> Result<(), SettingsError> {
        match &self.location {
            None => {
                let bucket = Bucket::new(Provider::S3, &peer.bucket, "");
                let bucket = bucket.ok_or(SettingsError::BadVariable {
                    name: "S3_BUCKET_NAME",
                    accepts: "the name of a bucket",
                })?;
                self.location = Some(Location::Bucket(bucket));
                // Named by the only form that names a bucket: the other may be there for other programs.
                self.variables.remove(&ENDPOINTS);
                if peer.access_key.is_some() {
                    self.variables.remove(&SESSION_TOKENS);
                }
                for (name, value) in peer.variables() {
                    self.variables.set(name, value);
                }
                Ok(())
            }
            Some(Location::Bucket(bucket))
                if bucket.provider == Provider::S3 && bucket.name == peer.bucket =>
            {
                let mut endpoints = ENDPOINTS.iter().filter_map(|name| self.variables.get(name));
                if endpoints.any(|other| other != peer.endpoint) {
                    return Err(SettingsError::Contradiction {
                        one: "S3_ENDPOINT_URL",
                        other: "AWS_ENDPOINT_URL".into(),
                    });
                }
                if peer.access_key.is_some() && self.variables.get("AWS_ACCESS_KEY_ID").is_none() {
                    self.variables.remove(&SESSION_TOKENS);
                }
                for (name, value) in peer.variables() {
                    if self.variables.get(name).is_some_and(|other| other != value) {
                        return Err(SettingsError::Contradiction {
                            one: peer_name(name),
                            other: name.to_owned(),
                        });
                    }
                    self.variables.set(name, value);
                }
                Ok(())
            }
            Some(_) => Err(SettingsError::Contradiction {
                one: "S3_BUCKET_NAME",
                other: "storage.url".into(),
            }),
        }
    }

    /// The keys alone, for a bucket that `storage.url` names.
    fn take_s3_keys(&mut self) -> Result<(), SettingsError> {
        for (one, other) in [
            ("S3_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
            ("S3_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
            ("S3_REGION", "AWS_REGION"),
        ] {
            let Some(value) = self.variables.get(one).map(str::to_owned) else {
                continue;
            };
            let is_s3 = matches!(&self.location, Some(Location::Bucket(bucket)) if bucket.provider == Provider::S3);
            if is_s3 && self.variables.get(other).is_some_and(|set| set != value) {
                let other = other.to_owned();
                return Err(SettingsError::Contradiction { one, other });
            }
            if self.variables.get(other).is_none() {
                self.variables.set(other, &value);
            }
        }
        Ok(())
    }

    fn take_google(&mut self, name: &str) -> Result<(), SettingsError> {
        match &self.location {
            None => {
                let bucket = Bucket::new(Provider::Google, name, "");
                let bucket = bucket.ok_or(SettingsError::BadVariable {
                    name: "GCP_BUCKET_NAME",
                    accepts: "the name of a bucket",
                })?;
                self.location = Some(Location::Bucket(bucket));
            }
            Some(Location::Bucket(bucket))
                if bucket.provider == Provider::Google && bucket.name == name => {}
            Some(_) => {
                return Err(SettingsError::Contradiction {
                    one: "GCP_BUCKET_NAME",
                    other: "storage.url".into(),
                });
            }
        }
        self.take_google_key()
    }

    fn take_google_key(&mut self) -> Result<(), SettingsError> {
        let Some(key) = self.variables.get("GCP_SA_CREDENTIALS").map(str::to_owned) else {
            return Ok(());
        };
        let other = self.variables.get("GOOGLE_SERVICE_ACCOUNT_KEY");
        if other.is_some_and(|other| other != key) {
            return Err(SettingsError::Contradiction {
                one: "GCP_SA_CREDENTIALS",
                other: "GOOGLE_SERVICE_ACCOUNT_KEY".into(),
            });
        }
        self.variables.set("GOOGLE_SERVICE_ACCOUNT_KEY", &key);
        Ok(())
    }
}

/// The names that an endpoint of S3 may have.
pub const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
/// Parts of a temporary key, which belong to no other.
const SESSION_TOKENS: [&str; 2] = ["AWS_SESSION_TOKEN", "AWS_TOKEN"];

/// The peer's five variables for S3.
struct PeerS3 {
    endpoint: String,
    bucket: String,
    region: Option<String>,
    access_key: Option<String>,
    secret_key: Option<String>,
}

impl PeerS3 {
    /// `None`: not given. The endpoint decides, as it does in the peer.
    fn read(variables: &Variables, bucket_is_known: bool) -> Result<Option<Self>, SettingsError> {
        let get = |name| variables.get(name).map(str::to_owned);
        let Some(endpoint) = get("S3_ENDPOINT_URL") else {
            return match get("S3_BUCKET_NAME") {
                // The peer's file has room for both providers, and may name an S3 bucket for later.
                Some(_) if !bucket_is_known && get("GCP_BUCKET_NAME").is_none() => {
                    Err(SettingsError::Missing {
                        missing: "S3_ENDPOINT_URL",
                        given: "S3_BUCKET_NAME",
                    })
                }
                _ => Ok(None),
            };
        };
        let url = base_url(&endpoint).and_then(|text| Url::parse(&text).ok());
        let url = url.ok_or(SettingsError::BadVariable {
            name: "S3_ENDPOINT_URL",
            accepts: "an http or https URL without query or fragment",
        })?;
        // https://bucket.region.digitaloceanspaces.com, from which the peer reads both.
        let host = url.host_str().unwrap_or_default();
        let spaces = host.strip_suffix(".digitaloceanspaces.com");
        let in_host = spaces.and_then(|rest| rest.split_once('.'));
        let bucket = get("S3_BUCKET_NAME").or_else(|| in_host.map(|(bucket, _)| bucket.into()));
        let region = get("S3_REGION").or_else(|| in_host.map(|(_, region)| region.into()));
        Ok(Some(Self {
            endpoint,
            bucket: bucket.ok_or(SettingsError::Missing {
                missing: "S3_BUCKET_NAME",
                given: "S3_ENDPOINT_URL",
            })?,
            region,
            access_key: get("S3_ACCESS_KEY"),
            secret_key: get("S3_SECRET_KEY"),
        }))
    }

    /// The same by the provider's own names.
    fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("AWS_ENDPOINT_URL", Some(&self.endpoint)),
            ("AWS_REGION", self.region.as_ref()),
            ("AWS_ACCESS_KEY_ID", self.access_key.as_ref()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_key.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?.as_str())))
    }
}

fn peer_name(name: &str) -> &'static str {
    match name {
        "AWS_REGION" => "S3_REGION",
        "AWS_ACCESS_KEY_ID" => "S3_ACCESS_KEY",
        "AWS_SECRET_ACCESS_KEY" => "S3_SECRET_KEY",
        _ => "S3_ENDPOINT_URL",
    }
}

/// The base of an address, without a slash at its end.
fn base_url(text: &str) -> Option<String> {
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
