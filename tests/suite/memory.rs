//! What the service holds on to when the work is done.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use crate::support::order::{short, with};
use crate::support::photos::{Photo, PhotoServer};
use crate::support::picture::{detailed, jpeg};
use crate::support::service::{PAID, Service};

#[tokio::test]
async fn large_photos_leave_no_memory_behind() {
    let (service, photos) = (Service::start().await, PhotoServer::start());
    let large = photos.put(
        "/large.jpg",
        Photo::Bytes("image/jpeg", jpeg(&detailed(4000, 3000))),
    );
    let order = with(short(&large), serde_json::json!({ "zoom_speed": 100 }));
    for _ in 0..3 {
        service.post(PAID, &order).await.expect(200);
    }
    let held = service.resident_mebibytes();
    assert!(held < 60, "{held} MiB");
}
