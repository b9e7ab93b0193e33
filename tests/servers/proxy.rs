//! A proxy in front of a server, which breaks what a test wants broken.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, Interest, sink};
use tokio::net::tcp::ReadHalf;
use tokio::sync::watch;

use super::listener::Listener;
pub use super::wire::Request;
use super::wire::{Exchange, Head, Reader, Share, Writer, broken, connect, pass};

const STEP: Duration = Duration::from_millis(20);

/// What is done with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Pass,
    /// Answers in the server's place, once the request has been read.
    Answer(u16, String),
    /// Passes half of the request's body on, then breaks both connections.
    ResetMidway,
    /// Passes half of the answer's body on, then breaks both connections.
    CutAnswer,
    /// Passes the request on and reads the answer to its end, but breaks the connection instead of
    /// passing the answer on.
    LoseAnswer,
    /// Does nothing until the client leaves. When the rule is replaced, it is asked again.
    Hang,
}

/// A request that came, and what was done with it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub request: Request,
    pub action: Action,
    /// The status of the server's answer, once there is one.
    pub status: Option<u16>,
}

type Rule = Box<dyn FnMut(&Request) -> Action + Send>;

/// A proxy on a port of its own. It changes neither requests nor answers, so signatures stay true.
pub struct FaultProxy {
    listener: Listener,
    shared: Arc<Shared>,
}

impl FaultProxy {
    /// In front of the server on this port, passing everything on.
    pub fn start(upstream: u16) -> Self {
        let shared = Arc::new(Shared {
            upstream,
            rule: Mutex::new(Box::new(|_| Action::Pass)),
            changes: watch::Sender::new(()),
            refusing: watch::Sender::new(false),
            seen: Mutex::default(),
        });
        let listener = Listener::start(shared.clone());
        Self { listener, shared }
    }

    pub fn endpoint(&self) -> String {
        self.listener.endpoint()
    }

    pub fn port(&self) -> u16 {
        self.listener.port()
    }

    /// Says what is done with each request from now on, and with those that hang.
    pub fn rule(&self, rule: impl FnMut(&Request) -> Action + Send + 'static) {
        *lock(&self.shared.rule) = Box::new(rule);
        self.shared.changes.send_replace(());
    }

    /// Breaks the connections that carry a request, the others at their next one, and new ones at once.
    pub fn refuse(&self) {
        self.shared.refusing.send_replace(true);
    }

    pub fn accept(&self) {
        self.shared.refusing.send_replace(false);
    }

    /// The requests since the start, or since they were forgotten.
    pub fn seen(&self) -> Vec<Seen> {
        let seen = lock(&self.shared.seen);
        seen.iter().map(|entry| lock(entry).clone()).collect()
    }

    pub fn forget(&self) {
        lock(&self.shared.seen).clear();
    }
}

type Entry = Arc<Mutex<Seen>>;

struct Shared {
    upstream: u16,
    rule: Mutex<Rule>,
    changes: watch::Sender<()>,
    refusing: watch::Sender<bool>,
    seen: Mutex<Vec<Entry>>,
}

impl Exchange for Shared {
    fn admits(&self) -> bool {
        !*self.refusing.borrow()
    }

    async fn exchange(
        &self,
        head: Head,
        read: &mut Reader<'_>,
        write: &mut Writer<'_>,
    ) -> io::Result<bool> {
        let mut refusing = self.refusing.subscribe();
        tokio::select! {
            biased;
            _ = refusing.wait_for(|refusing| *refusing) => Err(broken()),
            end = self.serve(head, read, write) => end,
        }
    }
}

impl Shared {
    async fn serve(
        &self,
        head: Head,
        read: &mut Reader<'_>,
        write: &mut Writer<'_>,
    ) -> io::Result<bool> {
        let (action, entry) = self.decide(head.request()?, read.get_ref()).await?;
        let tell = |status| lock(&entry).status = Some(status);
        match action {
            Action::Pass => pass(self.upstream, &head, read, write, Share::Whole, tell).await,
            Action::CutAnswer => {
                pass(self.upstream, &head, read, write, Share::Half, tell).await?;
                Err(broken())
            }
            Action::LoseAnswer => {
                let nowhere = &mut sink();
                pass(self.upstream, &head, read, nowhere, Share::Whole, tell).await?;
                Err(broken())
            }
            Action::ResetMidway => {
                let mut upstream = connect(self.upstream).await?;
                upstream.write_all(&head.bytes).await?;
                head.request_body()?.copy_half(read, &mut upstream).await?;
                Err(broken())
            }
            Action::Answer(status, text) => {
                head.request_body()?.copy(read, &mut sink()).await?;
                let answer = answer(status, &text, head.asks_for_head());
                write.write_all(&answer).await?;
                Ok(true)
            }
            Action::Hang => Err(broken()),
        }
    }

    /// Asks the rule, again when it is replaced while the request hangs.
    async fn decide(&self, request: Request, client: &ReadHalf<'_>) -> io::Result<(Action, Entry)> {
        // Before the rule is asked, so that no replacement is missed.
        let mut changes = self.changes.subscribe();
        let mut action = lock(&self.rule)(&request);
        let entry = self.record(&request, &action);
        while action == Action::Hang {
            tokio::select! {
                () = left(client) => return Err(broken()),
                _ = changes.changed() => {}
            }
            // A client that has just given up closes its connection a moment later.
            if tokio::time::timeout(2 * STEP, left(client)).await.is_ok() {
                return Err(broken());
            }
            action = lock(&self.rule)(&request);
            lock(&entry).action = action.clone();
        }
        Ok((action, entry))
    }

    fn record(&self, request: &Request, action: &Action) -> Entry {
        let seen = Seen {
            request: request.clone(),
            action: action.clone(),
            status: None,
        };
        let entry = Arc::new(Mutex::new(seen));
        lock(&self.seen).push(entry.clone());
        entry
    }
}

/// A rule that panicked is no reason to fail elsewhere as well.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until the client has closed the connection, without reading what it may have sent.
async fn left(client: &ReadHalf<'_>) {
    loop {
        match client.ready(Interest::READABLE).await {
            Ok(ready) if !ready.is_read_closed() => tokio::time::sleep(STEP).await,
            _ => return,
        }
    }
}

fn answer(status: u16, text: &str, bodiless: bool) -> Vec<u8> {
    let length = text.len();
    let text = if bodiless { "" } else { text };
    let head = format!("HTTP/1.1 {status} Fault\r\nContent-Type: application/xml\r\n");
    format!("{head}Content-Length: {length}\r\n\r\n{text}").into_bytes()
}
