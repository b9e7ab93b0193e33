//! A bucket for the tests: one server for all, beside the services.

use std::sync::OnceLock;

use super::service::Setup;
use crate::servers::fake_gcs::FakeGcs;
use crate::servers::seaweedfs::SeaweedFs;

pub fn seaweedfs() -> &'static SeaweedFs {
    static SERVER: OnceLock<SeaweedFs> = OnceLock::new();
    SERVER.get_or_init(SeaweedFs::start)
}

pub fn fake_gcs() -> &'static FakeGcs {
    static SERVER: OnceLock<FakeGcs> = OnceLock::new();
    SERVER.get_or_init(FakeGcs::start)
}

/// With the peer's five variables for S3, as its users write them.
pub fn peer_s3(setup: Setup, endpoint: &str) -> Setup {
    let server = seaweedfs();
    setup
        .env("S3_ENDPOINT_URL", endpoint)
        .env("S3_ACCESS_KEY", server.access_key())
        .env("S3_SECRET_KEY", server.secret_key())
        .env("S3_BUCKET_NAME", server.bucket())
        .env("S3_REGION", "eu-central-1")
}

/// With `storage.url` and the provider's own variables.
pub fn own_s3(setup: Setup, prefix: &str) -> Setup {
    let server = seaweedfs();
    let url = format!("s3://{}/{prefix}", server.bucket());
    setup
        .env("KINORA_STORAGE_URL", url)
        .env("AWS_ENDPOINT_URL", server.endpoint())
        .env("AWS_ACCESS_KEY_ID", server.access_key())
        .env("AWS_SECRET_ACCESS_KEY", server.secret_key())
}
