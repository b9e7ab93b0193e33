//! The addresses of a bucket's files that clients are given.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use log::warn;
use object_store::path::Path;
use object_store::signer::Signer;
use url::Url;

use crate::storage::settings::MAX_PRESIGN_TTL;
use crate::storage::{AddressKind, Settings, SettingsError};

pub enum Addresses {
    /// With what a key is appended to, without a slash at its end. The key has its prefix.
    Public(String),
    Presigned(Presigned),
    /// As for public ones, but the key has no prefix.
    Service(String),
}

pub struct Presigned {
    signer: Arc<dyn Signer>,
    ttl: Duration,
    /// The base of addresses through the service, for when none can be signed. `None`: the settings ask
    /// for signed ones.
    pub otherwise: Option<String>,
}

impl Addresses {
    /// `keys`: the names of the settings by which addresses are signed.
    pub fn new(
        settings: &Settings,
        signer: Option<Arc<dyn Signer>>,
        service_url: String,
        keys: &'static str,
    ) -> Result<Self, SettingsError> {
        Ok(match (settings.urls, &settings.public_url, signer) {
            (Some(AddressKind::Public), None, _) => return Err(SettingsError::NoPublicUrl),
            (Some(AddressKind::Public) | None, Some(base), _) => Self::Public(base.clone()),
            (Some(AddressKind::Service), ..) => Self::Service(service_url),
            (Some(AddressKind::Presigned), _, None) => return Err(SettingsError::CannotSign(keys)),
            (None, None, None) => {
                warn!("the credentials cannot sign addresses: videos are served by this service");
                Self::Service(service_url)
            }
            (kind, _, Some(signer)) => Self::Presigned(Presigned {
                signer,
                ttl: settings.presign_ttl,
                otherwise: kind.is_none().then_some(service_url),
            }),
        })
    }
}

impl Presigned {
    /// Holds for `at_least` that long, if providers allow it.
    pub async fn sign(&self, path: &Path, at_least: Duration) -> object_store::Result<Url> {
        let ttl = self.ttl.max(at_least).min(MAX_PRESIGN_TTL);
        self.signer.signed_url(Method::GET, path, ttl).await
    }
}
