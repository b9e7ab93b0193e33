//! What clients were told, and what was announced to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

/// How the receiver of webhooks answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manners {
    Takes,
    Refuses,
    Hangs,
}

/// A webhook, by its `webhook-id`.
pub struct Announcement {
    pub job: String,
    pub code: u64,
    pub body: Bytes,
    /// How often it came and was taken.
    pub count: usize,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Ledger(Arc<Mutex<Pages>>);

pub struct Pages {
    pub manners: Manners,
    /// The orders' names of the jobs that were answered 202.
    pub accepted: HashMap<String, String>,
    /// What else was answered, and how often.
    pub refused: HashMap<u16, usize>,
    pub announced: HashMap<String, Announcement>,
    /// Webhooks that came again, and told something else.
    pub contradictions: Vec<String>,
}

impl Ledger {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Pages {
            manners: Manners::Takes,
            accepted: HashMap::new(),
            refused: HashMap::new(),
            announced: HashMap::new(),
            contradictions: Vec::new(),
        })))
    }

    pub fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().expect("no panic while it is written")
    }

    /// Jobs that were accepted and not announced, more or less: some may be announced that nobody knows.
    pub fn unfinished(&self) -> usize {
        let pages = self.pages();
        pages.accepted.len().saturating_sub(pages.announced.len())
    }

    /// Accepted jobs that nobody was told the end of.
    pub fn missing(&self) -> Vec<String> {
        let pages = self.pages();
        let told = |job: &String| pages.announced.contains_key(&format!("msg_{job}"));
        let missing = pages.accepted.keys().filter(|job| !told(job));
        missing.cloned().collect()
    }

    pub fn accept(&self, job: String, order: String) {
        self.pages().accepted.insert(job, order);
    }

    /// Receives a webhook.
    pub async fn receive(self, request: HttpRequest, body: Bytes) -> HttpResponse {
        let manners = self.pages().manners;
        match manners {
            Manners::Takes => {
                self.note(&request, body);
                HttpResponse::Ok().finish()
            }
            Manners::Refuses => HttpResponse::InternalServerError().finish(),
            Manners::Hangs => std::future::pending().await,
        }
    }

    fn note(&self, request: &HttpRequest, body: Bytes) {
        let id = request.headers().get("webhook-id");
        let id = id.and_then(|id| id.to_str().ok()).expect("an id");
        let told: Value = serde_json::from_slice(&body).expect("JSON");
        let mut pages = self.pages();
        match pages.announced.get_mut(id) {
            Some(known) if known.body != body => pages.contradictions.push(id.to_owned()),
            Some(known) => known.count += 1,
            None => {
                let announcement = Announcement {
                    job: told["job_id"].as_str().expect("a job").to_owned(),
                    code: told["code"].as_u64().expect("a code"),
                    body,
                    count: 1,
                };
                pages.announced.insert(id.to_owned(), announcement);
            }
        }
    }
}
