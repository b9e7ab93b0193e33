//! Other programs, confined: this program starts once more, confines itself, and becomes the other.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Access, Limits, confine, die_with_parent};
use crate::allocator::{scrub_env, set_env};

/// The subcommand of this program that confines itself and becomes another.
pub const SUBCOMMAND: &str = "confine";

/// The exit code of a program that could not be started, as of a shell.
pub const NOT_STARTED: u8 = 127;

/// The same of one that was found, but cannot be started.
pub const NOT_EXECUTABLE: u8 = 126;

/// What an encoder of the largest videos may hold, in bytes.
const ENCODER_MEMORY: u64 = 4 << 30;

/// Enough for the drivers of any hardware encoder.
const FILES: u64 = 256;

/// The largest file of a converter, in bytes: a PNG of the largest photo, and more.
const CONVERTED_BYTES: u64 = 1 << 30;

/// A command that starts an encoder, without network. Arguments can be added.
///
/// # Errors
/// If this program's own file is not known.
pub fn encoder(program: &OsStr) -> io::Result<Command> {
    let mut command = confined(ENCODER_MEMORY)?;
    command.arg("--").arg(program);
    Ok(command)
}

/// A command that starts a converter, which sees the files in its directory and the system's programs and
/// nothing else. `memory` in bytes; `cpu` on the processor. Arguments can be added.
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
/// `memory` in bytes; `cpu`: on the processor; `directory`: the only one whose files it sees, beside those of
/// the system's programs.
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
        file_bytes: directory.map(|_| CONVERTED_BYTES),
    };
    let access = match directory {
        None => Access::Files,
        Some(directory) => Access::Directory {
            directory,
            program: Path::new(program)
                .parent()
                .filter(|path| path.is_absolute()),
        },
    };
    if directory.is_some() {
        die_with_parent()?;
    }
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
