//! Limits on the XML of a drawing, checked before it is parsed as SVG.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, NodeId};

use super::{MAX_DEPTH, PictureError, too_complex};

/// Text that all uses of the entities of the DTD expand to.
const MAX_ENTITY_BYTES: usize = 1 << 20;

/// Rules of style sheets times elements: each rule is tried on every element.
const MAX_MATCHES: usize = 2_000_000;

/// Elements after every reference is followed. 64 bytes of attributes count as one more.
const MAX_ELEMENTS: u64 = 250_000;

/// Limits the text that entities expand to. The parser limits only how deep they nest.
pub(super) fn check_entities(text: &str) -> Result<(), PictureError> {
    let mut longest = 0;
    for (at, _) in text.match_indices("<!ENTITY") {
        let rest = &text[at..];
        let quote = rest.find(['"', '\'']).ok_or(PictureError::DrawingDamaged)?;
        let value = &rest[quote + 1..];
        let end = value
            .find(&rest[quote..=quote])
            .ok_or(PictureError::DrawingDamaged)?;
        let value = &value[..end];
        if value.contains('&') || value.contains('<') {
            return Err(too_complex("nested entities"));
        }
        longest = longest.max(value.len());
    }
    if longest.saturating_mul(text.matches('&').count()) > MAX_ENTITY_BYTES {
        return Err(too_complex("too many entities"));
    }
    Ok(())
}

/// The number of elements that each element expands to, with all that it refers to.
struct Expansion<'a, 'd> {
    by_id: HashMap<&'a str, Node<'a, 'd>>,
    known: HashMap<NodeId, u64>,
    /// Elements that the style sheets refer to. They may apply to any element.
    of_styles: u64,
}

/// Limits the elements of a drawing after every reference is followed, and the rules of its style
/// sheets.
pub(super) fn check_elements(document: &Document) -> Result<(), PictureError> {
    let mut expansion = Expansion {
        by_id: index(document)?,
        known: HashMap::new(),
        of_styles: 0,
    };
    let mut of_styles = 0u64;
    for id in style_references(document)? {
        of_styles = of_styles.saturating_add(expansion.of_target(id, 0)?);
    }
    expansion.known.clear();
    expansion.of_styles = of_styles;
    expansion.of(document.root_element(), 0).map(|_| ())
}

fn elements<'a, 'd>(document: &'a Document<'d>) -> impl Iterator<Item = Node<'a, 'd>> {
    document.descendants().filter(Node::is_element)
}

/// Elements by their id. Unsupported elements and too deep nesting are errors.
fn index<'a, 'd>(
    document: &'a Document<'d>,
) -> Result<HashMap<&'a str, Node<'a, 'd>>, PictureError> {
    let mut by_id = HashMap::new();
    for node in elements(document) {
        if node.ancestors().take(MAX_DEPTH + 1).count() > MAX_DEPTH {
            return Err(too_complex("elements nested too deeply"));
        }
        match node.tag_name().name() {
            // A marker is drawn at every point of a path.
            "marker" => return Err(too_complex("markers")),
            "text" => return Err(too_complex("text that is not converted to outlines")),
            _ => {}
        }
        if let Some(id) = node.attribute("id") {
            by_id.entry(id).or_insert(node);
        }
    }
    Ok(by_id)
}

/// The ids that the style sheets refer to, each once.
fn style_references<'a>(document: &'a Document) -> Result<Vec<&'a str>, PictureError> {
    let mut ids = Vec::new();
    let mut rules = 0;
    let styles = document
        .descendants()
        .filter(|node| node.tag_name().name() == "style")
        .filter_map(|node| node.text());
    for style in styles {
        rules += count_rules(style)?;
        ids.extend(urls(style));
    }
    if rules.saturating_mul(elements(document).count()) > MAX_MATCHES {
        return Err(too_complex("too many style rules"));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

impl<'a, 'd> Expansion<'a, 'd> {
    fn of_target(&mut self, id: &str, depth: usize) -> Result<u64, PictureError> {
        let target = self.by_id.get(id).copied();
        target.map_or(Ok(0), |node| self.of(node, depth + 1))
    }

    fn of(&mut self, node: Node<'a, 'd>, depth: usize) -> Result<u64, PictureError> {
        if depth > 2 * MAX_DEPTH {
            return Err(too_complex("references nested too deeply"));
        }
        if let Some(known) = self.known.get(&node.id()) {
            return Ok(*known);
        }
        // A circular reference adds nothing: usvg ignores it.
        self.known.insert(node.id(), 0);
        let mut elements = 1 + self.of_styles;
        for attribute in node.attributes() {
            elements += attribute.value().len() as u64 / 64;
            let link = (attribute.name() == "href")
                .then(|| attribute.value().trim().strip_prefix('#'))
                .flatten();
            for id in urls(attribute.value()).chain(link) {
                elements = elements.saturating_add(self.of_target(id, depth)?);
            }
        }
        for child in node.children().filter(Node::is_element) {
            elements = elements.saturating_add(self.of(child, depth + 1)?);
        }
        if elements > MAX_ELEMENTS {
            return Err(too_complex("too many elements"));
        }
        self.known.insert(node.id(), elements);
        Ok(elements)
    }
}

/// Counts the rules of a style sheet. Their selectors must be simple, as drawing programs write them:
/// to match `a b c`, every combination of an element's ancestors is tried, which may take forever.
fn count_rules(style: &str) -> Result<usize, PictureError> {
    let unsupported = || too_complex("style rules for more than one class");
    let mut rules = 0;
    for block in without_comments(style)?.split('}') {
        let Some((selectors, declarations)) = block.split_once('{') else {
            continue;
        };
        if declarations.contains('{') {
            return Err(unsupported());
        }
        for selector in selectors.split(',') {
            let is_part = |c: char| c.is_whitespace() || matches!(c, '>' | '+' | '~' | '\\');
            if selector.trim().contains(is_part) {
                return Err(unsupported());
            }
            rules += 1;
        }
    }
    Ok(rules)
}

fn without_comments(style: &str) -> Result<String, PictureError> {
    let mut text = String::with_capacity(style.len());
    let mut rest = style;
    while let Some((before, comment)) = rest.split_once("/*") {
        text.push_str(before);
        let (_, after) = comment
            .split_once("*/")
            .ok_or(PictureError::DrawingDamaged)?;
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

/// The ids in `url(#id)`.
fn urls(text: &str) -> impl Iterator<Item = &str> {
    text.split("url(").skip(1).filter_map(|rest| {
        let inner = rest.split(')').next()?.trim().trim_matches(['"', '\'']);
        inner.trim().strip_prefix('#')
    })
}
