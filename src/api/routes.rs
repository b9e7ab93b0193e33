//! Resources with one method, which refuse all others.

use actix_web::{FromRequest, Handler, Resource, Responder, Route, web};

use super::auth;
use super::error::method_not_allowed;

/// A resource to post to, for requests with the key.
pub fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let refuse = web::to(|| async { method_not_allowed("POST") });
    web::resource(path.to_owned())
        .route(require_key(web::post().to(handler)))
        .default_service(refuse)
}

/// A resource to get, for requests with the key.
pub fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    get_by(path, handler, require_key)
}

/// A resource to get, for anybody.
pub fn public_get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    get_by(path, handler, |route| route)
}

fn get_by<F, Args>(path: &str, handler: F, wrap: fn(Route) -> Route) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let refuse = web::to(|| async { method_not_allowed("GET, HEAD") });
    web::resource(path.to_owned())
        .route(wrap(web::get().to(handler.clone())))
        .route(wrap(web::head().to(handler)))
        .default_service(refuse)
}

fn require_key(route: Route) -> Route {
    route.wrap(actix_web::middleware::from_fn(auth::require_key))
}
