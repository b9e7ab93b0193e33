//! An endpoint: a path with the methods that it supports, which refuses all others.

use actix_web::{FromRequest, Handler, Resource, Responder, Route, web};

use super::auth;
use super::error::method_not_allowed;

pub struct Endpoint {
    path: String,
    resource: Resource,
    methods: Vec<&'static str>,
    is_public: bool,
}

impl Endpoint {
    /// For requests with the key.
    pub fn new(path: impl Into<String>) -> Self {
        let path = path.into();
        Self {
            resource: web::resource(path.clone()),
            path,
            methods: Vec::new(),
            is_public: false,
        }
    }

    /// For anybody.
    pub fn public(path: impl Into<String>) -> Self {
        Self {
            is_public: true,
            ..Self::new(path)
        }
    }

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
        self.methods.push(name);
        let route = match self.is_public {
            true => route,
            false => route.wrap(actix_web::middleware::from_fn(auth::require_key)),
        };
        Self {
            resource: self.resource.route(route),
            ..self
        }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn methods(&self) -> &[&'static str] {
        &self.methods
    }

    /// What Actix serves.
    pub fn into_resource(self) -> Resource {
        let allow = self.methods.join(", ");
        let refuse = move || {
            let allow = allow.clone();
            async { method_not_allowed(allow) }
        };
        self.resource.default_service(web::to(refuse))
    }
}
