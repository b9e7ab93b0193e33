//! A service with a video to download, and requests for it as bytes.

use std::fs::File;

use uuid::Uuid;

use super::service::{Service, Setup};

/// A service with a video of so many bytes.
pub async fn serving(settings: &str, bytes: u64) -> (Service, String) {
    let setup = Setup::new().config(&format!("[server]\n{settings}\n"));
    let name = format!("{}.mp4", Uuid::new_v4());
    let videos = setup.data().join("videos");
    std::fs::create_dir_all(&videos).expect("a directory");
    let video = File::create(videos.join(&name)).expect("a file");
    video.set_len(bytes).expect("room");
    (setup.start().await, format!("/videos/{name}"))
}

pub fn request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").into_bytes()
}
