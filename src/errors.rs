//! What errors say, and how they read in the log.

use std::error::Error;
use std::io;

use rustix::io::Errno;

/// An error with its causes, on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Many libraries repeat their cause in their own text.
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

/// Whether the system lacks something at the moment: files, processes, memory or room on the disk.
pub fn is_shortage(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    let shortages = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOMEM,
        Errno::AGAIN,
        Errno::NOSPC,
        Errno::DQUOT,
    ];
    code.is_some_and(|code| shortages.contains(&code))
}

/// Such a lack among the causes of an error.
pub fn shortage<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let shortage = error.downcast_ref().filter(|error| is_shortage(error));
        if shortage.is_some() {
            return shortage;
        }
        cause = error.source();
    }
    None
}
