//! What fake-gcs-server lacks of Google's XML API, which the storage's client speaks: uploads, of whole
//! files and in parts, rights, and the right error for a bucket that is not there. All else is passed on
//! to the server as it came.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::listener::Listener;
use super::signature::{self, hex};
use super::wire::{
    Body, Exchange, Head, Reader, Request, Share, Writer, broken, connect, pass, split,
};

/// Of each part but the last.
const LEAST_PART: usize = 5 << 20;
/// What is between the parts of a request, and in none of them.
const BOUNDARY: &str = "7f1c1b0e-boundary-of-parts-4f0a9d2c";

pub struct Gateway(Listener);

impl Gateway {
    /// In front of the server on this port.
    pub fn start(upstream: u16) -> Self {
        Self(Listener::start(Arc::new(Shared {
            upstream,
            uploads: Mutex::default(),
        })))
    }

    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    pub fn port(&self) -> u16 {
        self.0.port()
    }
}

/// An upload in parts that has begun.
struct Upload {
    begun: Request,
    /// The number of each part, its entity tag and its bytes.
    parts: BTreeMap<u32, (String, Vec<u8>)>,
}

struct Shared {
    upstream: u16,
    uploads: Mutex<HashMap<String, Upload>>,
}

/// What a request asks for.
enum Call {
    Put,
    Begin,
    Part { upload: String, number: u32 },
    Complete { upload: String },
    Abort { upload: String },
    Other,
}

impl Call {
    fn of(request: &Request) -> Self {
        let target = Target::of(request);
        let upload = target.query("uploadId");
        let number = target
            .query("partNumber")
            .and_then(|text| text.parse().ok());
        match (request.method.as_str(), upload, number) {
            _ if target.object.is_empty() => Self::Other,
            ("PUT", Some(upload), Some(number)) => Self::Part { upload, number },
            ("POST", Some(upload), None) => Self::Complete { upload },
            ("DELETE", Some(upload), None) => Self::Abort { upload },
            ("POST", None, None) if target.query("uploads").is_some() => Self::Begin,
            ("PUT", None, None) if request.header("x-goog-copy-source").is_none() => Self::Put,
            _ => Self::Other,
        }
    }
}

/// The parts of a request's target: `/bucket/object?query`.
struct Target<'a> {
    bucket: &'a str,
    /// As it came: with the escapes that a query wants as well.
    object: &'a str,
    query: &'a str,
}

impl<'a> Target<'a> {
    fn of(request: &'a Request) -> Self {
        let (path, query) = split_once(&request.target, '?');
        let (bucket, object) = split_once(path.trim_start_matches('/'), '/');
        Self {
            bucket,
            object,
            query,
        }
    }

    fn query(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        let found = pairs.find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }
}

fn split_once(text: &str, at: char) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

