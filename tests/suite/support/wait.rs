//! Waiting for something to become true, and giving up loudly.

use std::time::{Duration, Instant};

/// Long enough for a busy machine: only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(10);

/// Waits until `look` sees something.
pub async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    until_async(what, async || look()).await
}

/// The same for a look that takes time itself.
pub async fn until_async<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(STEP).await;
    }
}

/// Waits on the test's own thread, where nothing else has to go on.
pub fn until_blocking<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(STEP);
    }
}
