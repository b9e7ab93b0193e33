//! `make demo`: starts the real service, sends it a photo over HTTP as a client would, prints the
//! answer and stops the service again.
//!
//! A photo that is a file is served from here, because the service takes addresses only.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Instant;

use actix_web::{App, HttpServer, web};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const DATA_DIR: &str = "data";

#[tokio::main]
async fn main() -> Result<()> {
    let image = std::env::args().nth(1).ok_or("usage: demo PATH-OR-URL")?;
    let image_url = if image.contains("://") {
        image
    } else {
        serve_photo(&image)?
    };

    let service = Service::start()?;
    println!("POST {}/paid/image/convert/video", service.url);
    println!("{}\n", json!({ "image_url": image_url }));
    let begun = Instant::now();
    let answer = service.image_to_video(&image_url).await?;
    println!("{answer:#}\n");
    let id = answer["job_id"].as_str().unwrap_or_default();
    if answer["code"] != 200 {
        return Err("there is no video; the answer says why".into());
    }
    let video = Path::new(DATA_DIR).join("videos").join(format!("{id}.mp4"));
    println!(
        "made in {:.1} s: {}",
        begun.elapsed().as_secs_f64(),
        video.canonicalize()?.display()
    );
    Ok(())
}

/// Serves one file on a free port of this machine, for as long as the program runs.
fn serve_photo(path: &str) -> Result<String> {
    let photo = std::fs::read(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    let photo = web::Bytes::from(photo);
    let server = HttpServer::new(move || {
        let photo = photo.clone();
        App::new().default_service(web::to(move || std::future::ready(photo.clone())))
    })
    .workers(1)
    .bind(("127.0.0.1", 0))?;
    let url = format!("http://{}/photo", server.addrs()[0]);
    tokio::spawn(server.run());
    Ok(url)
}

/// A running `kinora serve`, stopped with the value.
struct Service {
    process: Child,
    url: String,
    key: String,
}

impl Service {
    fn start() -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("../kinora");
        let mut process = Command::new(program)
            .arg("serve")
            .args(["--bind", "127.0.0.1:0", "--data-dir", DATA_DIR])
            // For the photo, which is served from this machine.
            .env("KINORA_ALLOW_NETWORKS", "127.0.0.0/8")
            .env_remove("API_KEY")
            .env_remove("KINORA_PUBLIC_URL")
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = process.stderr.take().ok_or("the service has no log")?;
        let url = listening(stderr)?;
        let key = std::fs::read_to_string(Path::new(DATA_DIR).join("api-key"))?
            .trim()
            .to_owned();
        Ok(Self { process, url, key })
    }

    async fn image_to_video(&self, image_url: &str) -> Result<Value> {
        // Either may be the first to do it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let request = reqwest::Client::builder().no_proxy().build()?;
        let request = request
            .post(format!("{}/paid/image/convert/video", self.url))
            .header("x-api-key", &self.key)
            .header("content-type", "application/json")
            .body(json!({ "image_url": image_url }).to_string());
        let text = request.send().await?.text().await?;
        Ok(serde_json::from_str(&text)?)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // As an operator would: the service ends by itself.
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
    }
}

/// Passes the service's log on, and picks the address out of it.
fn listening(stderr: ChildStderr) -> Result<String> {
    let mut lines = BufReader::new(stderr).lines();
    let mut url = None;
    for line in lines.by_ref() {
        let line = line?;
        eprintln!("{line}");
        if let Some((_, address)) = line.split_once("listening on ") {
            url = Some(address.to_owned());
            break;
        }
    }
    std::thread::spawn(move || {
        lines
            .map_while(std::io::Result::ok)
            .for_each(|line| eprintln!("{line}"))
    });
    url.ok_or_else(|| "the service did not start".into())
}
