//! The photos of an order that was previewed are decoded before the next preview asks for them.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::preview::{Previewer, without};
use crate::spec::{Source, VideoSpec};

/// Of the order that was previewed last; cheap to clone.
#[derive(Clone, Default)]
pub struct LookAhead(Arc<Mutex<CancellationToken>>);

impl LookAhead {
    /// The token of a new one. An earlier one ends after the photo that it is at.
    fn begin(&self) -> CancellationToken {
        let token = CancellationToken::new();
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        current.cancel();
        *current = token.clone();
        token
    }

    /// Ends it: something else is to be drawn.
    pub fn stop(&self) {
        self.begin().cancel();
    }
}

impl Previewer {
    /// Decodes the photos of an order that were uploaded, in the background, as far as there is room for them. Those
    /// behind addresses are left: nothing is fetched that may not be needed.
    pub fn look_ahead(&self, specs: Vec<VideoSpec>) {
        let (previewer, ended) = (self.clone(), self.ahead.begin());
        tokio::task::spawn_blocking(move || previewer.decode_ahead(&specs, &ended));
    }

    fn decode_ahead(&self, specs: &[VideoSpec], ended: &CancellationToken) {
        // What is begun is ended: a decoder that is stopped has to be started again.
        let never = CancellationToken::new();
        let Ok(skipped) = self.bad_photos(specs, &never) else {
            return;
        };
        let specs = &without(specs, &skipped);
        let Ok(materials) = self.materials(specs, false, &never) else {
            return;
        };
        let (logo, beats) = (materials.logo.as_deref(), materials.beats.as_deref());
        let compositions = self.pipeline.compositions(specs, logo, beats);
        let scenes = specs[0].scenes.iter().enumerate();
        let uploaded =
            scenes.filter(|(_, scene)| matches!(scene.photo.source, Source::Uploaded(_)));
        for (scene, _) in uploaded {
            if ended.is_cancelled() || !self.photos.has_room() {
                return;
            }
            // Err: a preview that shows it tells of it.
            let _ = self.load(&compositions, &[scene], false, &never, |photo| {
                photo.map(drop)
            });
        }
    }
}
