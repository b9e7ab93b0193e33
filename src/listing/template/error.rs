//! Why a template cannot be used.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A template file that cannot be used, and where in it the reason lies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("template {}, line {line}, column {column}: {message}", .file.display())]
    NotUnderstood {
        file: PathBuf,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        message: String,
    },
    #[error("template {}: cannot be read: {reason}", .file.display())]
    Unreadable { file: PathBuf, reason: String },
}

impl TemplateError {
    pub(super) fn unreadable(file: &Path, error: io::Error) -> TemplateError {
        TemplateError::Unreadable {
            file: file.to_owned(),
            reason: error.to_string(),
        }
    }

    pub(super) fn not_text(file: &Path) -> TemplateError {
        TemplateError::Unreadable {
            file: file.to_owned(),
            reason: "it is not UTF-8 text".into(),
        }
    }
}

/// Something wrong in a template's text, before its file is known.
#[derive(Debug)]
pub(super) struct Diagnostic {
    pub at: Range<usize>,
    pub message: String,
}

/// A diagnostic with its place in lines and columns.
#[derive(Debug)]
pub(super) struct LocatedDiagnostic {
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
            // toml spreads some messages over lines.
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
        TemplateError::NotUnderstood {
            file: file.to_owned(),
            line: self.line,
            column: self.column,
            message: self.message,
        }
    }
}
