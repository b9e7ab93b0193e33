//! What is fuzzed: everything that reads what strangers send. `fuzz/targets/` hands these functions to
//! libFuzzer, and `tests/corpus.rs` runs them over the corpora.

use kinora::api::payloads;
use kinora::listing::template::Template;
use kinora::media_type;
use kinora::net::Policy;
use kinora::picture::{self, Detail, Limits};
use kinora::sound;
use kinora::spec::Size;

/// As a decoding process has them. Less, so that many run at once.
fn limits() -> Limits {
    Limits {
        max_pixels: 4_000_000,
        max_memory: 128 << 20,
        ..Limits::default()
    }
}

pub fn media_type(bytes: &[u8]) {
    let _ = media_type::sniff(bytes);
    let _ = media_type::cut_picture(bytes);
}

/// All formats: the content tells which.
pub fn photo(bytes: &[u8]) {
    if let Ok(decoded) = picture::decode(bytes, &limits()) {
        let picture = decoded.into_picture(Detail {
            luma_shift: 1,
            chroma_shift: 2,
        });
        assert_eq!(
            picture.planes[0].data.len(),
            picture.planes[0].width * picture.planes[0].height
        );
    }
}

pub fn logo(bytes: &[u8]) {
    let max = Size {
        width: 64,
        height: 48,
    };
    if let Ok(logo) = picture::logo(bytes, &limits(), max, false) {
        assert!(logo.size().width <= max.width && logo.size().height <= max.height);
    }
}

pub fn soundtrack(bytes: &[u8]) {
    if let Ok(track) = sound::soundtrack(bytes, 2.0) {
        let mut wav = Vec::new();
        track.write_wav(&mut wav).expect("memory");
        assert_eq!(wav.len(), 44 + 4 * track.frames().len());
    }
}

pub fn template(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(template) = Template::parse("fuzzed", text)
    {
        let _ = template.fonts();
        let _ = template.uses();
    }
}

/// A body of either dialect.
pub fn payload(bytes: &[u8]) {
    let _ = payloads::image_to_video(bytes);
    let _ = payloads::listing_video(bytes);
    let _ = payloads::videos(bytes);
}

/// No URL that passes the guard names an address that is not public.
pub fn url(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(url) = Policy::new(Vec::new()).check_url(text) {
        assert!(matches!(url.scheme(), "http" | "https"));
        assert!(url.username().is_empty() && url.password().is_none());
        if let Some(url::Host::Ipv4(address)) = url.host() {
            assert!(!address.is_loopback() && !address.is_private() && !address.is_link_local());
        }
        if let Some(url::Host::Ipv6(address)) = url.host() {
            assert!(!address.is_loopback() && !address.is_unspecified());
        }
    }
}
