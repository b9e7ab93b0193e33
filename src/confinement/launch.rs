//! Other programs, confined: this program starts once more, confines itself, and becomes the other.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use super::{Access, Limits, confine};
use crate::allocator::scrub_env;

/// The subcommand of this program that confines itself and becomes another.
pub const SUBCOMMAND: &str = "confine";

/// What an encoder of the largest videos may hold, in bytes.
const MEMORY: u64 = 4 << 30;

/// Enough for the drivers of any hardware encoder.
const FILES: u64 = 256;

/// The exit code of a program that could not be started, as of a shell.
pub const NOT_STARTED: u8 = 127;

/// A command that starts `program` without network. Arguments can be added.
///
/// # Errors
/// If this program's own file is not known.
pub fn confined(program: &OsStr) -> io::Result<Command> {
    let mut command = Command::new(this_program()?);
    command.arg(SUBCOMMAND).arg(program);
    Ok(command)
}

/// Confines this process, and becomes `program`. Returns only if it fails.
pub fn become_program(program: &OsStr, arguments: &[OsString]) -> io::Result<Infallible> {
    let limits = Limits {
        memory: MEMORY,
        cpu: None,
        files: FILES,
    };
    // What the system lacks is told of the decoders.
    confine(limits, Access::Files)?;
    let mut command = Command::new(program);
    command.args(arguments);
    scrub_env(&mut command);
    Err(command.exec())
}

/// This program, even if its file was replaced since it was started.
pub fn this_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        Ok("/proc/self/exe".into())
    } else {
        std::env::current_exe()
    }
}
