//! A network between a client and a server, which can swallow everything.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Forwards TCP connections to a port of this machine.
pub struct Link {
    port: u16,
    is_cut: Arc<AtomicBool>,
}

impl Link {
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("the port").port();
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = is_cut.clone();
        // Ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let cut = cut.clone();
                thread::spawn(move || forward(client, server, &cut));
            }
        });
        Self { port, is_cut }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing arrives, in either direction, and nobody is told.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
    }

    pub fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

fn forward(client: TcpStream, server: u16, cut: &Arc<AtomicBool>) {
    wait_while(cut);
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
        return;
    };
    let (Ok(client_again), Ok(server_again)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let also_cut = cut.clone();
    thread::spawn(move || pump(server_again, client_again, &also_cut));
    pump(client, server, cut);
}

/// Until one of them ends the connection.
fn pump(mut from: TcpStream, mut to: TcpStream, cut: &AtomicBool) {
    let mut bytes = [0; 16 << 10];
    loop {
        let count = match from.read(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        // Neither what was sent meanwhile nor the end of a connection gets through.
        wait_while(cut);
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    wait_while(cut);
    // Err: it has ended already.
    let _ = to.shutdown(std::net::Shutdown::Both);
}

fn wait_while(cut: &AtomicBool) {
    while cut.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(10));
    }
}
