//! The command line: `kinora serve`, `kinora render`, `kinora order` and `kinora check`.

mod camera;
mod check;
mod confine;
mod decode;
mod display;
mod interrupt;
mod order;
mod order_file;
mod output_video;
mod partial_file;
mod render;
mod serve;
mod variant;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use crate::config::Flags;
use crate::{confinement, sandbox};
use check::Check;
use confine::Confine;
use decode::Decode;
use order::Order;
use render::Render;
use serve::Serve;

/// Turns still photographs into videos.
#[derive(Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the HTTP service.
    Serve(Serve),
    /// Make one video, without a service.
    Render(Box<Render>),
    /// Have a server make the videos of an order, and save them.
    Order(Order),
    /// Try ffmpeg, the data directory, the job store and the storage.
    Check(Check),
    /// Decode one file, for the service.
    #[command(hide = true, name = sandbox::SUBCOMMAND)]
    Decode(Decode),
    /// Start a program without network, for the service.
    #[command(hide = true, name = confinement::SUBCOMMAND)]
    Confine(Confine),
}

/// Does what the command line says, and tells how it went: 0 well, 1 failed, 2 misunderstood.
pub fn run() -> ExitCode {
    // One provider for all of TLS; a second call, from a test, changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = match Cli::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Render(render) => render.run(),
        Command::Order(order) => order.run(),
        Command::Check(check) => check.run(),
        Command::Decode(decode) => decode.run(),
        Command::Confine(confine) => confine.run(),
    };
    done.unwrap_or_else(|message| {
        eprintln!("kinora: {message}");
        ExitCode::FAILURE
    })
}

/// The flags that were given, each beside the setting it overrides.
fn flags<const N: usize>(given: [(&'static str, &'static str, Option<String>); N]) -> Flags {
    given
        .into_iter()
        .filter_map(|(flag, key, value)| Some((key, (flag, value?))))
        .collect()
}

fn runtime() -> Result<Runtime, String> {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_name("runtime")
        .build();
    runtime.map_err(|error| format!("the program cannot be started: {error}"))
}
