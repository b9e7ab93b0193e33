//! A request and its answer, as the connection sees them.
//!
//! Actix reads the rest of a dropped body for as long as the client sends it. While the body is there
//! it tells the client that the connection is being closed, reads on for the disconnect timeout, so that
//! the client gets the answer, and closes. So whatever a handler leaves of a body is held by the answer.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage, HttpRequest};
use futures_util::{FutureExt, Stream, StreamExt};

use super::place::{Phase, Place};

/// The middleware around all others.
pub async fn exchange(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut turn = Turn::begin(request.request());
    let sent = match request.take_payload() {
        Payload::None => None,
        payload => Some(SentBody(Rc::new(RefCell::new(payload)))),
    };
    if let Some(sent) = &sent {
        let stream: Pin<Box<dyn Stream<Item = _>>> = Box::pin(sent.clone());
        request.set_payload(stream.into());
    }
    let response = next.call(request).await?;
    let unread = match sent {
        Some(sent) if !sent.has_arrived().await => Some(sent),
        _ => None,
    };
    if unread.is_some() {
        turn.then = Phase::Leaving;
    }
    Ok(response.map_body(|_, body| {
        Answer {
            body: body.boxed(),
            _unread: unread,
            _turn: turn,
        }
        .boxed()
    }))
}

/// Lets newcomers have the place of a request's connection already: it will be refused.
pub fn give_way(request: &HttpRequest) {
    if let Some(place) = request.conn_data::<Arc<Place>>() {
        place.set(Phase::Leaving);
    }
}

/// One request and its answer: meanwhile, the connection is busy.
struct Turn {
    place: Option<Arc<Place>>,
    then: Phase,
}

impl Turn {
    fn begin(request: &HttpRequest) -> Self {
        let place = request.conn_data::<Arc<Place>>().cloned();
        if let Some(place) = &place {
            place.set(Phase::Busy);
        }
        Self {
            place,
            then: Phase::Waiting { has_begun: false },
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            place.set(self.then);
        }
    }
}

/// The body of a request: the handler's to read, and still there when the handler is done with it.
#[derive(Clone)]
struct SentBody(Rc<RefCell<Payload>>);

impl SentBody {
    /// Whether all of it is here. Discards what is.
    async fn has_arrived(&self) -> bool {
        // A short body came with the head, and is there once the connection has had its turn.
        tokio::task::yield_now().await;
        loop {
            match self.0.borrow_mut().next().now_or_never() {
                Some(Some(Ok(_))) => {}
                Some(None | Some(Err(_))) => return true,
                None => return false,
            }
        }
    }
}

impl Stream for SentBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

/// The body of an answer. Holds what is left of the request's body, and the connection's turn, until it is
/// sent.
struct Answer {
    body: BoxBody,
    _unread: Option<SentBody>,
    _turn: Turn,
}

impl MessageBody for Answer {
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
