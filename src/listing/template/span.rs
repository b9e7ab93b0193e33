//! When panels are visible, in a video of any length. Pure functions.

/// Seconds as in a template: from the start, or from the end if they are negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DraftSpan {
    pub start: f64,
    /// `None` is the end of the video.
    pub end: Option<f64>,
    pub fade_in: f64,
    pub fade_out: f64,
}

/// Seconds from the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub start: f64,
    pub end: f64,
    pub fade_in: f64,
    pub fade_out: f64,
}

/// A panel that is visible for less cannot be read.
const MIN_SECONDS: f64 = 0.9;

/// A title that starts later, in seconds, is none at the beginning.
const OPENING_STARTS: f64 = 3.0;

/// The most of a video that its opening title and its closing card take together.
const TITLES_SHARE: f64 = 0.5;

/// The factor on all times in a video of `length` seconds: 1 if it is long enough, else less, so that
/// times from the start come before times from the end, and most of the video is left to the photos.
pub(super) fn pace(spans: &[DraftSpan], length: f64) -> f64 {
    let times = || {
        spans
            .iter()
            .flat_map(|span| [Some(span.start), span.end])
            .flatten()
    };
    let from_start = times().fold(0.0, f64::max);
    let from_end = -times().fold(0.0, f64::min);
    let needed = from_start + from_end;
    let opening = longest(spans, |span| span.opening());
    let closing = longest(spans, |span| span.closing());
    let wanted = needed.max((opening + closing) / TITLES_SHARE);
    if wanted > length {
        length / wanted
    } else {
        1.0
    }
}

fn longest(spans: &[DraftSpan], seconds: impl Fn(&DraftSpan) -> Option<f64>) -> f64 {
    spans.iter().filter_map(seconds).fold(0.0, f64::max)
}

impl DraftSpan {
    /// Of a title at the beginning, which ends at a time of its own: that time.
    pub fn opening(&self) -> Option<f64> {
        let opens = (0.0..OPENING_STARTS).contains(&self.start);
        self.end.filter(|end| opens && *end >= 0.0)
    }

    /// Of a card at the end, which stays until there: how long.
    pub fn closing(&self) -> Option<f64> {
        (self.start < 0.0 && self.end.is_none()).then_some(-self.start)
    }

    /// The span in a video of `length` seconds, its times multiplied by `pace`; `None` if it is too
    /// short to read.
    pub fn at(self, length: f64, pace: f64) -> Option<Span> {
        let moment = |time: f64| {
            let from = if time < 0.0 { length } else { 0.0 };
            (from + time * pace).clamp(0.0, length)
        };
        let (start, end) = (moment(self.start), self.end.map_or(length, moment));
        let seconds = end - start;
        if seconds < MIN_SECONDS {
            return None;
        }
        // Fades share a span that is shorter than both.
        let (fade_in, fade_out) = (self.fade_in * pace, self.fade_out * pace);
        let squeeze = (seconds / (fade_in + fade_out)).min(1.0);
        Some(Span {
            start,
            end,
            fade_in: fade_in * squeeze,
            fade_out: fade_out * squeeze,
        })
    }
}

/// The whole video.
pub(super) fn whole(length: f64) -> Span {
    Span {
        start: 0.0,
        end: length,
        fade_in: 0.0,
        fade_out: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: f64, end: Option<f64>) -> DraftSpan {
        DraftSpan {
            start,
            end,
            fade_in: 0.5,
            fade_out: 0.5,
        }
    }

    const OPENING: (f64, Option<f64>) = (0.5, Some(4.0));
    const MIDDLE: (f64, Option<f64>) = (5.0, Some(-5.0));
    const CLOSING: (f64, Option<f64>) = (-4.5, None);

    fn at(length: f64) -> Vec<Option<(f64, f64)>> {
        let spans = [OPENING, MIDDLE, CLOSING].map(|(start, end)| span(start, end));
        let pace = pace(&spans, length);
        spans
            .map(|span| span.at(length, pace).map(|span| (span.start, span.end)))
            .into()
    }

    #[test]
    fn spans_hold_on_to_the_end_they_are_counted_from() {
        assert_eq!(
            at(30.0),
            [Some((0.5, 4.0)), Some((5.0, 25.0)), Some((25.5, 30.0))]
        );
        assert_eq!(at(400.0)[1..], [Some((5.0, 395.0)), Some((395.5, 400.0))]);
    }

    #[test]
    fn short_videos_go_faster_and_drop_what_cannot_be_read() {
        // The opening title and the closing card of 8.5 s take half of it.
        assert_eq!(at(8.5)[1], Some((2.5, 6.0)));
        assert_eq!(at(8.5)[2], Some((6.25, 8.5)));
        assert_eq!(at(2.0)[1], None);
        assert_eq!(at(1.0), [None, None, None]);
        assert_eq!(at(0.0), [None, None, None]);
    }

    #[test]
    fn spans_never_meet_that_did_not_in_a_long_video() {
        for tenths in 1..4000 {
            let spans: Vec<_> = at(f64::from(tenths) / 10.0).into_iter().flatten().collect();
            assert!(
                spans.windows(2).all(|pair| pair[0].1 <= pair[1].0),
                "{spans:?}"
            );
        }
    }

    #[test]
    fn fades_fit_into_their_span() {
        let long_fades = DraftSpan {
            fade_in: 3.0,
            fade_out: 1.0,
            ..span(0.0, Some(2.0))
        };
        let span = long_fades.at(30.0, 1.0).unwrap();
        assert_eq!((span.fade_in, span.fade_out), (1.5, 0.5));
    }
}
