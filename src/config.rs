//! The settings of all modules, put together: defaults, then `config.toml`, then the environment,
//! then the command line. The only reader of the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::listing::template;
use crate::setting::Setting;
use crate::storage::{self, SettingsError, Variables};
use crate::{api, encode, jobs, logging, net, picture, sandbox, webhooks};

/// Read when no other file is named, and only if it is there.
const DEFAULT_FILE: &str = "config.toml";

/// Keys of older versions and their names of today. Each is accepted for one version.
const RENAMED_KEYS: &[(&str, &str)] = &[
    ("video.ffmpeg", "encoder.ffmpeg"),
    ("video.preset", "encoder.preset"),
    ("picture.max_memory_bytes", "sandbox.max_memory_bytes"),
];

#[derive(Clone, Default)]
pub struct Config {
    pub server: api::Settings,
    pub jobs: jobs::Settings,
    pub net: net::Settings,
    pub picture: picture::Limits,
    pub sandbox: sandbox::Settings,
    pub encoder: encode::Settings,
    pub templates: template::Settings,
    pub webhooks: webhooks::Settings,
    pub storage: storage::Settings,
    pub log: logging::Settings,
    /// About settings that should be written differently, in sentences.
    pub warnings: Vec<String>,
}

/// Each says all there is to say in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{}: {value:?} is not accepted; give {accepts}", .name.escape_debug())]
    BadValue {
        name: String,
        value: String,
        accepts: &'static str,
    },
    #[error("{}: there is no setting {key:?}; config.toml in the sources lists all", .file.display())]
    Unknown { file: PathBuf, key: String },
    #[error("{} cannot be read: {cause}", .file.display())]
    Unreadable {
        file: PathBuf,
        cause: std::io::Error,
    },
    #[error("{} is not TOML: {message}", .file.display())]
    NotToml { file: PathBuf, message: String },
    #[error(transparent)]
    Storage(#[from] SettingsError),
}

/// Values from the command line, by the key of their setting, with the flag that gave them.
pub type Flags = BTreeMap<&'static str, (&'static str, String)>;

impl Config {
    /// For the service: all settings. `file` must exist if it is named; else `./config.toml` is
    /// read if it is there.
    pub fn load(file: Option<&Path>, flags: &Flags) -> Result<Self, ConfigError> {
        let named = file.is_some();
        let file = file.unwrap_or(Path::new(DEFAULT_FILE));
        let file = if named || file.exists() {
            File::read(file)?
        } else {
            File::default()
        };
        let mut sources = Sources::new(file, flags);
        let mut config = Self::default();
        sources.apply(&mut config.server, api::Settings::TABLE)?;
        sources.apply(&mut config.jobs, jobs::Settings::TABLE)?;
        sources.apply(&mut config.webhooks, webhooks::Settings::TABLE)?;
        sources.apply(&mut config.storage, storage::Settings::TABLE)?;
        sources.apply(&mut config.log, logging::Settings::TABLE)?;
        config.apply_rendering(&mut sources)?;
        config.warnings = sources.nothing_left()?;
        config.storage.variables =
            Variables::choose(std::env::vars_os().filter_map(|(name, value)| {
                // What is not Unicode is no setting of ours.
                Some((name.into_string().ok()?, value.into_string().ok()?))
            }));
        config
            .warnings
            .extend(config.storage.resolve_peer_variables()?);
        Ok(config)
    }

    /// For a single video: only what that needs, from the environment and a file that is named. The
    /// directory may be anybody's, and its `config.toml` too.
    pub fn load_for_rendering(file: Option<&Path>, flags: &Flags) -> Result<Self, ConfigError> {
        let file = file.map(File::read).transpose()?.unwrap_or_default();
        let mut sources = Sources::new(file, flags);
        let mut config = Self::default();
        config.apply_rendering(&mut sources)?;
        config.warnings = sources.warnings;
        Ok(config)
    }

    fn apply_rendering(&mut self, sources: &mut Sources) -> Result<(), ConfigError> {
        sources.apply(&mut self.net, net::Settings::TABLE)?;
        sources.apply(&mut self.picture, picture::Limits::TABLE)?;
        sources.apply(&mut self.sandbox, sandbox::Settings::TABLE)?;
        sources.apply(&mut self.templates, template::Settings::TABLE)?;
        sources.apply(&mut self.encoder, encode::Settings::TABLE)
    }
}

/// The key of a server, for its client; from the environment alone.
pub fn api_key() -> Result<Option<String>, ConfigError> {
    let flags = Flags::new();
    let mut settings = api::Settings::default();
    Sources::new(File::default(), &flags).apply(&mut settings, api::Settings::TABLE)?;
    Ok(settings.api_key)
}