/// An answer of the gateway's own.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    fn ok(body: String) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body,
        }
    }

    fn error(status: u16, code: &str) -> Self {
        let body = format!("<?xml version='1.0'?><Error><Code>{code}</Code></Error>");
        let headers = Vec::new();
        Self {
            status,
            headers,
            body,
        }
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn bytes(&self, bodiless: bool) -> Vec<u8> {
        let headers = self.headers.iter();
        let headers: String = headers
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let (status, length) = (self.status, self.body.len());
        let body = if bodiless { "" } else { &self.body };
        format!("HTTP/1.1 {status} -\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into()
    }
}

/// What was stored.
struct Stored {
    entity_tag: String,
    generation: String,
}

impl Exchange for Shared {
    async fn exchange(
        &self,
        head: Head,
        read: &mut Reader<'_>,
        write: &mut Writer<'_>,
    ) -> io::Result<bool> {
        let request = head.request()?;
        let call = Call::of(&request);
        let refusal = self.refusal(&request).await?;
        if refusal.is_none() && matches!(call, Call::Other) {
            return pass(self.upstream, &head, read, write, Share::Whole, |_| ()).await;
        }
        let body = bytes(head.request_body()?, read).await?;
        let answer = match refusal {
            Some(answer) => answer,
            None => self.answer(call, request, body).await?,
        };
        let bytes = answer.bytes(head.asks_for_head());
        write.write_all(&bytes).await?;
        Ok(true)
    }
}

impl Shared {
    async fn answer(&self, call: Call, request: Request, body: Vec<u8>) -> io::Result<Answer> {
        match call {
            Call::Put => Ok(match self.store(&request, &body).await? {
                Ok(stored) => Answer::ok(String::new())
                    .with("ETag", stored.entity_tag)
                    .with("x-goog-generation", stored.generation),
                Err(answer) => answer,
            }),
            Call::Begin => Ok(self.begin(request)),
            Call::Part { upload, number } => Ok(self.part(&upload, number, body)),
            Call::Complete { upload } => {
                self.complete(&upload, &String::from_utf8_lossy(&body))
                    .await
            }
            Call::Abort { upload } => Ok(self.abort(&upload)),
            Call::Other => Err(broken()),
        }
    }

    fn begin(&self, begun: Request) -> Answer {
        let id = Uuid::new_v4().simple().to_string();
        let body = format!(
            "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        );
        let parts = BTreeMap::new();
        self.uploads(|uploads| uploads.insert(id, Upload { begun, parts }));
        Answer::ok(body)
    }

    fn part(&self, upload: &str, number: u32, bytes: Vec<u8>) -> Answer {
        let entity_tag = format!("\"{}\"", hex(&Sha256::digest(&bytes)));
        let answer = Answer::ok(String::new()).with("ETag", entity_tag.clone());
        let known = self.uploads(|uploads| {
            let upload = uploads.get_mut(upload)?;
            upload.parts.insert(number, (entity_tag, bytes));
            Some(())
        });
        known.map_or_else(no_upload, |()| answer)
    }

    async fn complete(&self, id: &str, list: &str) -> io::Result<Answer> {
        let joined = self.uploads(|uploads| {
            let upload = uploads.get(id).ok_or_else(no_upload)?;
            Ok((upload.begun.clone(), join(upload, list)?))
        });
        let (begun, bytes) = match joined {
            Ok(joined) => joined,
            Err(answer) => return Ok(answer),
        };
        Ok(match self.store(&begun, &bytes).await? {
            Ok(stored) => {
                self.uploads(|uploads| uploads.remove(id));
                let tag = stored.entity_tag;
                let result = "CompleteMultipartUploadResult";
                Answer::ok(format!("<{result}><ETag>{tag}</ETag></{result}>"))
                    .with("x-goog-generation", stored.generation)
            }
            Err(answer) => answer,
        })
    }

    fn abort(&self, id: &str) -> Answer {
        let known = self.uploads(|uploads| uploads.remove(id));
        known.map_or_else(no_upload, |_| Answer {
            status: 204,
            ..Answer::ok(String::new())
        })
    }

    fn uploads<T>(&self, act: impl FnOnce(&mut HashMap<String, Upload>) -> T) -> T {
        act(&mut self.uploads.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why a request is not served, if so.
    async fn refusal(&self, request: &Request) -> io::Result<Option<Answer>> {
        if let Err(refusal) = signature::check(request) {
            return Ok(Some(Answer::error(refusal.status, refusal.code)));
        }
        let bucket = Target::of(request).bucket;
        let line = format!("GET /storage/v1/b/{bucket}");
        let (status, _) = self.ask(&line, "text/plain", b"").await?;
        Ok((status != 200).then(|| Answer::error(404, "NoSuchBucket")))
    }

    /// Uploads an object by the JSON API, with the headers that an upload by the XML API has.
    async fn store(&self, request: &Request, bytes: &[u8]) -> io::Result<Result<Stored, Answer>> {
        let Target { bucket, object, .. } = Target::of(request);
        let path = format!("/upload/storage/v1/b/{bucket}/o");
        let mut line = format!("POST {path}?uploadType=multipart&name={object}");
        if let Some(generation) = request.header("x-goog-if-generation-match") {
            line += &format!("&ifGenerationMatch={generation}");
        }
        let kind = request.header("content-type").unwrap_or_default();
        let begin = format!(
            "--{BOUNDARY}\r\nContent-Type: application/json\r\n\r\n{}\r\n\
             --{BOUNDARY}\r\nContent-Type: {kind}\r\n\r\n",
            attributes(request)
        );
        let end = format!("\r\n--{BOUNDARY}--\r\n");
        let body = [begin.as_bytes(), bytes, end.as_bytes()].concat();
        let kind = format!("multipart/related; boundary={BOUNDARY}");
        let (status, body) = self.ask(&line, &kind, &body).await?;
        Ok(match status {
            200 => Ok(stored(&body)?),
            412 => Err(Answer::error(412, "PreconditionFailed")),
            _ => Err(Answer::error(status, "InternalError")),
        })
    }

    /// A request to the server, and the status and the body of its answer.
    async fn ask(&self, line: &str, kind: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let length = body.len();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        let mut upstream = connect(self.upstream).await?;
        let (mut from, mut to) = split(&mut upstream);
        to.write_all(head.as_bytes()).await?;
        to.write_all(body).await?;
        let answer = Head::read(&mut from).await?.ok_or_else(broken)?;
        let status = answer.status()?;
        let body = answer.answer_body(status, false)?;
        Ok((status, bytes(body, &mut from).await?))
    }
}

/// The headers of an upload, as the JSON API names them.
fn attributes(request: &Request) -> Value {
    let named = [
        ("cache-control", "cacheControl"),
        ("content-disposition", "contentDisposition"),
        ("content-encoding", "contentEncoding"),
        ("content-language", "contentLanguage"),
        ("content-type", "contentType"),
    ];
    let mut attributes = json!({ "metadata": {} });
    for (header, name) in named {
        if let Some(value) = request.header(header) {
            attributes[name] = value.into();
        }
    }
    for (header, value) in &request.headers {
        let header = header.to_ascii_lowercase();
        if let Some(name) = header.strip_prefix("x-goog-meta-") {
            attributes["metadata"][name] = value.as_str().into();
        }
    }
    attributes
}

fn no_upload() -> Answer {
    Answer::error(404, "NoSuchUpload")
}

async fn bytes(body: Body, from: &mut Reader<'_>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    body.copy(from, &mut bytes).await?;
    Ok(bytes)
}

/// The bytes of the parts that the list names, in its order.
fn join(upload: &Upload, list: &str) -> Result<Vec<u8>, Answer> {
    let invalid = || Answer::error(400, "InvalidPart");
    let named: Vec<&str> = list.split("<Part>").skip(1).collect();
    let mut joined = Vec::new();
    for (index, part) in named.iter().enumerate() {
        let number = element(part, "PartNumber").and_then(|text| text.parse().ok());
        let (tag, bytes) = number
            .and_then(|number: u32| upload.parts.get(&number))
            .ok_or_else(invalid)?;
        if element(part, "ETag") != Some(tag.as_str()) {
            return Err(invalid());
        }
        if bytes.len() < LEAST_PART && index + 1 < named.len() {
            return Err(Answer::error(400, "EntityTooSmall"));
        }
        joined.extend_from_slice(bytes);
    }
    Ok(joined)
}

/// The text of an element that has no attributes and no elements in it.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, text) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = text.split_once(&format!("</{name}>"))?;
    Some(text)
}

fn stored(body: &[u8]) -> io::Result<Stored> {
    let object: Value = serde_json::from_slice(body)?;
    let text = |name: &str| object[name].as_str().map(str::to_owned).ok_or_else(broken);
    Ok(Stored {
        entity_tag: format!("\"{}\"", text("etag")?),
        generation: text("generation")?,
    })
}
