//! A small server in the test's process, on a free port.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::wire::{Exchange, converse};

/// It has threads of its own, so that it goes on whatever the test's runtime does. Drop it to end it.
pub struct Listener {
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Listener {
    pub fn start(server: Arc<impl Exchange>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("the port");
        listener.set_nonblocking(true).expect("a listener");
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            loop {
                // Err: the client has left already.
                if let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(converse(client, server.clone()));
                }
            }
        });
        Self {
            address,
            runtime: Some(runtime),
        }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Without waiting, which is not allowed on a runtime's thread.
            runtime.shutdown_background();
        }
    }
}
