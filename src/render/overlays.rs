//! The titles of a composition: when each is seen, and what it hides, blurs and covers. Pure.

use std::borrow::Cow;

use super::composition::Composition;
use super::scene::Blur;
use crate::spec::Size;
use crate::spec::overlay::{Overlay, Panel};
use crate::titles::{self, Titles};

/// A caption that is there for less cannot be read; in seconds.
const LEAST_CAPTION: f64 = 0.6;
/// Seconds in which one comes and goes.
const CAPTION_FADE: f64 = 0.3;

/// A title that is seen together with a photo for less, in seconds, does not matter to how that is framed.
const LEAST_TOGETHER: f64 = 0.5;

/// From and to, in seconds from the start.
type Span = (f64, f64);

impl Composition<'_> {
    /// The titles, painted for frames of a size.
    pub(super) fn titles(&self, frame: Size) -> Titles {
        Titles::new(&self.overlays(), self.logo, self.fonts, frame)
    }

    /// The titles of one moment, in seconds from the start.
    pub(super) fn titles_at(&self, seconds: f64, frame: Size) -> Titles {
        let mut visible = self.overlays();
        visible.retain(|overlay| overlay.opacity(seconds) > 0.0);
        Titles::new(&visible, self.logo, self.fonts, frame)
    }

    /// All titles, with the captions of the photos.
    fn overlays(&self) -> Vec<Overlay> {
        let captions = (0..self.spec.scenes.len()).filter_map(|index| self.caption(index));
        self.spec.overlays.iter().cloned().chain(captions).collect()
    }

    /// The caption of a photo, while it is seen alone and without titles that hide it.
    fn caption(&self, index: usize) -> Option<Overlay> {
        let panel = self.spec.scenes[index].caption.clone()?;
        let (start, end) = self.uncovered(index);
        (end - start >= LEAST_CAPTION).then(|| Overlay {
            start,
            end,
            fade_in: CAPTION_FADE.min((end - start) / 4.0),
            fade_out: CAPTION_FADE.min((end - start) / 4.0),
            panel,
        })
    }

    /// The longest time in which a photo is seen alone and no title hides it.
    fn uncovered(&self, index: usize) -> Span {
        let overlays = self.spec.overlays.iter();
        let hiding = overlays.filter(|overlay| overlay.panel.hides_photo());
        let hidden = hiding.map(|overlay| (overlay.start, overlay.end));
        longest_gap(self.alone(index), hidden.collect())
    }

    /// When a photo is seen alone, without the time that the first and the last one have for titles.
    fn alone(&self, index: usize) -> Span {
        let scenes = &self.spec.scenes;
        let rate = f64::from(self.spec.output.frame_rate);
        let frames = self.timeline.alone(index);
        let (start, end) = (f64::from(frames.start) / rate, f64::from(frames.end) / rate);
        let covered = scenes[index].covered;
        match index {
            _ if scenes.len() == 1 => (start, end),
            0 => (start.max(covered), end),
            _ if index + 1 == scenes.len() => {
                (start, end.min(self.spec.output.seconds() - covered))
            }
            _ => (start, end),
        }
    }

    /// What titles blur while a scene is seen.
    pub(super) fn blurs(&self, index: usize) -> Vec<Blur> {
        let rate = f64::from(self.spec.output.frame_rate);
        let blur = |overlay: &Overlay| {
            let deviation = overlay.panel.blur()?;
            let opacity = |k| overlay.opacity(f64::from(k) / rate);
            let shares: Vec<f64> = self.timeline.span(index).map(opacity).collect();
            let is_seen = shares.iter().any(|share| *share > 0.0);
            is_seen.then_some(Blur { deviation, shares })
        };
        self.spec.overlays.iter().filter_map(blur).collect()
    }

    /// The part of the frame, from below, that titles cover while a photo is to be seen, as a fraction of its height.
    pub(super) fn covered_below(&self, scene: usize, frame: Size) -> f64 {
        let (from, to) = self.uncovered(scene);
        let least = LEAST_TOGETHER.min((to - from) / 4.0);
        let is_seen = |overlay: &Overlay| {
            let together = to.min(overlay.end) - from.max(overlay.start);
            together >= least && !overlay.panel.hides_photo()
        };
        let covered = self.covered_by_each(frame);
        let titles = self.spec.overlays.iter().zip(covered.iter());
        let of_titles = titles
            .filter(|(overlay, _)| is_seen(overlay))
            .map(|(_, covered)| *covered);
        let caption = self
            .caption(scene)
            .map(|caption| self.covered_by(&caption.panel, frame));
        of_titles.chain(caption).fold(0.0, f64::max)
    }

    fn covered_by(&self, panel: &Panel, frame: Size) -> f64 {
        titles::covered_below(panel, self.logo, self.fonts, frame)
    }

    /// The same of each of the titles, kept for frames of the first size that is asked for.
    fn covered_by_each(&self, frame: Size) -> Cow<'_, [f64]> {
        let of_each = || {
            let panels = self.spec.overlays.iter().map(|overlay| &overlay.panel);
            let covered = panels.map(|panel| self.covered_by(panel, frame));
            covered.collect::<Vec<_>>()
        };
        let (size, covered) = self.covered_below.get_or_init(|| (frame, of_each()));
        if *size == frame {
            Cow::Borrowed(covered)
        } else {
            Cow::Owned(of_each())
        }
    }
}

/// The longest part of a span that is in none of the others.
fn longest_gap((mut start, end): Span, mut others: Vec<Span>) -> Span {
    others.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut longest = (start, start);
    for (from, to) in others.into_iter().chain([(end, end)]) {
        let until = from.min(end);
        if until - start > longest.1 - longest.0 {
            longest = (start, until);
        }
        start = start.max(to);
    }
    longest
}
