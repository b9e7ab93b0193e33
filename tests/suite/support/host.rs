//! A small HTTP server beside the service: one handler, port 0, stopped on drop.

use std::net::TcpListener;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};

pub struct Host {
    base: String,
    server: ServerHandle,
}

impl Host {
    /// Answers every request with `handler`, which gets the body as well. Must be called in a runtime.
    pub fn start<H, F>(handler: H) -> Self
    where
        H: Fn(HttpRequest, Bytes) -> F + Clone + Send + 'static,
        F: Future<Output = HttpResponse> + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("the port");
        let server = HttpServer::new(move || {
            let handler = handler.clone();
            App::new().default_service(web::to(move |request: HttpRequest, body: Bytes| {
                handler(request, body)
            }))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .listen(listener)
        .expect("a listening server")
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            base: format!("http://{address}"),
            server: handle,
        }
    }

    /// `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn port(&self) -> &str {
        self.base.rsplit(':').next().unwrap_or_default()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The command is sent at once; its future only waits for the end.
        drop(self.server.stop(false));
    }
}
