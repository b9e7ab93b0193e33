//! Conditional requests and ranges of one file (RFC 9110, 13 and 14).

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::http::header::{
    self, ByteRangeSpec, ETag, EntityTag, Header, IfMatch, IfModifiedSince, IfNoneMatch, IfRange,
    IfUnmodifiedSince, LastModified,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest, HttpResponseBuilder};

use super::error::ApiError;
use crate::storage::Metadata;

/// What tells one version of a file from another.
pub struct Validators {
    size: u64,
    etag: Option<EntityTag>,
    modified: SystemTime,
}

/// What to answer with.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    NotModified,
    Whole,
    Part(Range<u64>),
}

impl Outcome {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotModified => StatusCode::NOT_MODIFIED,
            Self::Whole => StatusCode::OK,
            Self::Part(_) => StatusCode::PARTIAL_CONTENT,
        }
    }
}

/// A range with positions that 64 bits can hold: one beyond every file's end says the same.
fn clamped(range: &str) -> String {
    const BEYOND: &str = "999999999999999999";
    let mut clamped = String::with_capacity(range.len());
    let mut rest = range;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, digits) = rest.split_at(start);
        let end = digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len());
        let (number, after) = digits.split_at(end);
        let significant = number.trim_start_matches('0');
        clamped.push_str(before);
        clamped.push_str(if significant.len() > BEYOND.len() {
            BEYOND
        } else {
            number
        });
        rest = after;
    }
    clamped + rest
}

/// Only what RFC 9110, 8.8.3, allows between the quotes: a store may send anything.
#[allow(clippy::ptr_arg, reason = "the form that filter asks for")]
fn is_tag(text: &String) -> bool {
    text.bytes()
        .all(|byte| byte == b'!' || (b'#'..=b'~').contains(&byte))
}

impl Validators {
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size,
            etag: metadata
                .etag
                .clone()
                .filter(is_tag)
                .map(EntityTag::new_strong),
            modified: metadata.modified,
        }
    }

    /// Puts them on an answer.
    pub fn insert(&self, response: &mut HttpResponseBuilder) {
        response.insert_header(LastModified(self.modified.into()));
        if let Some(etag) = &self.etag {
            response.insert_header(ETag(etag.clone()));
        }
    }

    /// Follows the conditions and the range of a GET or HEAD request, in the order of RFC 9110, 13.2.2.
    pub fn evaluate(&self, request: &HttpRequest) -> Result<Outcome, ApiError> {
        if !self.matches(request) {
            return Err(ApiError::PreconditionFailed);
        }
        if self.is_known(request) {
            return Ok(Outcome::NotModified);
        }
        // Of HEAD, ranges are not defined.
        if request.method() != Method::GET || !self.range_applies(request) {
            return Ok(Outcome::Whole);
        }
        // Names of units are case-insensitive. What cannot be read is ignored.
        let range = request.headers().get(header::RANGE);
        let range = range.and_then(|range| range.to_str().ok());
        match range.map(|range| clamped(&range.to_ascii_lowercase()).parse()) {
            Some(Ok(header::Range::Bytes(ranges))) => self.part(&ranges),
            _ => Ok(Outcome::Whole),
        }
    }

    /// Several ranges at once are answered with the whole file, as the RFC allows.
    fn part(&self, ranges: &[ByteRangeSpec]) -> Result<Outcome, ApiError> {
        let satisfiable = |range: &ByteRangeSpec| range.to_satisfiable_range(self.size);
        match ranges {
            [one] => {
                let (first, last) =
                    satisfiable(one).ok_or(ApiError::RangeNotSatisfiable(self.size))?;
                Ok(Outcome::Part(first..last + 1))
            }
            _ if ranges.iter().any(|range| satisfiable(range).is_some()) => Ok(Outcome::Whole),
            _ => Err(ApiError::RangeNotSatisfiable(self.size)),
        }
    }

    /// `If-Match`, or else `If-Unmodified-Since`.
    fn matches(&self, request: &HttpRequest) -> bool {
        match header::<IfMatch>(request) {
            Some(IfMatch::Any) => true,
            Some(IfMatch::Items(tags)) => tags.iter().any(|tag| self.is_strongly(tag)),
            None => header::<IfUnmodifiedSince>(request)
                .is_none_or(|since| seconds(self.modified) <= seconds(since.0.into())),
        }
    }

    /// `If-None-Match`, or else `If-Modified-Since`.
    fn is_known(&self, request: &HttpRequest) -> bool {
        match header::<IfNoneMatch>(request) {
            Some(IfNoneMatch::Any) => true,
            Some(IfNoneMatch::Items(tags)) => {
                let own = self.etag.as_ref();
                own.is_some_and(|own| tags.iter().any(|tag| tag.weak_eq(own)))
            }
            None => header::<IfModifiedSince>(request)
                .is_some_and(|since| seconds(self.modified) <= seconds(since.0.into())),
        }
    }

    /// `If-Range`.
    fn range_applies(&self, request: &HttpRequest) -> bool {
        match header::<IfRange>(request) {
            Some(IfRange::EntityTag(tag)) => self.is_strongly(&tag),
            Some(IfRange::Date(date)) => seconds(self.modified) == seconds(date.into()),
            None => !request.headers().contains_key(header::IF_RANGE),
        }
    }

    fn is_strongly(&self, tag: &EntityTag) -> bool {
        self.etag.as_ref().is_some_and(|own| tag.strong_eq(own))
    }
}

/// A header that is there and can be read.
fn header<H: Header>(request: &HttpRequest) -> Option<H> {
    request.get_header::<H>()
}

/// HTTP dates count whole seconds.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
