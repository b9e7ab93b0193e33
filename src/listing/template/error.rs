//! Why a template cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// A template file that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("template {}, line {line}, column {column}: {message}", .file.display())]
    Invalid {
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
