//! The flags that say how photos are shown.

use clap::Args;

use crate::listing::OwnTransition;
use crate::spec::{Easing, Fit, Focus, Motion, Move, Point, TransitionKind, VideoSpec, View};

/// How photos are shown.
#[derive(Args)]
pub struct Camera {
    /// What the camera does over each photo: auto, still, zoom-in, zoom-out, pan-left, pan-right, pan-up, pan-down,
    /// or from one part of the photo to another: X,Y,WIDTH:X,Y,WIDTH in fractions of its width and height
    /// [default: auto; of a single photo, a zoom into the centre]
    #[arg(long, value_name = "MOTION", value_parser = motion)]
    motion: Option<Motion>,
    /// What a photo must not lose: auto (its faces, or else what stands out), centre, or a point X,Y in fractions of
    /// its width and height [default: auto]
    #[arg(long, value_name = "FOCUS", value_parser = focus)]
    focus: Option<Focus>,
    /// How a photo is shown whose shape is not that of the video: cover (it fills the frame), contain (whole, over a
    /// blurred copy) or auto (cover, unless that cuts faces off: then over a blurred copy, as large as they permit)
    /// [default: auto]
    #[arg(long, value_name = "FIT", value_parser = fit)]
    fit: Option<Fit>,
    /// How a photo becomes the next: fade, cut, slide, wipe or dip (to black) [default: that of the template, or fade]
    #[arg(long, value_name = "KIND", value_parser = transition)]
    transition: Option<TransitionKind>,
}

impl Camera {
    /// Whether anything is asked of a scene.
    pub fn is_set(&self) -> bool {
        self.motion.is_some() || self.focus.is_some() || self.fit.is_some()
    }

    /// One that is given.
    pub fn flag(&self) -> Option<&'static str> {
        let given = [
            ("--motion", self.motion.is_some()),
            ("--focus", self.focus.is_some()),
            ("--fit", self.fit.is_some()),
            ("--transition", self.transition.is_some()),
        ];
        let given = given.into_iter().find(|(_, is_given)| *is_given);
        given.map(|(flag, _)| flag)
    }

    pub fn apply(&self, spec: &mut VideoSpec) {
        for scene in &mut spec.scenes {
            scene.motion = self.motion.unwrap_or(scene.motion);
            scene.focus = self.focus.unwrap_or(scene.focus);
            scene.fit = self.fit.unwrap_or(scene.fit);
        }
    }

    /// In place of a template's.
    pub fn transition(&self) -> Option<OwnTransition> {
        self.transition.map(|kind| OwnTransition {
            kind,
            seconds: None,
        })
    }
}

fn motion(text: &str) -> Result<Motion, String> {
    if let Some((from, to)) = text.split_once(':') {
        return Ok(Motion::Between {
            from: view(from)?,
            to: view(to)?,
            easing: Easing::Smooth,
        });
    }
    let moves = [
        ("auto", Move::Auto),
        ("still", Move::Still),
        ("zoom-in", Move::ZoomIn),
        ("zoom-out", Move::ZoomOut),
        ("pan-left", Move::PanLeft),
        ("pan-right", Move::PanRight),
        ("pan-up", Move::PanUp),
        ("pan-down", Move::PanDown),
    ];
    named(text, &moves)
        .map(Motion::Eased)
        .map_err(|names| format!("not {names} or X,Y,WIDTH:X,Y,WIDTH"))
}

fn view(text: &str) -> Result<View, String> {
    let [x, y, width] = fractions(text)?;
    let view = View { x, y, width };
    if view.is_on_photo() {
        Ok(view)
    } else {
        Err(format!(
            "{text} is not a part of the photo: X, Y and X + WIDTH are from 0 to 1, and WIDTH is {} at least",
            View::LEAST_WIDTH
        ))
    }
}

fn focus(text: &str) -> Result<Focus, String> {
    if text.contains(',') {
        let [x, y] = fractions(text)?;
        let point = Point { x, y };
        return match point.is_on_photo() {
            true => Ok(Focus::At(point)),
            false => Err(format!(
                "{text} is not on the photo: X and Y are from 0 to 1"
            )),
        };
    }
    let points = [
        ("auto", Focus::Auto),
        ("centre", Focus::Centre),
        ("center", Focus::Centre),
    ];
    named(text, &points).map_err(|_| "not auto, centre or X,Y".to_owned())
}

fn fit(text: &str) -> Result<Fit, String> {
    let fits = [
        ("auto", Fit::Auto),
        ("cover", Fit::Cover),
        ("contain", Fit::Contain),
    ];
    named(text, &fits).map_err(|names| format!("not {names}"))
}

fn transition(text: &str) -> Result<TransitionKind, String> {
    let kinds = [
        ("fade", TransitionKind::Fade),
        ("cut", TransitionKind::Cut),
        ("slide", TransitionKind::Slide),
        ("wipe", TransitionKind::Wipe),
        ("dip", TransitionKind::Dip),
    ];
    named(text, &kinds).map_err(|names| format!("not {names}"))
}

/// The value of this name, or a list of the names.
fn named<T: Copy>(text: &str, values: &[(&str, T)]) -> Result<T, String> {
    let found = values.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    })
}

/// Numbers between commas.
fn fractions<const N: usize>(text: &str) -> Result<[f64; N], String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(str::parse).collect();
    let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| format!("{text:?} is not {N} numbers with commas between them"))
}
