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

/// Variables that encoders and their drivers have a use for. All others are the service's, and may hold keys.
const ENCODER_VARIABLES: [&str; 8] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "XDG_RUNTIME_DIR",
];
const ENCODER_PREFIXES: [&str; 8] = [
    "CUDA_", "DRI_", "LIBVA_", "MESA_", "MFX_", "NVIDIA_", "ONEVPL_", "VDPAU_",
];

/// A command that starts an encoder, without network. Arguments can be added.
///
/// # Errors
/// If this program's own file is not known.
pub fn encoder(program: &OsStr) -> io::Result<Command> {
    let mut command = confined(ENCODER_MEMORY)?;
    let variables = std::env::vars_os().filter(|(name, _)| is_for_encoders(name));
    command.arg("--").arg(program).env_clear().envs(variables);
    set_env(&mut command);
    Ok(command)
}

/// A command that starts a converter, which sees the files in its directory and the system's programs and
/// nothing else, and may write `results`, files of that directory. `memory` in bytes; `cpu` on the processor.
/// Arguments can be added.
///
/// # Errors
/// If this program's own file is not known.
pub fn converter(
    program: &OsStr,
    memory: u64,
    cpu: Duration,
    directory: &Path,
    results: &[&str],
) -> io::Result<Command> {
    let mut command = confined(memory)?;
    command
        .arg("--milliseconds")
        .arg(cpu.as_millis().to_string())
        .arg("--directory")
        .arg(directory)
        .args(results.iter().flat_map(|result| ["--result", result]))
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

fn is_for_encoders(name: &OsStr) -> bool {
    let begins = |prefix: &&str| name.as_encoded_bytes().starts_with(prefix.as_bytes());
    ENCODER_VARIABLES.iter().any(|known| name == *known) || ENCODER_PREFIXES.iter().any(begins)
}

/// Confines this process, and becomes `program`. Returns only if it fails.
///
/// `memory` in bytes; `cpu`: on the processor; `directory`: the only one whose files it sees, beside those of
/// the system's programs; `results`: those of them that it may write.
pub fn become_program(
    program: &OsStr,
    arguments: &[OsString],
    memory: u64,
    cpu: Option<Duration>,
    directory: Option<&Path>,
    results: &[String],
) -> io::Result<Infallible> {
    let limits = Limits {
        memory,
        cpu,
        files: FILES,
        file_bytes: directory.map(|_| CONVERTED_BYTES),
    };
    let within = |directory: &Path| results.iter().map(|name| directory.join(name)).collect();
    let results: Vec<PathBuf> = directory.map(within).unwrap_or_default();
    let access = match directory {
        None => Access::Files,
        Some(directory) => Access::Directory {
            directory,
            results: &results,
            program: Path::new(program)
                .parent()
                .filter(|path| path.is_absolute()),
        },
    };
    die_with_parent()?;
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
