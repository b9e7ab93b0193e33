//! A network between a client and a server, which can swallow everything.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Forwards TCP connections to a port of this machine.
pub struct Link {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_cut: AtomicBool,
    /// Connections that are older than this number of losses carry nothing any more.
    losses: AtomicUsize,
}

impl State {
    fn losses(&self) -> usize {
        self.losses.load(Ordering::SeqCst)
    }

    fn wait_while_cut(&self) {
        while self.is_cut.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Link {
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("the port").port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        // Ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = shared.clone();
                thread::spawn(move || forward(client, server, &state));
            }
        });
        Self { port, state }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing arrives, in either direction, and nobody is told.
    pub fn cut(&self) {
        self.state.is_cut.store(true, Ordering::SeqCst);
    }

    pub fn mend(&self) {
        self.state.is_cut.store(false, Ordering::SeqCst);
    }

    /// The connections of this moment carry nothing any more, and nobody is told. New ones do.
    pub fn lose(&self) {
        self.state.losses.fetch_add(1, Ordering::SeqCst);
    }
}

fn forward(client: TcpStream, server: u16, state: &Arc<State>) {
    state.wait_while_cut();
    let began = state.losses();
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
        return;
    };
    let (Ok(client_again), Ok(server_again)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let shared = state.clone();
    thread::spawn(move || pump(server_again, client_again, began, &shared));
    pump(client, server, began, state);
}

/// Until one of them ends the connection.
fn pump(mut from: TcpStream, mut to: TcpStream, began: usize, state: &State) {
    let mut bytes = [0; 16 << 10];
    loop {
        let count = match from.read(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        // Neither what was sent meanwhile nor the end of a connection gets through.
        state.wait_while_cut();
        let is_lost = state.losses() > began;
        if !is_lost && to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    state.wait_while_cut();
    if state.losses() > began {
        // Open for as long as the test runs.
        std::mem::forget((from, to));
        return;
    }
    // Err: it has ended already.
    let _ = to.shutdown(std::net::Shutdown::Both);
}
