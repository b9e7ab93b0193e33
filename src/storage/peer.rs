//! The variables by which the peer names a bucket: they are read as our own settings.

use url::Url;

use super::settings::{SettingsError, base_url};
use super::variables::S3_ENDPOINTS;
use super::{Bucket, Location, Provider, Settings, Variables};

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
            None => self.take_s3_bucket(&peer),
            Some(Location::Bucket(bucket))
                if bucket.provider == Provider::S3 && bucket.name == peer.bucket =>
            {
                self.complete_s3(&peer)
            }
            Some(_) => Err(SettingsError::Contradiction {
                one: "S3_BUCKET_NAME",
                other: "storage.url".into(),
            }),
        }
    }

    /// The bucket, which only the peer's variables name. The provider's own may be there for other
    /// programs.
    fn take_s3_bucket(&mut self, peer: &PeerS3) -> Result<(), SettingsError> {
        let bucket = Bucket::new(Provider::S3, &peer.bucket, "");
        let bucket = bucket.ok_or(SettingsError::BadVariable {
            name: "S3_BUCKET_NAME",
            accepts: "the name of a bucket",
        })?;
        self.location = Some(Location::Bucket(bucket));
        self.variables.remove(&S3_ENDPOINTS);
        if peer.access_key.is_some() {
            self.variables.remove(&SESSION_TOKENS);
        }
        for (name, value) in peer.variables() {
            self.variables.set(name, value);
        }
        Ok(())
    }

    /// What is said of the bucket that `storage.url` names as well.
    fn complete_s3(&mut self, peer: &PeerS3) -> Result<(), SettingsError> {
        let mut endpoints = S3_ENDPOINTS
            .iter()
            .filter_map(|name| self.variables.get(name));
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
