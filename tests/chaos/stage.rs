//! A deployment: its services, and what is beside them.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::disk::Disk;
use crate::ledger::Ledger;
use crate::servers::link::Link;
use crate::servers::postgres::Postgres;
use crate::servers::proxy::FaultProxy;
use crate::support::bucket::{own_s3, seaweedfs};
use crate::support::host::Host;
use crate::support::machine_clock::MachineClock;
use crate::support::photos::PhotoServer;
use crate::support::service::{Service, Setup};
use crate::syscall;

const RETRIES: &str = "0s,300ms,1s,2s,2s,2s,2s,4s,4s,4s,8s,8s,8s,8s,8s,8s";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deployment {
    /// One service with a job store of its own, and videos on the same small disk.
    Alone,
    /// The same, with videos in a bucket.
    Bucket,
    /// Two nodes with one PostgreSQL and one bucket.
    Cluster,
}

impl Deployment {
    pub const ALL: [Self; 3] = [Self::Alone, Self::Bucket, Self::Cluster];
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Alone => "one service, videos on its disk",
            Self::Bucket => "one service, videos in a bucket",
            Self::Cluster => "two nodes, PostgreSQL and a bucket",
        })
    }
}

pub struct Stage {
    services: Vec<Service>,
    pub bases: Arc<Mutex<Vec<String>>>,
    pub ledger: Ledger,
    pub receiver: Host,
    pub photos: PhotoServer,
    pub clock: MachineClock,
    pub disk: Option<Disk>,
    /// What is between the services and the bucket.
    pub bucket: Option<FaultProxy>,
    pub database: Option<DatabaseServer>,
    pub can_be_traced: bool,
    /// The commands of those that were killed or frozen.
    pub hit_encoders: HashSet<String>,
}

/// A server, and what is between the services and it.
pub struct DatabaseServer {
    /// `None` while it is down.
    pub server: Option<Postgres>,
    pub link: Link,
}

impl Stage {
    pub async fn start(deployment: Deployment) -> Self {
        let (clock, ledger) = (MachineClock::right(), Ledger::new());
        let received = ledger.clone();
        let mut stage = Self {
            services: Vec::new(),
            bases: Arc::default(),
            receiver: Host::start(move |request, body| received.clone().receive(request, body)),
            ledger,
            photos: PhotoServer::start(),
            clock,
            disk: None,
            bucket: None,
            database: None,
            can_be_traced: false,
            hit_encoders: HashSet::new(),
        };
        let usual = stage.usual();
        let setups = match deployment {
            Deployment::Alone => {
                let disk = stage.disk.insert(Disk::new());
                vec![usual.env("KINORA_DATA_DIR", disk.path().display().to_string())]
            }
            Deployment::Bucket => vec![stage.with_bucket(usual)],
            Deployment::Cluster => stage.nodes().await,
        };
        for setup in setups {
            stage.services.push(setup.start().await);
        }
        stage.tell_addresses();
        stage.can_be_traced = syscall::can_be_traced(stage.services[0].pid());
        stage
    }

    fn usual(&self) -> Setup {
        self.clock
            .of(Setup::new())
            // Else all videos but the first would be copies of it.
            .env("KINORA_CACHE_VIDEOS", "false")
            // So that what is refused is refused for a fault.
            .env("MAX_QUEUE_LENGTH", "1000")
            .env("KINORA_STORAGE_MIN_FREE", "16 MB")
            .env("KINORA_WEBHOOK_RETRIES", RETRIES)
            .env("KINORA_WEBHOOKS_TIMEOUT", "3s")
    }

    fn with_bucket(&mut self, setup: Setup) -> Setup {
        let proxy = self
            .bucket
            .get_or_insert_with(|| FaultProxy::start(seaweedfs().port()));
        own_s3(setup, "chaos").env("AWS_ENDPOINT_URL", proxy.endpoint())
    }

    async fn nodes(&mut self) -> Vec<Setup> {
        let server = tokio::task::spawn_blocking(Postgres::start).await;
        let server = server.expect("a server");
        let database = server.database().await;
        let link = Link::to(database.port());
        let url = database.url_by(link.port());
        self.database = Some(DatabaseServer {
            server: Some(server),
            link,
        });
        let node = |name| {
            let setup = self.usual();
            let setup = self.with_bucket(setup);
            setup.env("DATABASE_URL", &url).env("KINORA_NODE", name)
        };
        ["a", "b"].map(node).into()
    }

    pub fn services(&self) -> &[Service] {
        &self.services
    }

    pub fn pids(&self) -> Vec<u32> {
        self.services.iter().map(Service::pid).collect()
    }

    /// Where a service writes.
    pub fn data(&self, service: &Service) -> PathBuf {
        match &self.disk {
            Some(disk) => disk.path().to_owned(),
            None => service.setup().data(),
        }
    }

    /// Kills a service, unless it is dead, and starts it again.
    pub async fn kill_and_restart(&mut self, n: usize) {
        let service = self.services.remove(n);
        let service = service.kill_and_restart().await;
        self.services.insert(n, service);
        self.tell_addresses();
    }

    fn tell_addresses(&self) {
        let addresses = self.services.iter().map(|service| service.url(""));
        *self.bases.lock().expect("addresses") = addresses.collect();
    }
}
