//! Which addresses may be reached: public ones, and the networks that the operator allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

#[derive(Clone, Debug)]
pub struct Policy {
    allowed: Vec<IpNet>,
}

/// Why a URL is refused. The text completes "image_url …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("is not an absolute http(s) URL")]
    NotHttp,
    #[error("must not contain a user name or a password")]
    Credentials,
    #[error("points to an address that is not allowed")]
    Address,
}

impl Policy {
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Everything that can be said of a URL without asking a name server.
    pub fn check_url(&self, text: &str) -> Result<Url, UrlError> {
        let url = Url::parse(text).map_err(|_| UrlError::NotHttp)?;
        self.check(&url)?;
        Ok(url)
    }

    /// The same for a URL that is parsed already, such as a redirect's target.
    pub fn check(&self, url: &Url) -> Result<(), UrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::NotHttp);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Credentials);
        }
        // An HTTP client takes a literal address as it is, without its resolver, where the guard
        // would catch it.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(UrlError::NotHttp),
        };
        if self.allows(literal) {
            Ok(())
        } else {
            Err(UrlError::Address)
        }
    }

    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address)
            || self
                .allowed
                .iter()
                .any(|network| network.contains(&address))
    }
}

/// Whether the address is one of the open internet: globally reachable by the IANA registries of
/// special-purpose addresses (RFC 6890 and its updates), and unicast.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 100 && b & 0xc0 == 64 // shared address space, RFC 6598
        || (a, b, c) == (192, 0, 0) // IETF protocol assignments, RFC 6890
        || (a, b, c) == (192, 88, 99) // former 6to4 relays, RFC 7526
        || a == 198 && b & 0xfe == 18 // benchmarking, RFC 2544
        || a >= 224) // multicast, reserved, broadcast
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    let global_unicast = s[0] & 0xe000 == 0x2000;
    let ietf = s[0] == 0x2001 && s[1] < 0x0200; // protocol assignments, Teredo among them
    let documentation = s[0] == 0x2001 && s[1] == 0x0db8 || s[0] == 0x3fff && s[1] < 0x1000;
    let six_to_four = s[0] == 0x2002; // carries any IPv4 address, RFC 7526
    global_unicast && !ietf && !documentation && !six_to_four
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_pass() {
        let policy = Policy::new(vec![]);
        for refused in [
            "http://127.0.0.1/",
            "http://10.1.2.3/",
            "http://169.254.169.254/latest",
            "http://0.0.0.0/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[fd00::1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://100.64.0.1/",
            "http://[fe80::1]/",
            "http://224.0.0.1/",
            "http://[::127.0.0.1]/",
        ] {
            assert_eq!(
                policy.check_url(refused),
                Err(UrlError::Address),
                "{refused}"
            );
        }
        for passed in [
            "http://93.184.216.34/",
            "https://[2606:4700::1111]/a",
            "https://example.com",
        ] {
            assert!(policy.check_url(passed).is_ok(), "{passed}");
        }
    }

    #[test]
    fn an_allowed_network_passes_in_every_spelling() {
        let policy = Policy::new(vec!["127.0.0.0/8".parse().unwrap()]);
        assert!(policy.check_url("http://127.0.0.1:9/").is_ok());
        assert!(policy.check_url("http://[::ffff:127.0.0.1]/").is_ok());
        assert_eq!(policy.check_url("http://10.0.0.1/"), Err(UrlError::Address));
    }

    #[test]
    fn only_plain_http_urls_pass() {
        let policy = Policy::new(vec![]);
        for (text, why) in [
            ("photo.jpg", UrlError::NotHttp),
            ("ftp://example.com/a", UrlError::NotHttp),
            ("file:///etc/passwd", UrlError::NotHttp),
            ("http://", UrlError::NotHttp),
            ("https://me:pw@example.com/", UrlError::Credentials),
            ("https://me@example.com/", UrlError::Credentials),
        ] {
            assert_eq!(policy.check_url(text), Err(why), "{text}");
        }
    }
}
