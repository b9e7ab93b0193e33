//! The signature of Standard Webhooks.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A symmetric signing key.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    const PREFIX: &str = "whsec_";

    /// Reads the form of the standard: `whsec_` and the key in base64.
    pub fn parse(text: &str) -> Option<Self> {
        let key = BASE64_STANDARD
            .decode(text.trim().strip_prefix(Self::PREFIX)?)
            .ok()?;
        let key = Some(key).filter(|key| (24..=64).contains(&key.len()))?;
        Hmac::new_from_slice(&key).ok().map(Self)
    }

    /// Writes the same form.
    pub fn format(key: &[u8]) -> String {
        format!("{}{}", Self::PREFIX, BASE64_STANDARD.encode(key))
    }

    /// The value of `webhook-signature` for a message.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own libraries.
    #[test]
    fn signs_as_the_standard_says() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn refuses_a_secret_of_another_form() {
        for text in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_c2hvcnQ=",
            "whsec_!!!",
        ] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
    }
}
