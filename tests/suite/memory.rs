//! What the service holds on to when the work is done.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use crate::support::order::short;
use crate::support::photos::{Photo, PhotoServer};
use crate::support::picture::{detailed, jpeg};
use crate::support::service::{PAID, Service};

#[tokio::test]
async fn large_photos_leave_no_memory_behind() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let large = photos.put(
        "/large.jpg",
        Photo::Bytes("image/jpeg", jpeg(&detailed(4800, 3200))),
    );
    for _ in 0..4 {
        service.post(PAID, &short(&large)).await.expect(200);
    }
    let held = service.resident_mebibytes();
    assert!(held < 40, "{held} MiB");
}
