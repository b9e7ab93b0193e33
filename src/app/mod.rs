//! The composition root: builds every part of the service, starts them in order and stops them in
//! order.

mod check;
mod data_dir;
mod keys;
mod node;
mod panics;
mod signals;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use log::{info, warn};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

pub use check::check;
pub use panics::log_panics;
pub use signals::StopSignals;

use crate::api::{self, FreeSpace, Role, Service};
use crate::config::Config;
use crate::encode::Encoder;
use crate::jobs::postgres::{self, PostgresBackend};
use crate::jobs::sqlite::{SqliteBackend, StoreError};
use crate::jobs::{Backend, BackendError, Jobs, Retention, Storing, WebhookSource, Workers};
use crate::listing::template::{TemplateError, Templates};
use crate::net::{ClientError, Net};
use crate::pipeline::{Pipeline, Publisher};
use crate::sandbox::Sandbox;
use crate::storage::{Location, ServiceUrl, SettingsError, Storages};
use crate::titles::Fonts;
use crate::webhooks::{self, WebhookSender};
use data_dir::DataDir;

/// For answers to be sent, once the last job is done.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the service did not start. Says what to do about it, in one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the data directory {} cannot be used: {cause}", .path.display())]
    DataDir { path: PathBuf, cause: io::Error },
    #[error("the data directory {} is in use by another kinora", .0.display())]
    InUse(PathBuf),
    #[error("cannot listen on {address}: {cause}")]
    Bind {
        address: SocketAddr,
        cause: io::Error,
    },
    #[error("{}", crate::errors::chain(.0))]
    Store(#[from] StoreError),
    #[error("{}", crate::errors::chain(.0))]
    Backend(#[from] BackendError),
    #[error(transparent)]
    Storage(#[from] SettingsError),
    #[error("the HTTP client cannot be set up: {}; is the package ca-certificates installed?", crate::errors::chain(.0))]
    Net(#[source] ClientError),
    #[error("the service cannot be started: {0}")]
    System(#[from] io::Error),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error("{}; check DATABASE_URL", crate::errors::chain(.0))]
    Postgres(#[from] postgres::StoreError),
    #[error("KINORA_ROLE needs DATABASE_URL: without it, one node does everything")]
    AloneWithRole,
    #[error("with DATABASE_URL, {0} must be set: it has to be the same on all nodes")]
    NotShared(&'static str),
    #[error(
        "with DATABASE_URL, storage.url (KINORA_STORAGE_URL) must name a storage that all nodes reach, such as \
         s3://bucket: the data directory is on one machine"
    )]
    StorageNotShared,
    #[error("{} holds no usable key; remove it to have a new one made", .0.display())]
    BadKeyFile(PathBuf),
}

/// Runs the service until it is told to stop.
pub async fn serve(config: Config) -> Result<(), StartError> {
    for warning in &config.warnings {
        warn!("{warning}");
    }
    node::check(&config)?;
    let mut stop_signals = StopSignals::new()?;
    let data = DataDir::open(&config.storage.data_dir)?;
    let templates = Templates::load(config.templates.directory.as_deref())?;
    let fonts = Arc::new(Fonts::new(config.templates.directory.as_deref()));
    // Loads the fonts; the bundled templates need no check.
    if config.templates.directory.is_some() {
        for template in templates.iter() {
            let warning = fonts.missing_warning(&template.name, template.fonts());
            warning.inspect(|warning| warn!("{warning}"));
        }
    }
    let net = Net::new(&config.net).map_err(StartError::Net)?;
    let backend = tokio::select! {
        opened = open_backend(&config, &data) => opened?,
        () = stop_signals.next() => {
            info!("stopped before the job store was open");
            return Ok(());
        }
    };
    // Not earlier: nobody is to wait for an answer meanwhile.
    let listener = listen(config.server.bind)?;
    let address = listener.local_addr()?;
    let public_url = config
        .server
        .public_url
        .clone()
        .unwrap_or_else(|| local_url(address));
    let storages = open_storages(&config, &data, &public_url)?;
    let publisher = Publisher {
        pipeline: Pipeline {
            storages: Some(storages.clone()),
            runtime: Handle::current(),
            net: net.clone(),
            sandbox: Sandbox::start(&config.sandbox, config.picture, Handle::current())?,
            fonts,
            encoder: Encoder::new(&config.encoder, Handle::current()),
        },
        storages,
        work_dir: data.work(),
        unstored_dir: data.unstored(),
    };
    let storing = Storing::new(
        publisher.clone(),
        config.storage.patience,
        webhooks::lifetime(&config.webhooks),
    );
    let webhook_source = WebhookSource {
        print: api::webhook_body,
        delay: config.webhooks.retries.first().copied().unwrap_or_default(),
    };
    let node = node::name(&config);
    let jobs = Jobs::new(backend.clone(), webhook_source, node.clone());

    let api_key = keys::api_key(&config, &data, address)?;
    let secret = keys::webhook_secret(&config, &data)?;
    let sender = WebhookSender::new(backend.clone(), net.clone(), secret, &config.webhooks);
    let sending = CancellationToken::new();
    let sender = tokio::spawn(sender.run(sending.clone()));
    let retention = Retention::new(jobs.clone(), publisher.clone(), &config.jobs);
    let sweeping = CancellationToken::new();
    let sweeper = tokio::spawn(retention.run(sweeping.clone()));
    jobs.store_what_is_left(&storing).await?;
    let workers = match config.server.role {
        Role::Api => None,
        Role::All | Role::Worker => Some(Workers::start(&jobs, &storing, &config.jobs)?),
    };
    let service = Data::new(Service::new(
        jobs.clone(),
        templates,
        net,
        publisher,
        api_key,
        FreeSpace::new(written_directories(&config, &data), config.storage.min_free),
        &config.server,
    ));
    let checked = service.clone();
    tokio::spawn(service.clone().into_inner().watch());
    let (server, connections) = api::server(listener, service, &config.server, DRAIN_TIMEOUT)?;
    let server_handle = server.handle();
    let server = tokio::spawn(server);

    log_startup(&public_url, address);
    if config.server.role != Role::Worker {
        info!("the page to try it is at {}/", public_url);
    }
    if config.jobs.database_url.is_some() {
        info!("this is node {node}, which shares its jobs with others");
    }
    // Logs what it finds.
    tokio::spawn(async move { checked.readiness.check().await });

    stop_signals.next().await;
    info!(
        "stopping: no new jobs; running ones have {:?} to finish",
        config.server.stop_grace
    );
    jobs.close();
    tokio::select! {
        () = wind_down(&jobs, workers, &storing, config.server.stop_grace) => {}
        () = stop_signals.next() => {
            warn!("stopped at once; unfinished jobs are kept for the next start");
            std::process::exit(0);
        }
    }
    connections.close_idle();
    server_handle.stop(true).await;
    server.abort();
    sending.cancel();
    sweeping.cancel();
    // Err: it panicked, and has been logged.
    let _ = sweeper.await;
    // Err: a receiver takes its time, and what was sent to it is sent once more.
    let _ = tokio::time::timeout(config.webhooks.timeout, sender).await;
    backend.shut_down().await;
    info!("stopped");
    Ok(())
}

/// The place for jobs that the settings name.
async fn open_backend(config: &Config, data: &DataDir) -> Result<Arc<dyn Backend>, StartError> {
    let bounds = config.jobs.bounds();
    let Some(url) = &config.jobs.database_url else {
        let backend = SqliteBackend::open(&data.job_store(), bounds).await?;
        return Ok(Arc::new(backend));
    };
    let settings = postgres::Settings {
        url: url.clone(),
        holder: data.id()?,
        bounds,
        lease: postgres::LEASE,
        webhook_timeout: config.webhooks.timeout,
    };
    Ok(Arc::new(PostgresBackend::open(settings).await?))
}

/// The place for videos that the settings name.
fn open_storages(
    config: &Config,
    data: &DataDir,
    public_url: &str,
) -> Result<Storages, SettingsError> {
    let service = ServiceUrl {
        base: format!("{public_url}/videos"),
        is_set: config.server.public_url.is_some(),
    };
    Storages::open(&config.storage, data.videos(), service)
}

/// On the disks of this machine.
fn written_directories(config: &Config, data: &DataDir) -> Vec<PathBuf> {
    let mut directories = vec![data.work()];
    match &config.storage.location {
        Some(Location::Directory(videos)) => directories.push(videos.clone()),
        Some(Location::Bucket(_)) => {}
        None => directories.push(data.videos()),
    }
    directories
}

/// Lets running jobs finish and their videos be stored. After the grace time, the jobs go back, and
/// the videos are left for the next start.
async fn wind_down(jobs: &Jobs, workers: Option<Workers>, storing: &Storing, grace: Duration) {
    let joined = tokio::task::spawn_blocking(move || workers.map(Workers::join));
    let mut ended = pin!(async {
        // Err: it panicked, and has been logged.
        let _ = joined.await;
        storing.finished().await;
        // For those who wait for jobs of other nodes.
        jobs.answered().await;
    });
    if tokio::time::timeout(grace, &mut ended).await.is_err() {
        jobs.interrupt();
        // A job that does not notice, deep in a decoder, is taken back by the next start.
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, ended).await;
    }
    // For requests that have come since.
    jobs.interrupt();
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address);
    bound.map_err(|cause| StartError::Bind { address, cause })
}

fn local_url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

fn log_startup(public_url: &str, address: SocketAddr) {
    info!(
        "Kinora {} listening on http://{address}",
        env!("CARGO_PKG_VERSION")
    );
    if address.ip().is_unspecified() && public_url.starts_with("http://localhost") {
        warn!(
            "video addresses begin with {public_url}; set KINORA_PUBLIC_URL to what clients can reach"
        );
    }
}
