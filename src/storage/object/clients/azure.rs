//! Clients of Azure Blob Storage.

use std::sync::Arc;

use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::signer::Signer;

use super::{Clients, ProviderVariables, retries};
use crate::storage::{Bucket, Settings};

pub fn clients(bucket: &Bucket, settings: &Settings) -> object_store::Result<Clients> {
    let variables = ProviderVariables {
        settings,
        prefix: "AZURE_",
    };
    let mut builder = MicrosoftAzureBuilder::new();
    for (key, value) in variables.known() {
        builder = builder.with_config(key, value);
    }
    // By the name that Azure's own tools read; the crate calls it a key.
    if let Some(token) = settings.variables.get("AZURE_STORAGE_SAS_TOKEN") {
        builder = builder.with_config(AzureConfigKey::SasKey, token);
    }
    builder = builder
        .with_container_name(&bucket.name)
        .with_allow_http(true)
        .with_retry(retries())
        .with_client_options(variables.writing());
    let store = Arc::new(builder.clone().build()?);
    let reader = builder.clone().with_client_options(variables.reading());
    let signer: Option<Arc<dyn Signer>> = match &settings.signing_url {
        _ if has_only_sas(settings) => None,
        None => Some(store.clone()),
        Some(url) => Some(Arc::new(builder.with_endpoint(url.clone()).build()?)),
    };
    Ok(Clients {
        writer: store.clone(),
        store,
        reader: Arc::new(reader.build()?),
        signer,
        uploads: None,
    })
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
