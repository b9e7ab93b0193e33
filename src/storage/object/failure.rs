//! What an error of a store means, and what to do about it. Holds no secret: of what the store
//! answered, only its status and its code are told.

use std::error::Error as StdError;
use std::fmt;

use object_store::Error;

use crate::storage::{Bucket, Provider};

/// For operators: what is wrong, and which setting cures it.
#[derive(Debug)]
pub struct Cause {
    /// Fit for anyone to read.
    cure: String,
    /// What the store or the system said.
    told: Option<String>,
}

impl Cause {
    pub fn of(error: &Error, bucket: &Bucket) -> Self {
        let text = text(error);
        let told = summary_of(&text);
        let cure = cure(&text, code(&text).unwrap_or_default(), error, bucket);
        Self {
            cure: cure.unwrap_or_else(|| "the store failed".to_owned()),
            told: Some(told),
        }
    }

    pub fn cure(&self) -> &str {
        &self.cure
    }

    pub fn no_bucket(bucket: &Bucket) -> Self {
        let (cure, told) = (no_bucket(bucket), None);
        Self { cure, told }
    }

    pub fn no_answer(bucket: &Bucket) -> Self {
        let endpoint = names(bucket.provider).endpoint;
        let cure = format!("the store does not answer; check {endpoint}, and the network");
        Self { cure, told: None }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.told {
            Some(told) => write!(f, "{} ({told})", self.cure),
            None => f.write_str(&self.cure),
        }
    }
}

impl StdError for Cause {}

/// The names of a provider's settings, as its users write them.
pub struct Names {
    bucket: &'static str,
    pub keys: &'static str,
    endpoint: &'static str,
    region: &'static str,
}

pub fn names(provider: Provider) -> Names {
    match provider {
        Provider::S3 => Names {
            bucket: "storage.url or S3_BUCKET_NAME",
            keys: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or S3_ACCESS_KEY and S3_SECRET_KEY",
            endpoint: "AWS_ENDPOINT_URL or S3_ENDPOINT_URL",
            region: "AWS_REGION or S3_REGION",
        },
        Provider::Google => Names {
            bucket: "storage.url or GCP_BUCKET_NAME",
            keys: "GOOGLE_APPLICATION_CREDENTIALS or GCP_SA_CREDENTIALS",
            endpoint: "the credentials' gcs_base_url",
            region: "storage.url",
        },
        Provider::Azure => Names {
            bucket: "storage.url",
            keys: "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_SAS_TOKEN",
            endpoint: "AZURE_STORAGE_ACCOUNT_NAME or AZURE_STORAGE_ENDPOINT",
            region: "storage.url",
        },
    }
}

fn cure(text: &str, code: &str, error: &Error, bucket: &Bucket) -> Option<String> {
    let Names {
        keys,
        endpoint,
        region,
        ..
    } = names(bucket.provider);
    let sentence = match code {
        "NoSuchBucket" | "ContainerNotFound" | "InvalidBucketName" => no_bucket(bucket),
        "InvalidAccessKeyId" | "InvalidToken" | "ExpiredToken" => {
            format!("the store does not know the access key, or it has expired; check {keys}")
        }
        "SignatureDoesNotMatch" | "AuthenticationFailed" => {
            format!("the secret key is wrong; check {keys}")
        }
        // Without keys, the machine's own role is asked for.
        _ if text.contains("169.254.") || text.contains("metadata.google") => {
            format!("there are no keys, and this machine has no role that gives some; set {keys}")
        }
        "RequestTimeTooSkewed" | "RequestExpired" => {
            "this machine's clock is wrong by more than the store allows; set the clock".to_owned()
        }
        "AccessControlListNotSupported" => {
            "the bucket takes no ACLs; remove storage.acl".to_owned()
        }
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "IllegalLocationConstraintException" => {
            format!("the bucket is in another region; set {region}")
        }
        _ if matches!(error, Error::Unauthenticated { .. }) => {
            format!("the store does not accept the keys; check {keys}")
        }
        _ if is_refusal(error) => format!(
            "the keys have no right to do this; give them the rights that docs/storage.md lists, or check {keys}"
        ),
        _ if text.contains("Received redirect") => {
            format!("the bucket is in another region; set {region}")
        }
        _ if is_missing_bucket(error) => no_bucket(bucket),
        _ if text.contains("error sending request") || text.contains("HTTP error") => {
            format!("the store cannot be reached; check {endpoint}, and the network")
        }
        _ => return None,
    };
    Some(sentence)
}

fn no_bucket(bucket: &Bucket) -> String {
    let name = names(bucket.provider).bucket;
    format!("there is no such bucket; create it, or check {name}")
}

/// What is wrong with the settings of a provider. The crate may quote them, and they are secrets.
pub fn bad_setting(error: &Error, provider: Provider) -> String {
    if provider == Provider::Google {
        return "the credentials are not the JSON of a service account".to_owned();
    }
    let told = summary(error);
    let plain = told.split(['"', '\'', '[', '{', ':']).next();
    plain.unwrap_or_default().trim().to_owned()
}

/// One line about an error, with neither addresses nor secrets in it.
pub fn summary(error: &Error) -> String {
    summary_of(&text(error))
}

fn summary_of(text: &str) -> String {
    let status =
        between(text, "status code: ", ":").map(|status| format!("the store answered {status}"));
    match (status, code(text)) {
        (Some(status), Some(code)) => format!("{status}, {code}"),
        (Some(status), None) => status,
        (None, _) => last_cause(text),
    }
}

/// The last cause of a chain is the one of the system: "Connection refused (os error 111)". It
/// follows the addresses.
fn last_cause(text: &str) -> String {
    const LONGEST: usize = 200;
    let cause = text
        .rsplit('\n')
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let words = cause
        .split_whitespace()
        .filter(|word| !word.contains("://") && !word.contains('?'));
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST).collect()
}

/// Every cause on a line of its own.
fn text(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push('\n');
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

/// The code of an error in the XML of S3, Google and Azure.
fn code(text: &str) -> Option<&str> {
    let code = between(text, "<Code>", "</Code>")?;
    let is_name =
        !code.is_empty() && code.len() < 64 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    is_name.then_some(code)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    let (inner, _) = rest.split_once(after)?;
    Some(inner)
}

pub fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. }
    )
}

/// Whether a store does not know what was asked for, such as a condition.
pub fn is_not_implemented(error: &Error) -> bool {
    let text = text(error);
    matches!(error, Error::NotImplemented { .. })
        || text.contains("status code: 501")
        || code(&text) == Some("NotImplemented")
}

/// Whether it is the bucket that was not found.
pub fn is_missing_bucket(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(next) = cause {
        let text = next.to_string();
        if matches!(code(&text), Some("NoSuchBucket" | "ContainerNotFound")) {
            return true;
        }
        cause = next.source();
    }
    false
}
