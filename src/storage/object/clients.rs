//! The clients of a bucket: one provider's builder, with our settings and its variables.

use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::multipart::MultipartStore;
use object_store::signer::Signer;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};
use serde_json::Value;
use url::Url;

use crate::storage::settings::{Bucket, Checksums, ENDPOINTS, Provider, Settings};

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
            Provider::S3 => s3(bucket, settings),
            Provider::Google => google(bucket, settings),
            Provider::Azure => azure(bucket, settings),
        }
    }
}

fn s3(bucket: &Bucket, settings: &Settings) -> object_store::Result<Clients> {
    let http = HttpOptions {
        settings,
        prefix: "AWS_",
    };
    let variables = &settings.variables;
    let mut builder = AmazonS3Builder::new();
    for (name, value) in variables
        .iter()
        .filter(|(name, _)| name.starts_with("AWS_"))
    {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    if settings.checksums == Checksums::WhenSupported {
        builder = builder.with_checksum_algorithm(Checksum::SHA256);
    }
    let endpoint = ENDPOINTS.into_iter().find_map(|name| variables.get(name));
    builder = builder
        .with_bucket_name(&bucket.name)
        .with_allow_http(true)
        // Files are deleted one by one, and not every store knows the other way.
        .with_disable_bulk_delete(true)
        .with_retry(retries())
        .with_client_options(http.writing());
    builder = addressed(builder, bucket, endpoint, settings.path_style);

    let store = builder.clone().build()?;
    // One provider of credentials for all, which may have to ask for them.
    let builder = builder.with_credentials(store.credentials().clone());
    let with_headers = |headers: HeaderMap| {
        let options = http.writing().with_default_headers(headers);
        builder.clone().with_client_options(options).build()
    };
    let creator = match &settings.acl {
        Some(acl) => {
            let name = HeaderName::from_static("x-amz-acl");
            let value = HeaderValue::from_str(acl);
            // A canned ACL is a plain name.
            let headers = value
                .into_iter()
                .map(|value| (name.clone(), value))
                .collect();
            with_headers(headers)?
        }
        None => store.clone(),
    };
    let any = HeaderValue::from_static("*");
    let completer = with_headers(HeaderMap::from_iter([(IF_NONE_MATCH, any)]))?;
    let reader = builder
        .clone()
        .with_client_options(http.reading())
        .build()?;
    let signer = match &settings.signing_url {
        None => store.clone(),
        Some(url) => addressed(builder, bucket, Some(url), settings.path_style).build()?,
    };
    Ok(Clients {
        writer: Arc::new(creator.clone()),
        store: Arc::new(store.clone()),
        reader: Arc::new(reader),
        signer: Some(Arc::new(signer)),
        uploads: Some(Uploads {
            creator: Arc::new(creator),
            store: Arc::new(store),
            completer: Some(Arc::new(completer)),
        }),
    })
}

/// With the bucket in the path or in the host; never in both.
fn addressed(
    builder: AmazonS3Builder,
    bucket: &Bucket,
    endpoint: Option<&str>,
    path_style: Option<bool>,
) -> AmazonS3Builder {
    let Some(url) = endpoint.and_then(|text| Url::parse(text).ok()) else {
        return builder.with_virtual_hosted_style_request(!path_style.unwrap_or(false));
    };
    let in_host = format!("{}.", bucket.name);
    let host = url.host_str().unwrap_or_default();
    let mut text = url.as_str().trim_end_matches('/').to_owned();
    let rest = host.strip_prefix(&in_host).unwrap_or_default();
    let has_bucket = match path_style {
        Some(path_style) => !path_style && !rest.is_empty(),
        None => is_s3_host(rest),
    };
    let path_style = path_style.unwrap_or(true);
    if !path_style && !has_bucket {
        text = text.replacen("://", &format!("://{in_host}"), 1);
    }
    let last = format!("/{}", bucket.name);
    if path_style && !has_bucket && text.ends_with(&last) {
        text.truncate(text.len() - last.len());
    }
    // The more particular variable would win over the endpoint.
    builder
        .with_config(AmazonS3ConfigKey::S3Endpoint, &text)
        .with_endpoint(text)
        .with_virtual_hosted_style_request(!path_style || has_bucket)
}

/// Whether a host is one of S3, by its name alone: some providers give out endpoints that begin with
/// the bucket.
fn is_s3_host(host: &str) -> bool {
    const SUFFIXES: [&str; 6] = [
        ".amazonaws.com",
        ".backblazeb2.com",
        ".digitaloceanspaces.com",
        ".linodeobjects.com",
        ".r2.cloudflarestorage.com",
        ".wasabisys.com",
    ];
    host.starts_with("s3.")
        || host.starts_with("s3-")
        || SUFFIXES.iter().any(|suffix| host.ends_with(suffix))
}

fn google(bucket: &Bucket, settings: &Settings) -> object_store::Result<Clients> {
    let http = HttpOptions {
        settings,
        prefix: "GOOGLE_",
    };
    let variables = &settings.variables;
    let mut builder = GoogleCloudStorageBuilder::new();
    if let Some(path) = variables.get("SERVICE_ACCOUNT") {
        builder = builder.with_service_account_path(path);
    }
    for (name, value) in variables
        .iter()
        .filter(|(name, _)| name.starts_with("GOOGLE_"))
    {
        if let Ok(key) = name.to_ascii_lowercase().parse::<GoogleConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder
        .with_bucket_name(&bucket.name)
        .with_retry(retries())
        .with_client_options(http.writing());
    let store = Arc::new(builder.clone().build()?);
    let reader = builder
        .clone()
        .with_client_options(http.reading())
        .build()?;
    let signer: Option<Arc<dyn Signer>> = match &settings.signing_url {
        _ if is_anonymous_account(settings) => None,
        None => Some(store.clone()),
        Some(url) => Some(Arc::new(builder.with_base_url(url).build()?)),
    };
    Ok(Clients {
        writer: store.clone(),
        store: store.clone(),
        reader: Arc::new(reader),
        signer,
        uploads: Some(Uploads {
            creator: store.clone(),
            store,
            completer: None,
        }),
    })
}

fn azure(bucket: &Bucket, settings: &Settings) -> object_store::Result<Clients> {
    let http = HttpOptions {
        settings,
        prefix: "AZURE_",
    };
    let mut builder = MicrosoftAzureBuilder::new();
    let ours = settings.variables.iter();
    for (name, value) in ours.filter(|(name, _)| name.starts_with("AZURE_")) {
        // The name that the contract has; the crate calls it a key.
        let name = match name {
            "AZURE_STORAGE_SAS_TOKEN" => "azure_storage_sas_key".to_owned(),
            name => name.to_ascii_lowercase(),
        };
        if let Ok(key) = name.parse::<AzureConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder
        .with_container_name(&bucket.name)
        .with_allow_http(true)
        .with_retry(retries())
        .with_client_options(http.writing());
    let store = Arc::new(builder.clone().build()?);
    let reader = builder
        .clone()
        .with_client_options(http.reading())
        .build()?;
    let signer: Option<Arc<dyn Signer>> = match &settings.signing_url {
        _ if has_only_sas(settings) => None,
        None => Some(store.clone()),
        Some(url) => Some(Arc::new(builder.with_endpoint(url.clone()).build()?)),
    };
    Ok(Clients {
        writer: store.clone(),
        store,
        reader: Arc::new(reader),
        signer,
        uploads: None,
    })
}

/// An account of an emulator, which has no key.
fn is_anonymous_account(settings: &Settings) -> bool {
    let variables = &settings.variables;
    let file = [
        "SERVICE_ACCOUNT",
        "GOOGLE_SERVICE_ACCOUNT",
        "GOOGLE_SERVICE_ACCOUNT_PATH",
    ];
    let file = file.into_iter().find_map(|name| variables.get(name));
    let text = match (variables.get("GOOGLE_SERVICE_ACCOUNT_KEY"), file) {
        (Some(text), _) => Some(text.to_owned()),
        // Err: the builder tells of it.
        (None, Some(path)) => std::fs::read_to_string(path).ok(),
        (None, None) => None,
    };
    let account = text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    account.is_some_and(|account| account["disable_oauth"] == true)
}

/// A shared access signature gives rights, and cannot give them on.
fn has_only_sas(settings: &Settings) -> bool {
    let has = |word: &str| {
        settings
            .variables
            .iter()
            .any(|(name, _)| name.starts_with("AZURE_") && name.contains(word))
    };
    has("SAS") && !has("ACCOUNT_KEY") && !has("ACCESS_KEY") && !has("CLIENT_SECRET")
}

/// The options of the HTTP clients: ours, and what the provider's variables say of them.
struct HttpOptions<'a> {
    settings: &'a Settings,
    /// Of the provider's variables.
    prefix: &'static str,
}

impl HttpOptions<'_> {
    fn writing(&self) -> ClientOptions {
        self.with_variables(options().with_timeout(REQUEST_TIMEOUT))
    }

    /// Readers may take their time.
    fn reading(&self) -> ClientOptions {
        self.with_variables(options().with_timeout_disabled())
    }

    fn with_variables(&self, mut options: ClientOptions) -> ClientOptions {
        for (name, value) in self.settings.variables.iter() {
            let key = name.strip_prefix(self.prefix).map(str::to_ascii_lowercase);
            if let Some(Ok(key)) = key.map(|key| key.parse::<ClientConfigKey>()) {
                options = options.with_config(key, value);
            }
        }
        options
    }
}

fn options() -> ClientOptions {
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
