//! Work with pictures for a client who waits for it.

use std::time::Instant;

use log::error;
use tokio_util::sync::CancellationToken;

use crate::api::Service;
use crate::api::error::ApiError;
use crate::metrics::metrics;
use crate::pipeline::{PipelineError, Previewer};

/// What pictures are worked on for.
pub enum Purpose {
    /// With how many photos it may need at once.
    Preview {
        photos: usize,
    },
    Upload,
}

/// Draws on a thread of its own, until the client hangs up.
pub async fn drawing<T: Send + 'static>(
    service: &Service,
    purpose: Purpose,
    draw: impl FnOnce(&Previewer, &CancellationToken) -> Result<T, PipelineError> + Send + 'static,
) -> Result<T, ApiError> {
    service.free_space.check()?;
    let previewer = service.previewer.clone();
    let places = match purpose {
        Purpose::Preview { photos } => previewer.places(photos).await,
        Purpose::Upload => previewer.place_for_upload().await,
    };
    let places = places.ok_or(ApiError::TooManyPreviews)?;
    let cancel = CancellationToken::new();
    let _hung_up = cancel.clone().drop_guard();
    let drawn = tokio::task::spawn_blocking(move || {
        // Until the last photo is gone, whether anybody waits for it or not.
        let _places = places;
        draw(&previewer, &cancel)
    });
    let began = Instant::now();
    let drawn = drawn.await.map_err(|panic| {
        error!("a preview panicked: {panic}");
        ApiError::Internal
    })?;
    metrics().previews.observe(began.elapsed().as_secs_f64());
    drawn.map_err(|error| match error {
        PipelineError::Failed(failure) | PipelineError::Temporary(failure) => {
            ApiError::Unprocessable(failure)
        }
        PipelineError::Cancelled => ApiError::Internal,
    })
}
