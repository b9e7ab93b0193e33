//! Clients of S3, and of all that speak it.

use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use url::Url;

use super::{Clients, ProviderVariables, Uploads, retries};
use crate::storage::variables::S3_ENDPOINTS;
use crate::storage::{Bucket, Checksums, Settings};

pub fn clients(bucket: &Bucket, settings: &Settings) -> object_store::Result<Clients> {
    let variables = ProviderVariables {
        settings,
        prefix: "AWS_",
    };
    let builder = builder(bucket, settings, &variables);
    let store = builder.clone().build()?;
    // One provider of credentials for all, which may have to ask for them.
    let builder = builder.with_credentials(store.credentials().clone());
    let with_header = |name: HeaderName, value: HeaderValue| {
        let headers = HeaderMap::from_iter([(name, value)]);
        let options = variables.writing().with_default_headers(headers);
        builder.clone().with_client_options(options).build()
    };
    let acl = settings.acl.as_deref().map(HeaderValue::from_str);
    let creator = match acl {
        Some(Ok(acl)) => with_header(HeaderName::from_static("x-amz-acl"), acl)?,
        // Err: never, as a canned ACL is a plain name.
        Some(Err(_)) | None => store.clone(),
    };
    let completer = with_header(IF_NONE_MATCH, HeaderValue::from_static("*"))?;
    let reader = builder.clone().with_client_options(variables.reading());
    Ok(Clients {
        writer: Arc::new(creator.clone()),
        store: Arc::new(store.clone()),
        reader: Arc::new(reader.build()?),
        signer: Some(Arc::new(signer(&store, builder, bucket, settings)?)),
        uploads: Some(Uploads {
            creator: Arc::new(creator),
            store: Arc::new(store),
            completer: Some(Arc::new(completer)),
        }),
    })
}

fn builder(
    bucket: &Bucket,
    settings: &Settings,
    variables: &ProviderVariables<'_>,
) -> AmazonS3Builder {
    let mut builder = AmazonS3Builder::new();
    for (key, value) in variables.known() {
        builder = builder.with_config(key, value);
    }
    if settings.checksums == Checksums::WhenSupported {
        builder = builder.with_checksum_algorithm(Checksum::SHA256);
    }
    builder = builder
        .with_bucket_name(&bucket.name)
        .with_allow_http(true)
        // Files are deleted one by one, and not every store knows the other way.
        .with_disable_bulk_delete(true)
        .with_retry(retries())
        .with_client_options(variables.writing());
    let mut endpoints = S3_ENDPOINTS.into_iter();
    let endpoint = endpoints.find_map(|name| settings.variables.get(name));
    addressed(builder, bucket, endpoint, settings.path_style)
}

/// Signs addresses with the endpoint that clients reach.
fn signer(
    store: &AmazonS3,
    builder: AmazonS3Builder,
    bucket: &Bucket,
    settings: &Settings,
) -> object_store::Result<AmazonS3> {
    match &settings.signing_url {
        None => Ok(store.clone()),
        Some(url) => addressed(builder, bucket, Some(url), settings.path_style).build(),
    }
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
