//! Bodies of requests that were answered before they were read.
//!
//! Actix reads the rest of a dropped body for as long as the client sends it. While the payload is there
//! it tells the client that the connection is being closed, reads on for the disconnect timeout, so that
//! the client gets the answer, and closes.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use futures_util::{FutureExt, StreamExt};

/// The body of a request, among the request's extensions. Only held.
struct UnreadPayload {
    _payload: Payload,
}

/// Leaves the rest of a body unread, for [`attach`]; unless all of it has arrived.
pub fn leave(request: &HttpRequest, mut payload: Payload) {
    loop {
        match payload.next().now_or_never() {
            Some(Some(Ok(_))) => {}
            Some(None | Some(Err(_))) => return,
            None => break,
        }
    }
    request
        .extensions_mut()
        .insert(UnreadPayload { _payload: payload });
}

/// Makes the answer hold what was left unread of the request's body.
pub fn attach(request: &HttpRequest, response: HttpResponse) -> HttpResponse {
    let unread = request.extensions_mut().remove::<UnreadPayload>();
    match unread {
        None => response,
        Some(unread) => response.map_body(|_, body| {
            Body {
                body,
                _unread: unread,
            }
            .boxed()
        }),
    }
}

struct Body {
    body: BoxBody,
    _unread: UnreadPayload,
}

impl MessageBody for Body {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
