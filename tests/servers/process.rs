//! A server's process, which ends with the test's process in every case.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::ports::Ports;

const INSTALLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/servers/bin");
/// Long enough for a busy machine: only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(10);
/// Starts on ports that turn out to be taken.
const ATTEMPTS: usize = 5;

/// How a server is run, and how one sees that it serves.
pub struct Launch {
    pub arguments: Vec<String>,
    pub variables: Vec<(&'static str, String)>,
    /// Files that it leaves outside of its directory.
    pub litter: Vec<PathBuf>,
    pub serves: Box<dyn Fn() -> bool + Send + Sync>,
}

/// A server with ports and a directory of its own.
pub struct Process {
    program: &'static str,
    launch: Launch,
    shell: Option<Shell>,
    directory: TempDir,
    ports: Ports,
}

impl Process {
    /// Starts a program of `scripts/install-test-servers`, and waits until it serves.
    pub fn start(program: &'static str, launch: impl Fn(&Ports, &Path) -> Launch) -> Self {
        for _ in 0..ATTEMPTS {
            let ports = Ports::reserve();
            let directory = tempfile::tempdir().expect("a directory for the server");
            let mut process = Self {
                program,
                launch: launch(&ports, directory.path()),
                shell: None,
                directory,
                ports,
            };
            if process.run() {
                return process;
            }
            eprintln!("{program} ended at once: {}", process.log());
        }
        panic!("{program} could not be started on any ports");
    }

    /// One of its ports, as it was asked for when it was launched.
    pub fn port(&self, index: u16) -> u16 {
        self.ports.port(index)
    }

    /// Ends the server, which gets the time to write what it has in memory.
    pub fn stop(&mut self) {
        if let Some(shell) = self.shell.take() {
            shell.stop();
        }
    }

    /// Sends it a signal.
    pub fn signal(&mut self, name: &str) {
        if let Some(shell) = &mut self.shell {
            shell.signal(name);
        }
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            // Not by closing the pipe, which removes the data.
            shell.child.wait().expect("the shell's end");
        }
    }

    /// Starts it again on the same ports, with the same data.
    pub fn restart(&mut self) {
        self.stop();
        assert!(self.run(), "{} ended: {}", self.program, self.log());
    }

    /// Waits until the server serves; false if it has ended instead.
    fn run(&mut self) -> bool {
        let program = Path::new(INSTALLED).join(self.program);
        assert!(
            program.exists(),
            "{} is not installed: run scripts/install-test-servers",
            self.program
        );
        let mut shell = Shell::run(&program, &self.launch, self.directory.path());
        let deadline = Instant::now() + PATIENCE;
        while !(self.launch.serves)() {
            if shell.has_ended() {
                return false;
            }
            assert!(
                Instant::now() < deadline,
                "{} does not serve: {}",
                self.program,
                self.log()
            );
            thread::sleep(STEP);
        }
        // Else it was another server that answered, on a port that this one did not get.
        let serves = !shell.has_ended();
        self.shell = Some(shell);
        serves
    }

    fn log(&self) -> String {
        let log = fs::read(self.directory.path().join(LOG)).unwrap_or_default();
        let end = log.len().saturating_sub(4_000);
        String::from_utf8_lossy(&log[end..]).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.shell.take());
        for path in &self.launch.litter {
            // Err: the shell has removed it, or it never was.
            let _ = fs::remove_file(path);
        }
    }
}

const LOG: &str = "log";

/// The shell that runs the server as `process.sh` says.
struct Shell {
    child: Child,
    /// The server lives as long as this is open.
    orders: Option<ChildStdin>,
}

impl Shell {
    fn run(program: &Path, launch: &Launch, directory: &Path) -> Self {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(directory.join(LOG))
            .expect("a log");
        let litter: Vec<_> = launch.litter.iter().map(PathBuf::as_path).collect();
        let litter = [&[directory], litter.as_slice()].concat();
        let litter: Vec<_> = litter.iter().map(|path| path.to_string_lossy()).collect();
        let mut child = Command::new("/bin/sh")
            .args(["-c", include_str!("process.sh"), "sh", &litter.join("\n")])
            .arg(program)
            .args(&launch.arguments)
            // Nothing that a developer has set for servers of their own.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", directory)
            .envs(launch.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            // A signal from the terminal ends the test, and that ends the server.
            .process_group(0)
            .spawn()
            .expect("a shell");
        let orders = child.stdin.take();
        Self { child, orders }
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the shell's state").is_some()
    }

    fn stop(mut self) {
        self.signal("TERM");
        let deadline = Instant::now() + PATIENCE;
        while !self.has_ended() && Instant::now() < deadline {
            thread::sleep(STEP);
        }
        self.signal("KILL");
        // Not by closing the pipe, which removes the data.
        self.child.wait().expect("the shell's end");
    }

    fn signal(&mut self, name: &str) {
        if let Some(orders) = &mut self.orders {
            // Err: the server has ended.
            let _ = writeln!(orders, "{name}");
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.orders.take());
        // Err: it has been waited for.
        let _ = self.child.wait();
    }
}
