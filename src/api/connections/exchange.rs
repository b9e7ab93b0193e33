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
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use futures_util::{FutureExt, Stream, StreamExt};

use super::place::{Phase, Place};

/// The middleware around all others.
pub async fn exchange(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let place = request.conn_data::<Arc<Place>>().cloned();
    let Some(mut exchange) = Exchange::begin(place.clone()) else {
        // Nobody would hear of what comes of it.
        return Ok(request.into_response(HttpResponse::ServiceUnavailable().finish()));
    };
    let sent = match request.take_payload() {
        Payload::None => None,
        payload => Some(SentBody {
            payload: Rc::new(RefCell::new(payload)),
            place,
        }),
    };
    if let Some(sent) = &sent {
        let stream: Pin<Box<dyn Stream<Item = _>>> = Box::pin(sent.clone());
        request.set_payload(stream.into());
    }
    let response = next.call(request).await?;
    let unread = match sent {
        Some(sent) => sent.if_unread().await,
        None => None,
    };
    if unread.is_some() {
        exchange.next = Phase::Leaving;
    }
    Ok(response.map_body(|_, body| {
        Answer {
            body: body.boxed(),
            _unread: unread,
            _exchange: exchange,
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
struct Exchange {
    place: Option<Arc<Place>>,
    next: Phase,
}

impl Exchange {
    /// `None`: another connection has the place of this one.
    fn begin(place: Option<Arc<Place>>) -> Option<Self> {
        let is_held = place.as_ref().is_none_or(|place| place.begin_exchange());
        is_held.then_some(Self {
            place,
            next: Phase::Waiting { has_begun: false },
        })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            place.end_exchange(self.next);
        }
    }
}

/// Looks for the rest of a body that has been sent, without one of which it is taken for unsent.
const IDLE_LOOKS: u32 = 3;
/// All looks at it.
const LOOKS: u32 = 100;

/// The body of a request: the handler's to read, and still there when the handler is done with it.
#[derive(Clone)]
struct SentBody {
    payload: Rc<RefCell<Payload>>,
    place: Option<Arc<Place>>,
}

impl SentBody {
    /// Itself, unless all of it is here. Discards what is.
    async fn if_unread(mut self) -> Option<Self> {
        let mut idle = 0;
        for _ in 0..LOOKS {
            // The connection reads a piece meanwhile.
            tokio::task::yield_now().await;
            idle += 1;
            while let Some(piece) = self.next().now_or_never() {
                match piece {
                    Some(Ok(_)) => idle = 0,
                    Some(Err(_)) | None => return None,
                }
            }
            if idle == IDLE_LOOKS {
                break;
            }
        }
        Some(self)
    }
}

impl Stream for SentBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = Pin::new(&mut *self.payload.borrow_mut()).poll_next(cx);
        // Whoever waits for the next piece has taken the others.
        if let Some(place) = &self.place {
            place.more_may_come();
            if let Poll::Ready(None) = piece {
                place.body_ended();
            }
        }
        piece
    }
}

/// The body of an answer. Holds what is left of the request's body, and keeps the connection busy, until
/// Actix has all of it.
struct Answer {
    body: BoxBody,
    _unread: Option<SentBody>,
    _exchange: Exchange,
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
