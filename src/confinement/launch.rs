//! Other programs, confined: this program starts once more, confines itself, and becomes the other.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Access, Limits, confine};
use crate::allocator::{scrub_env, set_env};

/// The subcommand of this program that confines itself and becomes another.
pub const SUBCOMMAND: &str = "confine";

/// The exit code of a program that could not be started, as of a shell.
pub const NOT_STARTED: u8 = 127;

/// What an encoder of the largest videos may hold, in bytes.
const ENCODER_MEMORY: u64 = 4 << 30;

/// Enough for the drivers of any hardware encoder.
const FILES: u64 = 256;

/// A command that starts an encoder, without network. Arguments can be added.
///
/// # Errors
/// If this program's own file is not known.
pub fn encoder(program: &OsStr) -> io::Result<Command> {
    let mut command = confined(ENCODER_MEMORY)?;
    command.arg("--").arg(program);
    Ok(command)
}

/// A command that starts a converter, which sees its own directory and the system's programs and nothing
/// else. `memory` in bytes; `cpu` on the processor. Arguments can be added.
///
/// # Errors
/// If this program's own file is not known.
pub fn converter(
    program: &OsStr,
    memory: u64,
    cpu: Duration,
    directory: &Path,
) -> io::Result<Command> {
    let mut command = confined(memory)?;
    command
        .arg("--milliseconds")
        .arg(cpu.as_millis().to_string())
        .arg("--directory")
        .arg(directory)
        .arg("--")
        .arg(program)
        .current_dir(directory);
    Ok(command)
}

fn confined(memory: u64) -> io::Result<Command> {
    let mut command = Command::new(this_program()?);
    command
        .arg(SUBCOMMAND)
        .arg("--memory")
        .arg(memory.to_string());
    set_env(&mut command);
    Ok(command)
}

/// Confines this process, and becomes `program`. Returns only if it fails.
///
/// `memory` in bytes; `cpu`: on the processor; `directory`: the only one that it sees, beside the
/// system's programs.
pub fn become_program(
    program: &OsStr,
    arguments: &[OsString],
    memory: u64,
    cpu: Option<Duration>,
    directory: Option<&Path>,
) -> io::Result<Infallible> {
    let limits = Limits {
        memory,
        cpu,
        files: FILES,
    };
    let access = directory.map_or(Access::Files, Access::Directory);
    // What the system lacks is told of the decoders.
    confine(limits, access)?;
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
