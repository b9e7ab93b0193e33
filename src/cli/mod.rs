//! The command line: `kinora serve`, `kinora render`, `kinora order`, `kinora check` and `kinora completions`.

mod camera;
mod check;
mod completions;
mod confine;
mod decode;
mod display;
mod interrupt;
mod manual;
mod order;
mod order_file;
mod output_video;
mod partial_file;
mod render;
mod serve;
mod variant;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use crate::config::Flags;
use crate::{confinement, sandbox};
use check::Check;
use completions::Completions;
use confine::Confine;
use decode::Decode;
use manual::Manual;
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
    /// Print the completions of a shell.
    Completions(Completions),
    /// Write the manual, for packages.
    #[command(hide = true)]
    Manual(Manual),
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
        Command::Completions(completions) => completions.run(),
        Command::Manual(manual) => manual.run(),
        Command::Decode(decode) => decode.run(),
        Command::Confine(confine) => confine.run(),
    };
    done.unwrap_or_else(|message| {
        eprintln!("kinora: {message}");
        ExitCode::FAILURE
    })
}

/// What the command line takes, without what is for the service and for packages.
fn visible_command() -> clap::Command {
    let whole = Cli::command();
    let parts = whole.get_subcommands().filter(|part| !part.is_hide_set());
    let parts: Vec<clap::Command> = parts.cloned().collect();
    clap::Command::new("kinora")
        .version(env!("CARGO_PKG_VERSION"))
        .about(whole.get_about().cloned().unwrap_or_default())
        .subcommands(parts)
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