struct Sources<'a> {
    file: File,
    flags: &'a Flags,
    warnings: Vec<String>,
}

#[derive(Default)]
struct File {
    path: PathBuf,
    /// `section.name` → value, as text.
    values: BTreeMap<String, String>,
    /// Names of today → what the file calls them.
    renamed: BTreeMap<String, String>,
}

impl<'a> Sources<'a> {
    fn new(mut file: File, flags: &'a Flags) -> Self {
        let warnings = file.rename_keys();
        Self {
            file,
            flags,
            warnings,
        }
    }

    fn apply<S>(&mut self, settings: &mut S, table: &[Setting<S>]) -> Result<(), ConfigError> {
        for setting in table {
            let from_file = self.file.values.remove(setting.key);
            let from_file = from_file.map(|value| (self.file.name_of(setting.key), value));
            let [long_variable, short_variable] = [
                Some(variable_name(setting.key)),
                setting.env.map(str::to_owned),
            ]
            .map(|name| name.and_then(|name| Some((variable(&name)?, name))))
            .map(|found| found.map(|(value, name)| (name, value)));
            let from_flag = self
                .flags
                .get(setting.key)
                .map(|(flag, value)| (flag.to_string(), value.clone()));
            // All are checked, so that a mistake does not hide behind another source.
            for (name, value) in [from_file, long_variable, short_variable, from_flag]
                .into_iter()
                .flatten()
            {
                if (setting.set)(settings, &value).is_none() {
                    return Err(ConfigError::BadValue {
                        name,
                        value: match SECRETS.contains(&setting.key) {
                            true => "…".to_owned(),
                            false => without_credentials(&value),
                        },
                        accepts: setting.accepts,
                    });
                }
            }
        }
        Ok(())
    }

    /// Fails if the file has settings that nobody has asked for.
    fn nothing_left(self) -> Result<Vec<String>, ConfigError> {
        match self.file.values.into_keys().next() {
            Some(key) => Err(ConfigError::Unknown {
                file: self.file.path,
                key,
            }),
            None => Ok(self.warnings),
        }
    }
}

/// Settings whose values no message repeats.
const SECRETS: [&str; 5] = [
    "jobs.database_url",
    "metrics.key",
    "server.api_key",
    "webhooks.previous_secret",
    "webhooks.secret",
];

/// A URL may hold a password, which no message repeats.
fn without_credentials(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else {
        return value.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}"),
        None => value.to_owned(),
    }
}

/// The variable of a setting: that of `jobs.time_limit` is `KINORA_JOBS_TIME_LIMIT`.
fn variable_name(key: &str) -> String {
    format!("KINORA_{}", key.replace('.', "_").to_uppercase())
}

/// A variable of the environment; an empty one counts as not set.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().into_owned();
    Some(value).filter(|value| !value.is_empty())
}

impl File {
    fn read(path: &Path) -> Result<Self, ConfigError> {
        let path = path.to_owned();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) => return Err(ConfigError::Unreadable { file: path, cause }),
        };
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let message = toml::de::Error::message(&error).replace('\n', " ");
                return Err(ConfigError::NotToml {
                    file: path,
                    message,
                });
            }
        };
        let mut values = BTreeMap::new();
        flatten("", &toml::Value::Table(table), &mut values);
        Ok(Self {
            path,
            values,
            renamed: BTreeMap::new(),
        })
    }

    /// A setting as it is written in the file.
    fn name_of(&self, key: &str) -> String {
        let name = self.renamed.get(key).map_or(key, String::as_str);
        format!("{}: {name}", self.path.display())
    }

    /// Gives settings of older versions their names of today, and says so.
    fn rename_keys(&mut self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (old, new) in RENAMED_KEYS {
            if let Some(value) = self.values.remove(*old) {
                if !self.values.contains_key(*new) {
                    self.values.insert((*new).to_owned(), value);
                    self.renamed.insert((*new).to_owned(), (*old).to_owned());
                }
                let file = self.path.display();
                warnings.push(format!(
                    "{file}: {old} is called {new} now; the old name goes with the next version"
                ));
            }
        }
        warnings
    }
}

/// Tables become dotted keys, and lists texts with commas, as they are in the environment.
fn flatten(key: &str, value: &toml::Value, values: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                let key = if key.is_empty() {
                    name.clone()
                } else {
                    format!("{key}.{name}")
                };
                flatten(&key, value, values);
            }
        }
        value => drop(values.insert(key.to_owned(), as_text(value))),
    }
}

fn as_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(as_text).collect::<Vec<_>>().join(","),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(truth) => truth.to_string(),
        toml::Value::Datetime(moment) => moment.to_string(),
        // Tables stand in no list of settings.
        toml::Value::Table(_) => String::new(),
    }
}
