//! Who sends a request to Google Cloud Storage: the token of a service account, or a signed address.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use rustls::pki_types::alg_id::RSA_PKCS1_SHA256;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::wire::Request;

/// The service account that may do everything.
pub const EMAIL: &str = "kinora@example.iam.gserviceaccount.com";
/// It opens nothing but these tests' server.
pub const PRIVATE_KEY: &str = include_str!("throw_away_key.pem");
const PUBLIC_KEY: &str = include_str!("throw_away_key.pub.pem");

/// What the clock of a client may differ by.
const SKEW: Duration = Duration::from_secs(15 * 60);
/// What clients sign in the place of the endpoint's host.
const HOST: &str = "storage.googleapis.com";

/// Why a request is refused.
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
}

const fn refusal(status: u16, code: &'static str) -> Refusal {
    Refusal { status, code }
}

const UNKNOWN: Refusal = refusal(401, "AuthenticationRequired");
const DENIED: Refusal = refusal(403, "AccessDenied");
const MISMATCH: Refusal = refusal(403, "SignatureDoesNotMatch");
const EXPIRED: Refusal = refusal(400, "ExpiredToken");

pub fn check(request: &Request) -> Result<(), Refusal> {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    pairs.sort();
    let signed = pairs.iter().any(|(name, _)| name == "X-Goog-Signature");
    let token = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "));
    match token {
        Some(token) => check_token(token),
        None if signed => {
            let field = |name: &str| {
                let found = pairs.iter().find(|(key, _)| key == name);
                found.map(|(_, value)| value.as_ref()).ok_or(MISMATCH)
            };
            let canonical = canonical(&request.method, path, &pairs);
            check_address(&canonical, field)
        }
        None => Err(DENIED),
    }
}

/// A token that the account has signed itself: <https://google.aip.dev/auth/4111>.
fn check_token(token: &str) -> Result<(), Refusal> {
    let (signed, signature) = token.rsplit_once('.').ok_or(UNKNOWN)?;
    let (_, claims) = signed.split_once('.').ok_or(UNKNOWN)?;
    let decoded = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| UNKNOWN);
    let claims: Value = serde_json::from_slice(&decoded(claims)?).map_err(|_| UNKNOWN)?;
    let time = |name: &str| {
        claims[name]
            .as_u64()
            .map(Duration::from_secs)
            .ok_or(UNKNOWN)
    };
    let now = now();
    if !verifies(signed.as_bytes(), &decoded(signature)?)
        || time("exp")? < now
        || time("iat")? > now + SKEW
    {
        return Err(UNKNOWN);
    }
    if claims["iss"] == EMAIL {
        Ok(())
    } else {
        Err(DENIED)
    }
}

/// A V4 signature: <https://docs.cloud.google.com/storage/docs/authentication/signatures>.
fn check_address<'a>(
    canonical: &str,
    field: impl Fn(&str) -> Result<&'a str, Refusal>,
) -> Result<(), Refusal> {
    let (email, scope) = field("X-Goog-Credential")?
        .split_once('/')
        .ok_or(MISMATCH)?;
    let date = field("X-Goog-Date")?;
    let digest = hex(&Sha256::digest(canonical.as_bytes()));
    let signed = format!("GOOG4-RSA-SHA256\n{date}\n{scope}\n{digest}");
    let signature = unhex(field("X-Goog-Signature")?).ok_or(MISMATCH)?;
    if !verifies(signed.as_bytes(), &signature) {
        return Err(MISMATCH);
    }
    if email != EMAIL {
        return Err(DENIED);
    }
    let begun = seconds(date).ok_or(MISMATCH)?;
    let lasts = field("X-Goog-Expires")?.parse().map_err(|_| MISMATCH)?;
    if begun + Duration::from_secs(lasts) < now() {
        return Err(EXPIRED);
    }
    if begun > now() + SKEW {
        Err(DENIED)
    } else {
        Ok(())
    }
}

fn canonical(method: &str, path: &str, pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| (name.as_ref(), value.as_ref()));
    let signed = pairs.filter(|(name, _)| *name != "X-Goog-Signature");
    let query: Vec<_> = signed
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    let query = query.join("&");
    format!("{method}\n{path}\n{query}\nhost:{HOST}\n\nhost\nUNSIGNED-PAYLOAD")
}

fn escaped(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    bytes.collect()
}

fn verifies(message: &[u8], signature: &[u8]) -> bool {
    let lines = PUBLIC_KEY.lines().filter(|line| !line.starts_with('-'));
    let key = BASE64_STANDARD.decode(lines.collect::<String>());
    let key = key.expect("a public key");
    let provider = rustls::crypto::ring::default_provider();
    let algorithms = provider.signature_verification_algorithms.all.iter();
    let mut algorithms = algorithms.filter(|each| each.signature_alg_id() == RSA_PKCS1_SHA256);
    algorithms.any(|each| each.verify_signature(&key, message, signature).is_ok())
}

fn now() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("a clock after 1970")
}

/// The time since 1970 of a date like 20261124T181138Z.
fn seconds(date: &str) -> Option<Duration> {
    let number = |from: usize, to: usize| date.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    // Years begin in March here, so that a leap day is their last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    seconds.try_into().ok().map(Duration::from_secs)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}
