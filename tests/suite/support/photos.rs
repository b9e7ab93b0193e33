//! A server of photos, good and bad, that can be held at a gate.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use tokio::sync::watch;

use super::host::Host;
use super::{picture, wait};

/// What the server does when asked for a path.
#[derive(Clone)]
pub enum Photo {
    Bytes(&'static str, Bytes),
    Status(u16),
    /// With the status, to the address.
    Redirect(u16, String),
    /// Held until the gate is open.
    Gated(Gate, Bytes),
    /// Announces more bytes than it sends.
    BrokenOff(Bytes),
    /// A byte now and then, without end.
    Trickle,
    /// This many bytes, announced or not.
    Flood {
        bytes: u64,
        announced: bool,
    },
}

/// Holds requests until it is opened, once and for all.
#[derive(Clone)]
pub struct Gate {
    open: watch::Sender<bool>,
    arrived: Arc<AtomicUsize>,
}

impl Gate {
    pub fn new() -> Self {
        Self {
            open: watch::Sender::new(false),
            arrived: Arc::default(),
        }
    }

    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Waits until this many requests have come to the gate, all in all.
    pub async fn arrived(&self, count: usize) {
        let what = format!("{count} requests stand at the gate");
        wait::until(&what, || (self.count() >= count).then_some(())).await;
    }

    pub fn count(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }

    async fn pass(&self) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let mut open = self.open.subscribe();
        // Err: the test is over.
        let _ = open.wait_for(|open| *open).await;
    }
}

#[derive(Default)]
struct PhotoFiles {
    photos: HashMap<String, Photo>,
    asked: HashMap<String, usize>,
}

pub struct PhotoServer {
    host: Host,
    files: Arc<Mutex<PhotoFiles>>,
}

impl PhotoServer {
    pub fn start() -> Self {
        let files: Arc<Mutex<PhotoFiles>> = Arc::default();
        let shared = files.clone();
        let host = Host::start(move |request, _| answer(shared.clone(), request));
        Self { host, files }
    }

    /// Puts a photo at a path that begins with a slash, and tells its URL.
    pub fn put(&self, path: &str, photo: Photo) -> String {
        self.files
            .lock()
            .unwrap()
            .photos
            .insert(path.to_owned(), photo);
        self.host.url(path)
    }

    /// A small picture that makes a landscape video.
    pub fn small(&self) -> String {
        self.put("/small.png", Photo::Bytes("image/png", picture::small()))
    }

    /// The same, held at a gate.
    pub fn gated(&self, path: &str, gate: &Gate) -> String {
        self.put(path, Photo::Gated(gate.clone(), picture::small()))
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.files
            .lock()
            .unwrap()
            .asked
            .get(path)
            .copied()
            .unwrap_or(0)
    }

    pub fn url(&self, path: &str) -> String {
        self.host.url(path)
    }

    pub fn port(&self) -> &str {
        self.host.port()
    }
}

async fn answer(files: Arc<Mutex<PhotoFiles>>, request: HttpRequest) -> HttpResponse {
    let photo = {
        let mut files = files.lock().unwrap();
        *files.asked.entry(request.path().to_owned()).or_default() += 1;
        files.photos.get(request.path()).cloned()
    };
    let Some(photo) = photo else {
        return HttpResponse::NotFound().body("no such photo");
    };
    match photo {
        Photo::Bytes(kind, bytes) => HttpResponse::Ok().content_type(kind).body(bytes),
        Photo::Status(status) => HttpResponse::build(code(status)).finish(),
        Photo::Redirect(status, target) => HttpResponse::build(code(status))
            .insert_header((LOCATION, target))
            .finish(),
        Photo::Gated(gate, bytes) => {
            gate.pass().await;
            HttpResponse::Ok().content_type("image/png").body(bytes)
        }
        Photo::BrokenOff(bytes) => broken_off(bytes),
        Photo::Trickle => HttpResponse::Ok().streaming(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, io::Error>(Bytes::from_static(b"x")), ()))
        })),
        Photo::Flood { bytes, announced } => flood(bytes, announced),
    }
}

fn broken_off(bytes: Bytes) -> HttpResponse {
    let announced = bytes.len() as u64 * 2;
    let chunks = stream::unfold(Some(bytes), |bytes| async {
        if bytes.is_none() {
            // What has been said is sent while the stream has nothing to say.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let chunk = bytes.ok_or_else(|| io::Error::other("broken off on purpose"));
        Some((chunk, None))
    });
    HttpResponse::Ok().body(SizedStream::new(announced, chunks))
}

fn flood(bytes: u64, announced: bool) -> HttpResponse {
    const CHUNK: u64 = 64 << 10;
    let chunk = Bytes::from(vec![0; CHUNK as usize]);
    let chunks = stream::iter((0..bytes / CHUNK).map(move |_| Ok::<_, io::Error>(chunk.clone())));
    if announced {
        HttpResponse::Ok().body(SizedStream::new(bytes / CHUNK * CHUNK, chunks))
    } else {
        HttpResponse::Ok().streaming(chunks)
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("an HTTP status")
}
