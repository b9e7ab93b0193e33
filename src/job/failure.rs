//! Why a job ends without a video.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a job ended without a video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub code: FailureCode,
    /// A sentence for the caller. Holds no path and no internal address.
    pub message: String,
}

impl Failure {
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// For an error inside the service: the log has the cause.
    pub fn internal() -> Self {
        Self::new(
            FailureCode::Internal,
            "an internal error occurred; the job can be sent again",
        )
    }
}

/// The kinds of failure, stable and in kebab-case on the wire. `docs/api.md` explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureCode {
    /// The address guard refuses the URL.
    UrlNotAllowed,
    /// The server answered with an error status or a bad redirect.
    BadAnswer,
    TooLarge,
    TimedOut,
    Unreachable,
    NotAPicture,
    NotSound,
    /// A file of the command line.
    FileUnreadable,
    EncoderFailed,
    DiskFull,
    StorageFailed,
    TimeLimit,
    TooManyAttempts,
    Cancelled,
    /// Also what an unknown code of another version is read as.
    #[serde(other)]
    Internal,
}

impl FailureCode {
    /// Every code, in the order of `docs/api.md`.
    pub const ALL: [Self; 15] = [
        Self::UrlNotAllowed,
        Self::BadAnswer,
        Self::TooLarge,
        Self::TimedOut,
        Self::Unreachable,
        Self::NotAPicture,
        Self::NotSound,
        Self::FileUnreadable,
        Self::EncoderFailed,
        Self::DiskFull,
        Self::StorageFailed,
        Self::TimeLimit,
        Self::TooManyAttempts,
        Self::Cancelled,
        Self::Internal,
    ];

    /// As on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::UrlNotAllowed => "url-not-allowed",
            Self::BadAnswer => "bad-answer",
            Self::TooLarge => "too-large",
            Self::TimedOut => "timed-out",
            Self::Unreachable => "unreachable",
            Self::NotAPicture => "not-a-picture",
            Self::NotSound => "not-sound",
            Self::FileUnreadable => "file-unreadable",
            Self::EncoderFailed => "encoder-failed",
            Self::DiskFull => "disk-full",
            Self::StorageFailed => "storage-failed",
            Self::TimeLimit => "time-limit",
            Self::TooManyAttempts => "too-many-attempts",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    /// Whether the same request may succeed at another time.
    pub fn is_retryable(self) -> bool {
        match self {
            Self::BadAnswer
            | Self::TimedOut
            | Self::Unreachable
            | Self::EncoderFailed
            | Self::DiskFull
            | Self::StorageFailed
            | Self::TimeLimit
            | Self::Internal => true,
            Self::UrlNotAllowed
            | Self::TooLarge
            | Self::NotAPicture
            | Self::NotSound
            | Self::FileUnreadable
            | Self::TooManyAttempts
            | Self::Cancelled => false,
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stored_by_the_names_that_they_are_sent_by() {
        for code in FailureCode::ALL {
            let stored = serde_json::to_string(&code).unwrap();
            assert_eq!(stored, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<FailureCode>(&stored).unwrap(), code);
        }
        let unknown: FailureCode = serde_json::from_str("\"of-a-later-version\"").unwrap();
        assert_eq!(unknown, FailureCode::Internal);
    }
}
