//! The errors of requests, in the form of each dialect.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use utoipa::IntoResponses;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

/// The body of a dialect's errors.
pub trait ErrorBody {
    /// Its name among the schemas of the document.
    const SCHEMA: &'static str;
    const MEDIA_TYPE: &'static str = "application/json";
}

/// Defines a group of errors: statuses, and what each means.
macro_rules! errors {
    ($(#[$doc:meta])* $name:ident: $($status:literal $meaning:literal),+) => {
        $(#[$doc])*
        pub struct $name<B>(PhantomData<B>);

        impl<B: ErrorBody> IntoResponses for $name<B> {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                let error = |status: &str, meaning: &str| (status.to_owned(), response::<B>(meaning));
                BTreeMap::from([$(error($status, $meaning)),+])
            }
        }
    };
}

errors! {
    /// Of any request for work.
    CommonErrors:
    "400" "The request is not valid",
    "401" "The key is missing or wrong",
    "500" "An internal error occurred",
    "503" "The service is stopping, the disk is nearly full, or the job store or the storage does not answer"
}
errors! {
    /// Of a request with a body.
    BodyErrors:
    "408" "The body did not arrive in time",
    "413" "The body is too large",
    "415" "The body is of another type"
}
errors! {
    /// Of a request about one thing.
    ItemErrors:
    "404" "It is not known"
}
errors! {
    /// Of a request about a video whose files may be gone.
    DeletedErrors:
    "410" "Its files were deleted"
}
errors! {
    /// Of an order.
    OrderErrors:
    "422" "Nothing can be made of it, or its Idempotency-Key was used for another"
}
errors! {
    /// Of what there has to be room for.
    QueueErrors:
    "429" "There is no room: the queue is full, or too many photos are kept"
}

fn response<B: ErrorBody>(meaning: &str) -> RefOr<Response> {
    let content = Content::new(Some(Ref::from_schema_name(B::SCHEMA)));
    let response = ResponseBuilder::new()
        .description(meaning)
        .content(B::MEDIA_TYPE, content);
    RefOr::T(response.build())
}
