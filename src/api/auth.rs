//! The API key: required by middleware, before the body is read, and compared in constant time.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::ApiError;
use super::{Service, connections};

pub const HEADER: &str = "x-api-key";

/// Only the key's digest: digests have one length, so comparing them says nothing about the key's.
pub struct ApiKey([u8; 32]);

impl ApiKey {
    pub fn new(key: String) -> Self {
        Self(Sha256::digest(key).into())
    }

    fn is_in(&self, request: &HttpRequest) -> bool {
        let Some(given) = request.headers().get(HEADER) else {
            return false;
        };
        self.is(given.as_bytes())
    }

    /// Whether this is the key.
    pub fn is(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        self.0.ct_eq(&given).into()
    }
}

/// Middleware that refuses requests without the key.
pub async fn require_key(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let service = request.app_data::<Data<Service>>();
    if service.is_some_and(|service| service.key.is_in(request.request())) {
        let response = next.call(request).await?;
        return Ok(response.map_into_boxed_body());
    }
    connections::give_way(request.request());
    if let Some(service) = service {
        let address = request.peer_addr().map(|peer| peer.ip());
        let is_wrong = request.headers().contains_key(HEADER);
        tokio::time::sleep(service.wrong_keys.count(address, is_wrong)).await;
    }
    let (request, _) = request.into_parts();
    // As a response: an error would not pass the layer that gives it the dialect's form.
    Ok(ServiceResponse::from_err(ApiError::Unauthorized, request))
}

/// Whether a key can be sent in a header as it is.
pub fn is_acceptable(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic())
}
