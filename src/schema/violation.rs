//! What is wrong with a payload, in words.

use std::fmt;

/// One broken rule.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Where, as a JSON pointer; empty for the body as a whole.
    pub path: String,
    pub message: String,
    /// What the message is about.
    subject: Subject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// The field: the message completes "image_url …".
    Field,
    /// Its value, which the message begins with.
    Value,
}

impl Violation {
    /// `message` completes "image_url …".
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            subject: Subject::Field,
        }
    }

    /// `message` is a statement about the field's value.
    pub fn of_value(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            subject: Subject::Value,
            ..Self::new(path, message)
        }
    }

    /// A sentence of its own.
    pub fn sentence(&self) -> String {
        let field = dotted(&self.path);
        match self.subject {
            _ if field.is_empty() => capitalised(&self.message),
            Subject::Field => format!("{field} {}", self.message),
            Subject::Value => format!("{field}: {}", self.message),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.trim_start_matches('/') {
            "" => f.write_str(&self.message),
            field => write!(f, "{field}: {}", self.message),
        }
    }
}

/// A JSON pointer as people write it: `/files/0/url` is `files[0].url`.
pub fn dotted(pointer: &str) -> String {
    let mut text = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if !text.is_empty() && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            text += &format!("[{part}]");
        } else if text.is_empty() {
            text = part;
        } else {
            text += &format!(".{part}");
        }
    }
    text
}

/// The text with a capital at its beginning.
pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_reads_as_people_write_it() {
        assert_eq!(dotted(""), "");
        assert_eq!(dotted("/files"), "files");
        assert_eq!(dotted("/files/0/url"), "files[0].url");
        assert_eq!(dotted("/a~1b/c~0d"), "a/b.c~d");
    }

    #[test]
    fn a_sentence_names_the_field() {
        let required = Violation::new("/template_params/template_id", "is required");
        assert_eq!(
            required.sentence(),
            "template_params.template_id is required"
        );
        let value = Violation::of_value("/files", "5 is not of type \"array\"");
        assert_eq!(value.sentence(), "files: 5 is not of type \"array\"");
        let whole = Violation::new("", "the body is not JSON");
        assert_eq!(whole.sentence(), "The body is not JSON");
    }
}
