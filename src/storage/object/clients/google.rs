//! Clients of Google Cloud Storage.

use std::sync::Arc;

use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::signer::Signer;
use serde_json::Value;

use super::{Clients, ProviderVariables, Uploads, retries};
use crate::storage::{Bucket, Settings};

pub fn clients(bucket: &Bucket, settings: &Settings) -> object_store::Result<Clients> {
    let variables = ProviderVariables {
        settings,
        prefix: "GOOGLE_",
    };
    let mut builder = GoogleCloudStorageBuilder::new();
    if let Some(path) = settings.variables.get("SERVICE_ACCOUNT") {
        builder = builder.with_service_account_path(path);
    }
    for (key, value) in variables.known() {
        builder = builder.with_config(key, value);
    }
    builder = builder
        .with_bucket_name(&bucket.name)
        .with_retry(retries())
        .with_client_options(variables.writing());
    let store = Arc::new(builder.clone().build()?);
    let reader = builder.clone().with_client_options(variables.reading());
    let signer: Option<Arc<dyn Signer>> = match &settings.signing_url {
        _ if is_anonymous_account(settings) => None,
        None => Some(store.clone()),
        Some(url) => Some(Arc::new(builder.with_base_url(url).build()?)),
    };
    Ok(Clients {
        writer: store.clone(),
        store: store.clone(),
        reader: Arc::new(reader.build()?),
        signer,
        uploads: Some(Uploads {
            creator: store.clone(),
            store,
            completer: None,
        }),
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
