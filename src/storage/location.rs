//! Where files are kept: what `storage.url` names.

use std::fmt;
use std::path::PathBuf;

use url::Url;

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
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
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
