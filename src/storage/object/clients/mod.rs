//! The clients of a bucket: one provider's builder, with our settings and its variables.

mod azure;
mod google;
mod s3;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderValue;
use object_store::multipart::MultipartStore;
use object_store::signer::Signer;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};

use crate::storage::{Bucket, Provider, Settings};

/// For one request that writes, or asks: a part of an upload and its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A few quick retries of one request. What fails for longer is tried again as a whole.
const RETRIES: usize = 3;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(2);
/// Room for one more after one that timed out.
const RETRY_TIMEOUT: Duration = Duration::from_secs(90);

pub struct Clients {
    /// Creates objects, with the headers of new ones.
    pub writer: Arc<dyn ObjectStore>,
    /// Tells what there is, and deletes.
    pub store: Arc<dyn ObjectStore>,
    /// Streams files, for as long as that takes.
    pub reader: Arc<dyn ObjectStore>,
    /// `None`: the credentials cannot sign addresses.
    pub signer: Option<Arc<dyn Signer>>,
    /// `None`: uploads in parts have no id, and need no cleaning.
    pub uploads: Option<Uploads>,
}

/// Uploads in parts, of providers that give each an id.
#[derive(Clone)]
pub struct Uploads {
    /// Begins them, with the headers of new objects.
    pub creator: Arc<dyn MultipartStore>,
    pub store: Arc<dyn MultipartStore>,
    /// Completes them if there is no such object yet; `None`: the provider cannot tell.
    pub completer: Option<Arc<dyn MultipartStore>>,
}

impl Clients {
    pub fn new(bucket: &Bucket, settings: &Settings) -> object_store::Result<Self> {
        match bucket.provider {
            Provider::S3 => s3::clients(bucket, settings),
            Provider::Google => google::clients(bucket, settings),
            Provider::Azure => azure::clients(bucket, settings),
        }
    }
}

/// What a provider's variables say.
struct ProviderVariables<'a> {
    settings: &'a Settings,
    /// Of their names.
    prefix: &'static str,
}

impl<'a> ProviderVariables<'a> {
    /// Those that the crate knows.
    fn known<K: FromStr>(&self) -> impl Iterator<Item = (K, &'a str)> {
        let prefix = self.prefix;
        let variables = self.settings.variables.iter();
        variables.filter_map(move |(name, value)| {
            let name = name.starts_with(prefix).then(|| name.to_ascii_lowercase());
            Some((name?.parse().ok()?, value))
        })
    }

    /// The options of clients that write, or ask.
    fn writing(&self) -> ClientOptions {
        self.added_to(client_options().with_timeout(REQUEST_TIMEOUT))
    }

    /// Readers may take their time.
    fn reading(&self) -> ClientOptions {
        self.added_to(client_options().with_timeout_disabled())
    }

    fn added_to(&self, mut options: ClientOptions) -> ClientOptions {
        for (name, value) in self.settings.variables.iter() {
            let key = name.strip_prefix(self.prefix).map(str::to_ascii_lowercase);
            if let Some(Ok(key)) = key.map(|key| key.parse::<ClientConfigKey>()) {
                options = options.with_config(key, value);
            }
        }
        options
    }
}

fn client_options() -> ClientOptions {
    let agent = HeaderValue::from_static(concat!("kinora/", env!("CARGO_PKG_VERSION")));
    ClientOptions::new()
        .with_user_agent(agent)
        .with_allow_http(true)
        .with_connect_timeout(CONNECT_TIMEOUT)
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: FIRST_BACKOFF,
            max_backoff: MAX_BACKOFF,
            base: 2.0,
        },
        max_retries: RETRIES,
        retry_timeout: RETRY_TIMEOUT,
    }
}
