//! Texts with placeholders, split into pieces.

use super::diagnostic::{Diagnostic, listed};
use super::draft::Piece;
use super::fields::Field;
use super::tables::Name;

/// Splits a text at its `{fact}` placeholders; `{{` and `}}` are braces.
pub fn pieces(text: &Name) -> Result<Vec<Piece>, Diagnostic> {
    let diagnostic = |message: String| Diagnostic::new(text.span(), message);
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text.get_ref().as_str();
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let tail = &rest[at..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            literal.push_str(&tail[..1]);
            rest = &tail[2..];
            continue;
        }
        let placeholder = tail.strip_prefix('{').and_then(|tail| tail.split_once('}'));
        let (name, after) = placeholder.ok_or_else(|| {
            diagnostic("a brace has no partner; write {{ or }} for a brace".into())
        })?;
        let field = field(name).map_err(diagnostic)?;
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Field(field));
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

fn field(name: &str) -> Result<Field, String> {
    let known = Field::TEXTS.iter().find(|(word, _)| *word == name.trim());
    known.map(|(_, field)| *field).ok_or_else(|| {
        let known = listed(Field::TEXTS.iter().map(|(word, _)| word));
        format!("unknown placeholder {{{name}}}; the placeholders are: {known}")
    })
}

#[cfg(test)]
mod tests {
    use toml::Spanned;

    use super::*;

    #[test]
    fn braces_are_placeholders_unless_doubled() {
        let split = |text: &str| pieces(&Spanned::new(0..0, text.into())).ok();
        let literal = |text: &str| Piece::Literal(text.into());
        assert_eq!(
            split("for { price } {{net}}"),
            Some(vec![
                literal("for "),
                Piece::Field(Field::Price),
                literal(" {net}")
            ])
        );
        assert_eq!(split(""), Some(vec![]));
        for bad in ["{", "}", "{price", "price}", "{}", "{logo}"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
