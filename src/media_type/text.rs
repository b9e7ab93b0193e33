//! Text files: playlists, web pages, drawings and the rest.

use super::{Kind, MediaType, found};

/// The kind of text, judged by its first KiB. `None` for anything but text.
pub(super) fn sniff(bytes: &[u8]) -> Option<MediaType> {
    let head = &bytes[..bytes.len().min(1024)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let control = |b: &u8| *b < 0x20 && !b.is_ascii_whitespace() && *b != 0x1b;
    if head.iter().any(control) {
        return None;
    }
    // The first KiB may end inside a character.
    if std::str::from_utf8(head).is_err_and(|e| e.error_len().is_some()) {
        return None;
    }
    let lower = head.to_ascii_lowercase();
    let start = lower.trim_ascii_start();
    let mentions = |word: &[u8]| lower.windows(word.len()).any(|w| w == word);
    let (kind, name) = if start.starts_with(b"#extm3u")
        || start.starts_with(b"[playlist]")
        || start.starts_with(b"<asx")
        || mentions(b"<playlist")
        || only_addresses(start)
    {
        (Kind::Other, "a playlist")
    } else if start.starts_with(b"<!doctype html") || mentions(b"<html") || mentions(b"<body") {
        (Kind::Other, "a web page")
    } else if mentions(b"<svg") {
        (Kind::Svg, "an SVG drawing")
    } else if start.starts_with(b"<") {
        (Kind::Xml, "an XML or HTML document")
    } else if start.starts_with(b"{") || start.starts_with(b"[") {
        (Kind::Other, "JSON")
    } else {
        (Kind::Other, "a text")
    };
    Some(found(kind, name))
}

/// A plain M3U playlist: one address a line, and nothing else but comments.
fn only_addresses(text: &[u8]) -> bool {
    let mut lines = text
        .split(|&b| b == b'\n' || b == b'\r')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .peekable();
    lines.peek().is_some()
        && lines.all(|line| line.starts_with(b"http://") || line.starts_with(b"https://"))
}
