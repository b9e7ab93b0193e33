//! What is wrong in a template's text, and where.

use std::ops::Range;
use std::path::Path;

use super::error::TemplateError;

/// A mistake at a range of bytes of the text.
#[derive(Debug)]
pub struct Diagnostic {
    at: Range<usize>,
    message: String,
}

/// A mistake at a line and column of a file that is not yet named.
#[derive(Debug)]
pub struct LocatedDiagnostic {
    line: usize,
    column: usize,
    message: String,
}

impl Diagnostic {
    pub fn new(at: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            at,
            message: message.into(),
        }
    }

    pub fn located(self, text: &str) -> LocatedDiagnostic {
        let before = text.get(..self.at.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        LocatedDiagnostic {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            // Some messages of toml have several lines.
            message: self.message.trim_end().replace('\n', "; "),
        }
    }
}

impl From<toml::de::Error> for Diagnostic {
    fn from(error: toml::de::Error) -> Diagnostic {
        Diagnostic::new(error.span().unwrap_or(0..0), error.message())
    }
}

impl LocatedDiagnostic {
    pub fn in_file(self, file: &Path) -> TemplateError {
        TemplateError::Invalid {
            file: file.to_owned(),
            line: self.line,
            column: self.column,
            message: self.message,
        }
    }
}

/// Words with commas between them.
pub fn listed<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> String {
    let words: Vec<T> = words.into_iter().collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    if words.is_empty() {
        "(none)".into()
    } else {
        words.join(", ")
    }
}
