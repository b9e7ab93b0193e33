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

/// A resource with several methods, for requests with the key.
pub fn resource(path: &str) -> Methods {
    Methods {
        resource: web::resource(path.to_owned()),
        allow: Vec::new(),
    }
}

pub struct Methods {
    resource: Resource,
    allow: Vec<&'static str>,
}

impl Methods {
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method("GET", web::get().to(handler.clone()))
            .method("HEAD", web::head().to(handler))
    }

    pub fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method("POST", web::post().to(handler))
    }

    pub fn delete<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method("DELETE", web::delete().to(handler))
    }

    fn method(mut self, name: &'static str, route: Route) -> Self {
        self.allow.push(name);
        Self {
            resource: self.resource.route(require_key(route)),
            ..self
        }
    }

    /// Refuses all other methods.
    pub fn finish(self) -> Resource {
        let allow = self.allow.join(", ");
        let refuse = move || {
            let allow = allow.clone();
            async { method_not_allowed(allow) }
        };
        self.resource.default_service(web::to(refuse))
    }
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
