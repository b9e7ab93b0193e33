//! The HTTP server: Actix, on a stream that gives its bare errors a body.

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use actix_web::{App, Error};
use tokio::io::AsyncWriteExt;

use super::bare_errors::BareErrors;
use super::client_stream::ClientStream;
use super::connections::Connections;
use super::descriptors;
use super::error_form::in_dialect;
use super::{Service, Settings, routes};

/// The logger of Actix that calls every malformed request of a stranger an error.
pub const NOISY_LOGGER: &str = "actix_http::h1::dispatcher";

/// For a client for whom there is no place to hear of it.
const TURN_AWAY_TIMEOUT: Duration = Duration::from_millis(500);

/// Serves on `listener` until it is stopped by its handle; open requests have the `drain_timeout` to end.
pub fn server(
    listener: TcpListener,
    service: Data<Service>,
    settings: &Settings,
    drain_timeout: Duration,
) -> io::Result<Server> {
    let address = listener.local_addr()?;
    let request_timeout = settings.request_timeout;
    let write_timeout = settings.write_timeout;
    let max = settings.max_connections.min(descriptors::for_connections());
    let connections = Connections::new(max, settings.max_connections_per_address);
    let builder = Server::build()
        .disable_signals()
        .shutdown_timeout(drain_timeout.as_secs());
    let bound = builder.listen("http", listener, move || {
        let app = App::new()
            .wrap(from_fn(in_dialect))
            .configure(routes(service.clone()))
            .into_factory();
        let app = app.map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            .client_request_timeout(request_timeout)
            // An answered client that goes on sending is closed after this time.
            .client_disconnect_timeout(request_timeout)
            .local_addr(address)
            .h1(map_config(app, |_| AppConfig::default()));
        let connections = connections.clone();
        let connection = move |stream: TcpStream| {
            let connections = connections.clone();
            async move {
                let peer = stream.peer_addr().ok();
                let Some(place) = connections.take(peer.map(|peer| peer.ip())) else {
                    turn_away(stream).await;
                    return Err(DispatchError::Io(ErrorKind::ConnectionRefused.into()));
                };
                Ok((
                    BareErrors::new(ClientStream::new(stream, place, write_timeout)),
                    peer,
                ))
            }
        };
        fn_service(connection).and_then(http)
    });
    Ok(bound?.run())
}

/// Answers a client for whom there is no place.
async fn turn_away(mut stream: TcpStream) {
    const BODY: &str = r#"{"message":"There are too many connections; try again later"}"#;
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: {}\r\nconnection: close\r\n\
         content-type: application/json\r\nretry-after: 1\r\n\r\n",
        BODY.len()
    );
    let answer = async {
        stream.write_all((head + BODY).as_bytes()).await?;
        stream.shutdown().await?;
        // What it has sent is taken, or the system would break the answer off.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    // Err: it has gone, or goes on sending.
    let _ = tokio::time::timeout(TURN_AWAY_TIMEOUT, answer).await;
}
