//! The HTTP server: Actix, on a stream that gives its bare errors a body.

use std::io;
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

use super::bare_errors::BareErrors;
use super::error_form::in_dialect;
use super::{Service, Settings, routes};

/// Serves on `listener` until it is stopped by its handle; open requests have the `drain_timeout` to end.
pub fn server(
    listener: TcpListener,
    service: Data<Service>,
    settings: &Settings,
    drain_timeout: Duration,
) -> io::Result<Server> {
    let address = listener.local_addr()?;
    let request_timeout = settings.request_timeout;
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
        let connection = |stream: TcpStream| async move {
            let peer = stream.peer_addr().ok();
            Ok::<_, DispatchError>((BareErrors::new(stream), peer))
        };
        fn_service(connection).and_then(http)
    });
    Ok(bound?.run())
}
