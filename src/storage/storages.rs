//! The storage of the settings, and the ones where older videos are.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{
    AddressKind, LocalStorage, Location, ObjectStorage, Settings, SettingsError, Storage,
    StorageError,
};

/// Opens storages by their names, each once; cheap to clone.
#[derive(Clone)]
pub struct Storages {
    /// Where new files go, and its name.
    current: (Option<String>, Arc<dyn Storage>),
    former: Arc<Mutex<Former>>,
    opener: Arc<Opener>,
}

/// Storages that were opened, by their names.
type Former = HashMap<Option<String>, Arc<dyn Storage>>;

struct Opener {
    settings: Settings,
    /// Where files are if the settings name no place.
    built_in: PathBuf,
    service: ServiceUrl,
}

/// Where this service serves files.
#[derive(Clone, Debug)]
pub struct ServiceUrl {
    /// Without a slash at its end.
    pub base: String,
    /// Whether the settings say so. Else it is where the service happens to listen.
    pub is_set: bool,
}

impl Storages {
    /// Opens the storage that the settings name, or the directory `built_in`. Connects to nothing.
    pub fn open(
        settings: &Settings,
        built_in: PathBuf,
        service: ServiceUrl,
    ) -> Result<Self, SettingsError> {
        let opener = Opener {
            settings: settings.clone(),
            built_in,
            service,
        };
        let name = settings.location.as_ref().map(Location::to_string);
        if let Some(Location::Directory(directory)) = &settings.location {
            // Err: the storage is away, which its probe tells.
            let _ = std::fs::create_dir_all(directory);
        }
        let current = opener.open(settings.location.as_ref(), settings)?;
        Ok(Self {
            current: (name, current),
            former: Arc::default(),
            opener: Arc::new(opener),
        })
    }

    pub fn current(&self) -> &Arc<dyn Storage> {
        &self.current.1
    }

    /// What is written down with a file; `None`: the directory that is built in, wherever it is.
    pub fn current_name(&self) -> Option<&str> {
        self.current.0.as_deref()
    }

    /// An address through this service, whatever the settings say.
    pub fn service_url(&self, key: &str) -> String {
        format!("{}/{key}", self.opener.service.base)
    }

    /// The signing endpoint is one provider's.
    fn signing_url_of(&self, location: Option<&Location>) -> Option<String> {
        let settings = &self.opener.settings;
        let provider = |location: Option<&Location>| match location {
            Some(Location::Bucket(bucket)) => Some(bucket.provider),
            _ => None,
        };
        let is_the_same = provider(location) == provider(settings.location.as_ref());
        settings.signing_url.clone().filter(|_| is_the_same)
    }

    /// Whether an address leads through this service.
    pub fn is_served_here(&self, url: &str) -> bool {
        url.starts_with(&self.opener.service.base)
    }

    /// Whether an address through this service stays what it was: nobody has set another.
    pub fn keeps_addresses(&self) -> bool {
        !self.opener.service.is_set
    }

    /// The storage of this name, with the credentials of today.
    pub fn named(&self, name: Option<&str>) -> Result<Arc<dyn Storage>, StorageError> {
        if name == self.current_name() {
            return Ok(self.current.1.clone());
        }
        let mut former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        let name = name.map(str::to_owned);
        if let Some(storage) = former.get(&name) {
            return Ok(storage.clone());
        }
        let fail = |cause: String| StorageError::failed(name.as_deref().unwrap_or("videos"), cause);
        let location = match name.as_deref().map(Location::parse) {
            Some(None) => return Err(fail("its storage has a name that cannot be read".into())),
            Some(location) => location,
            None => None,
        };
        // Bases of addresses are those of the storage of today.
        let settings = Settings {
            urls: self
                .opener
                .settings
                .urls
                .filter(|kind| *kind != AddressKind::Public),
            public_url: None,
            signing_url: self.signing_url_of(location.as_ref()),
            ..self.opener.settings.clone()
        };
        let opened = self.opener.open(location.as_ref(), &settings);
        let storage = opened.map_err(|error| fail(error.to_string()))?;
        former.insert(name, storage.clone());
        Ok(storage)
    }
}

impl Opener {
    fn open(
        &self,
        location: Option<&Location>,
        settings: &Settings,
    ) -> Result<Arc<dyn Storage>, SettingsError> {
        let directory = match location {
            Some(Location::Bucket(bucket)) => {
                let service_url = self.service.base.clone();
                return Ok(Arc::new(ObjectStorage::new(bucket, settings, service_url)?));
            }
            Some(Location::Directory(directory)) => directory.clone(),
            None => self.built_in.clone(),
        };
        let base_url = match (settings.urls, &settings.public_url) {
            (Some(AddressKind::Public), None) => return Err(SettingsError::NoPublicUrl),
            (Some(AddressKind::Public) | None, Some(base)) => base.clone(),
            // The directory is built in, or an older one beside a bucket with signed addresses.
            (Some(AddressKind::Presigned), _) if location == settings.location.as_ref() => {
                return Err(SettingsError::CannotPresign);
            }
            _ => self.service.base.clone(),
        };
        Ok(Arc::new(LocalStorage::new(directory, base_url)))
    }
}
