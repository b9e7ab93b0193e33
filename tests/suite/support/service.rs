//! The real binary, serving on a free port with a data directory of its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::client::{Answer, client};
use super::scratch::Scratch;
use super::wait;

pub const KEY: &str = "key-of-the-tests";
pub const PAID: &str = "/paid/image/convert/video";
pub const V1: &str = "/v1/image/convert/video";
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How a service is to be started; kept, so that it can be started again.
#[derive(Clone)]
pub struct Setup {
    env: BTreeMap<String, String>,
    args: Vec<String>,
    program: PathBuf,
    /// Its working directory, and the home of its data.
    home: Arc<Scratch>,
}

impl Setup {
    /// One worker, the tests' key and secret, and a way to the servers beside it.
    pub fn new() -> Self {
        let bare = Self::bare();
        bare.env("API_KEY", KEY)
            .env("KINORA_WORKERS", "1")
            .env("KINORA_ALLOW_NETWORKS", "127.0.0.0/8")
            .env("KINORA_WEBHOOK_SECRET", SECRET)
    }

    /// Nothing but a free port.
    pub fn bare() -> Self {
        let setup = Self {
            env: BTreeMap::new(),
            args: Vec::new(),
            program: env!("CARGO_BIN_EXE_kinora").into(),
            home: Arc::new(Scratch::new()),
        };
        setup.env("KINORA_BIND", "127.0.0.1:0")
    }

    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// Starts it by another program, which becomes it.
    pub fn program(mut self, program: &Path) -> Self {
        self.program = program.to_owned();
        self
    }

    /// Lays a `config.toml` where the service finds it by itself.
    pub fn config(self, toml: &str) -> Self {
        self.home.write("config.toml", toml);
        self
    }

    pub fn home(&self) -> &Scratch {
        &self.home
    }

    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("serve")
            .args(&self.args)
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(&self.env)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it, and waits until it listens.
    pub async fn start(self) -> Service {
        let mut child = self.command().spawn().expect("the service's process");
        let log = listen(&mut child);
        let mut service = Service {
            setup: self,
            child,
            log,
            base: String::new(),
            client: client(),
        };
        service.base = service.address().await;
        service
    }
}

pub struct Service {
    setup: Setup,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    base: String,
    client: Client,
}

impl Service {
    /// As [`Setup::new`] says.
    pub async fn start() -> Self {
        Setup::new().start().await
    }

    async fn address(&mut self) -> String {
        let (child, log) = (&mut self.child, &self.log);
        wait::until("the service listens", || {
            let log = log.lock().unwrap();
            let address = log
                .iter()
                .find_map(|line| line.split("listening on ").nth(1));
            if let (None, Ok(Some(status))) = (address, child.try_wait()) {
                panic!("the service ended with {status}: {log:#?}");
            }
            // The line may be JSON.
            let address = address?.split('"').next();
            Some(address?.trim().to_owned())
        })
        .await
    }

    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// What it has logged so far, a line each.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub async fn logged(&self, words: &str) -> String {
        let what = format!("the log says {words:?}");
        wait::until(&what, || {
            self.log().into_iter().find(|line| line.contains(words))
        })
        .await
    }

    /// A request without a key.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// A request with the right key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).header("x-api-key", KEY)
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.posting(path, body)).await
    }

    /// Posts, and lets the test go on while it waits for the answer.
    pub fn post_aside(&self, path: &str, body: &Value) -> JoinHandle<Answer> {
        tokio::spawn(Answer::to(self.posting(path, body)))
    }

    pub fn posting(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path)
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// The answer to the question how a job is.
    pub async fn job(&self, id: &str) -> Value {
        let answer = self
            .post("/v1/toolkit/job/status", &json!({ "job_id": id }))
            .await;
        answer.expect(200)
    }

    /// Waits until a job is in this state, and tells its status.
    pub async fn job_is(&self, id: &str, state: &str) -> Value {
        let what = format!("job {id} is {state}");
        wait::until_async(&what, async || {
            Some(self.job(id).await).filter(|job| job["job_status"] == state)
        })
        .await
    }

    /// What its process has used of the processor until now.
    #[cfg(target_os = "linux")]
    pub fn processor_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        let stat = stat.expect("a process");
        let fields = stat.rsplit(')').next().expect("fields");
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks = |field: usize| fields[field].parse::<f64>().expect("a number");
        // User and system time, in hundredths: fields 14 and 15, the first two of which have been cut.
        (ticks(12) + ticks(13)) / 100.0
    }

    /// Memory of the service's own process.
    #[cfg(target_os = "linux")]
    pub fn resident_mebibytes(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most that it has ever been.
    #[cfg(target_os = "linux")]
    pub fn peak_mebibytes(&self) -> u64 {
        self.memory("VmHWM:")
    }

    #[cfg(target_os = "linux")]
    fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the process's state");
        let line = status.lines().find(|line| line.starts_with(name));
        let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
        kibibytes
            .and_then(|number| number.parse::<u64>().ok())
            .expect("a size")
            / 1024
    }

    pub fn terminate(&self) {
        self.signal("TERM");
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "kill -{name}");
    }

    /// Waits for the end.
    pub async fn ended(&mut self) -> ExitStatus {
        wait::until("the service ends", || self.child.try_wait().ok()?).await
    }

    /// Kills it in the middle of whatever it does.
    pub async fn kill(mut self) -> Setup {
        self.signal("KILL");
        self.ended().await;
        self.setup.clone()
    }

    /// Kills it, and starts another with the same settings and data.
    pub async fn kill_and_restart(self) -> Self {
        self.kill().await.start().await
    }

    /// The same for one that has ended by itself.
    pub async fn start_again(self) -> Self {
        self.setup.clone().start().await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Err: it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps what the service says, and keeps its pipe from filling up.
fn listen(child: &mut Child) -> Arc<Mutex<Vec<String>>> {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let lines = log.clone();
    let stderr = child.stderr.take().expect("the service's stderr");
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    });
    log
}
