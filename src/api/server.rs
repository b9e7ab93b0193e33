//! The HTTP server: Actix, on connections of our own.

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive};
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use actix_web::{App, Error};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use super::connections::{
    ClientStream, Connections, Timeouts, closing_answer, exchange, for_connections,
};
use super::error_form::in_dialect;
use super::telemetry::observe;
use super::{Service, Settings, mount};

/// The logger of Actix that calls every malformed request of a stranger an error.
pub const NOISY_LOGGER: &str = "actix_http::h1::dispatcher";

/// Between two requests of a connection.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// For a client that is answered while it still sends: to hear of it, before it is cut off.
const LINGER: Duration = Duration::from_secs(2);

/// For a client for whom there is no place to hear of it.
const TURN_AWAY_TIMEOUT: Duration = Duration::from_millis(500);

/// Clients that are told at once that there is no place; others are closed without a word.
const TURNED_AWAY: usize = 64;

/// Serves on `listener` until it is stopped by its handle; open requests have the `drain_timeout` to end. Tells the connections as well.
pub fn server(
    listener: TcpListener,
    service: Data<Service>,
    settings: &Settings,
    drain_timeout: Duration,
) -> io::Result<(Server, Connections)> {
    let address = listener.local_addr()?;
    let timeouts = Timeouts {
        head: settings.request_timeout,
        keep_alive: KEEP_ALIVE,
        write: settings.write_timeout,
        linger: LINGER,
    };
    let max = settings.max_connections.min(for_connections());
    let connections = Connections::new(max, settings.max_connections_per_address);
    let all = connections.clone();
    let turning_away = Arc::new(Semaphore::new(TURNED_AWAY));
    let builder = Server::build()
        .disable_signals()
        .shutdown_timeout(drain_timeout.as_secs());
    let bound = builder.listen("http", listener, move || {
        let app = App::new()
            .wrap(from_fn(in_dialect))
            .wrap(from_fn(observe))
            .wrap(from_fn(exchange))
            .configure(mount(service.clone()))
            .into_factory();
        let app = app.map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            // The stream waits for requests, also while the end of an answer is still being sent.
            .client_request_timeout(Duration::ZERO)
            .keep_alive(KeepAlive::Os)
            .client_disconnect_timeout(LINGER)
            .on_connect_ext(|stream: &ClientStream, data| {
                data.insert(stream.place().clone());
            })
            .local_addr(address)
            .h1(map_config(app, |_| AppConfig::default()));
        let (connections, turning_away) = (connections.clone(), turning_away.clone());
        let connection = move |stream: TcpStream| {
            let (connections, turning_away) = (connections.clone(), turning_away.clone());
            async move {
                let peer = stream.peer_addr().ok();
                let Some(place) = connections.take(peer.map(|peer| peer.ip())) else {
                    if let Ok(_permit) = turning_away.try_acquire() {
                        turn_away(stream).await;
                    }
                    return Err(DispatchError::Io(ErrorKind::ConnectionRefused.into()));
                };
                Ok((ClientStream::new(stream, place, timeouts), peer))
            }
        };
        fn_service(connection).and_then(http)
    });
    Ok((bound?.run(), all))
}

/// Answers a client for whom there is no place.
async fn turn_away(mut stream: TcpStream) {
    let body = json!({"message": "There are too many connections; try again later"});
    let bytes = closing_answer("503 Service Unavailable", "retry-after: 1\r\n", &body);
    let answer = async {
        stream.write_all(&bytes).await?;
        stream.shutdown().await?;
        // What it has sent is taken, or the system would break the answer off.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    // Err: it has gone, or goes on sending.
    let _ = tokio::time::timeout(TURN_AWAY_TIMEOUT, answer).await;
}
