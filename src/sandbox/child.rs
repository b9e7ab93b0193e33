//! The decoding process: confines itself, and decodes one file after the other until it is killed.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use super::FILES_PER_PROCESS;
use super::protocol::{Answer, Request, Task, receive, send};
use crate::confinement::{self, Access, confine, die_with_parent, limit_cpu_for_now, limit_memory};
use crate::picture::{self, Decoded, Detail, Limits, Logo, PictureError};
use crate::sound::{self, SoundError};
use crate::spec::Size;

/// Its three pipes, two of them twice, and some to spare.
const FILES: u64 = 8;

/// Limits of processor time are in whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);

/// What the program itself holds, in bytes.
const PROGRAM_BYTES: u64 = 16 << 20;

/// Decodes what comes over the standard input. `memory`: in bytes, the most that it may ever hold; `cpu`: on the
/// processor, for one file.
///
/// # Errors
/// When it cannot be confined, and when the service goes away.
pub fn run(memory: u64, cpu: Duration) -> io::Result<Infallible> {
    // Without the standard library's buffers, which would copy every picture once more.
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    die_with_parent()?;
    let limits = confinement::Limits {
        memory,
        cpu: Some((cpu + ROUNDING) * FILES_PER_PROCESS),
        files: FILES,
        file_bytes: Some(0),
    };
    let missing = confine(limits, Access::Pipes)?;
    let missing = missing.into_iter().map(str::to_owned).collect();
    send(&mut output, &Answer::Ready(missing))?;
    loop {
        let request: Request = receive(&mut input)?;
        limit_memory(request.memory)?;
        limit_cpu_for_now(cpu)?;
        answer(&request, &mut input, &mut output)?;
    }
}

fn answer(request: &Request, input: &mut File, output: &mut File) -> io::Result<()> {
    let mut bytes = Vec::new();
    let length = usize::try_from(request.file_bytes).map_err(io::Error::other)?;
    if bytes.try_reserve_exact(length).is_err() {
        return send(output, &Answer::OutOfMemory(None));
    }
    input.take(request.file_bytes).read_to_end(&mut bytes)?;
    let within = |limits: Limits| Limits {
        max_memory: request
            .memory
            .saturating_sub(request.file_bytes + PROGRAM_BYTES),
        ..limits
    };
    match request.task {
        Task::Photo(limits) => {
            let decoded = picture::decode(&bytes, &within(limits));
            drop(bytes);
            let upright = |decoded: Decoded| match request.is_upright {
                true => decoded.already_upright(),
                false => decoded,
            };
            send_photo(decoded.map(upright), input, output)
        }
        Task::Logo(limits, max) => {
            let logo = picture::logo(&bytes, &within(limits), max, request.is_upright);
            send_logo(logo, output)
        }
        Task::Soundtrack(seconds) => send_soundtrack(&bytes, seconds, output),
    }
}

fn send_photo(
    decoded: Result<Decoded, PictureError>,
    input: &mut File,
    output: &mut File,
) -> io::Result<()> {
    let decoded = match decoded {
        Ok(decoded) => decoded,
        Err(error) => return send(output, &without_picture(error)),
    };
    send(output, &Answer::Size(decoded.size()))?;
    let detail: Detail = receive(input)?;
    let picture = decoded.into_picture(detail);
    send(output, &Answer::Planes)?;
    picture
        .planes
        .iter()
        .try_for_each(|plane| output.write_all(&plane.data))
}

fn send_logo(logo: Result<Logo, PictureError>, output: &mut File) -> io::Result<()> {
    match logo {
        Ok(logo) => {
            send(output, &Answer::Logo(logo.size()))?;
            output.write_all(logo.pixels().as_flattened())
        }
        Err(error) => send(output, &without_picture(error)),
    }
}

fn send_soundtrack(bytes: &[u8], seconds: f64, output: &mut File) -> io::Result<()> {
    match sound::soundtrack(bytes, seconds) {
        Ok(track) => {
            let soundtrack = Answer::Soundtrack {
                rate: track.rate(),
                frames: track.frames().len() as u64,
            };
            send(output, &soundtrack)?;
            track.write_samples(output)
        }
        Err(error) => send(output, &without_sound(&error)),
    }
}

fn without_picture(error: PictureError) -> Answer {
    match error {
        PictureError::TooMuchMemory { width, height, .. } => {
            Answer::OutOfMemory(Some(Size { width, height }))
        }
        PictureError::TooCostly(_) => Answer::OutOfMemory(None),
        error => Answer::Rejected(error.to_string()),
    }
}

fn without_sound(error: &SoundError) -> Answer {
    Answer::Rejected(error.to_string())
}
