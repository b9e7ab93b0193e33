//! The specifications that follow from an order, and what is to be said of them.

use super::fields::{Output, Payload, Photo, TextFields};
use super::rules::Sources;
use crate::listing::template::{Fields, Template};
use crate::listing::{AspectRatio, Listing, OwnTransition, Variant};
use crate::render;
use crate::spec::{Asset, Scene, VideoSpec};

/// A photo whose time differs by less from its duration, as a fraction of it, has that duration.
const LEAST_DISTANCE: f64 = 0.01;

impl Payload {
    pub fn specs(&self, template: Option<&Template>, sources: Sources) -> Vec<VideoSpec> {
        let listing = self.listing(sources);
        let spec = |output: &Output| {
            let mut spec = listing.spec(&output.variant(template));
            for (scene, photo) in spec.scenes.iter_mut().zip(&self.photos) {
                photo.apply(scene);
            }
            if self.photos.iter().any(|photo| photo.duration.is_some()) {
                // Titles that do not hide the first photo may be over the next one, too.
                let first = spec.scenes.iter_mut().take(1);
                first.for_each(|first| first.extra = first.covered);
            }
            spec.bad_photos = self.on_bad_photo;
            if let Some(music) = &self.music {
                spec.music_volume = music.volume;
                spec.cut_on_beat = music.cut_on_beat;
            }
            spec
        };
        self.outputs.iter().map(spec).collect()
    }

    fn listing(&self, sources: Sources) -> Listing {
        let asset = |label: &str, source| Asset {
            label: label.to_owned(),
            source,
        };
        let photos = sources.photos.into_iter().enumerate();
        let photos = photos.map(|(index, source)| asset(&format!("photos[{index}]"), source));
        let template = self.template.as_ref();
        let fields = template.map(|template| &template.fields);
        let text = |of: fn(&TextFields) -> &Option<String>| fields.and_then(|it| of(it).clone());
        Listing {
            photos: photos.collect(),
            captions: self.photos.iter().map(|it| it.caption.clone()).collect(),
            facts: Fields {
                address: text(|it| &it.address),
                price: text(|it| &it.price),
                details: text(|it| &it.details),
                name: text(|it| &it.name),
                phone: text(|it| &it.phone),
                website: text(|it| &it.website),
                logo: sources.logo.is_some(),
            },
            logo: sources
                .logo
                .map(|source| asset("template.logo_url", source)),
            soundtrack: sources.music.map(|source| asset("music.url", source)),
            transition: self.transition.as_ref().map(|own| OwnTransition {
                kind: own.kind,
                seconds: own.duration,
            }),
            length: self.length(),
            frame_rate: self.frame_rate as u32,
        }
    }

    pub fn warnings(&self, specs: &[VideoSpec]) -> Vec<String> {
        let mut warnings = Vec::new();
        warnings.extend(self.durations_warning(specs));
        if let Some(unseen) = specs
            .iter()
            .map(render::unseen_photos)
            .max()
            .filter(|n| *n > 0)
        {
            let are = if unseen == 1 { "is" } else { "are" };
            warnings.push(format!(
                "the video is too short for all photos: {unseen} of them {are} not seen"
            ));
        }
        // Those of templates are short, and of no one's choosing.
        if self.transition.is_some() {
            let shortened = specs.iter().find_map(render::shortened_transition);
            warnings.extend(shortened.map(|(asked, shortest)| match shortest {
                0.0 => format!(
                    "some transitions of {asked} s would have fewer than four frames, and are cuts"
                ),
                shortest => format!(
                    "transitions of {asked} s are too long for the photos beside them, and are shortened, to {shortest:.2} s \
                     at least"
                ),
            }));
        }
        warnings
    }

    /// If a length was asked for in which the photos cannot have their durations.
    fn durations_warning(&self, specs: &[VideoSpec]) -> Option<String> {
        let length = self.duration?;
        let told: f64 = self.photos.iter().filter_map(|photo| photo.duration).sum();
        let factors = specs.iter().map(|spec| {
            let titles: f64 = spec.scenes.iter().map(|scene| scene.extra).sum();
            (render::duration_factor(spec), titles)
        });
        let distance = |factor: f64| factor.ln().abs();
        let (factor, titles) = factors.max_by(|a, b| distance(a.0).total_cmp(&distance(b.0)))?;
        if told == 0.0 || distance(factor) < LEAST_DISTANCE {
            return None;
        }
        let titles = match titles {
            0.0 => String::new(),
            titles => format!(", and titles that hide photos take {titles:.1} s"),
        };
        let told = (told * 100.0).round() / 100.0;
        Some(format!(
            "the durations of the photos are {told} s together{titles}, in a video of {length} s: they are multiplied by \
             {factor:.2}"
        ))
    }
}

impl Photo {
    fn apply(&self, scene: &mut Scene) {
        scene.fit = self.fit;
        scene.focus = self.focus.into();
        scene.motion = self.motion.into();
        if self.duration.is_some() {
            scene.seconds = self.duration;
        }
    }
}

impl Output {
    fn variant<'a>(&self, template: Option<&'a Template>) -> Variant<'a> {
        let ratio = self.aspect_ratio.as_deref().and_then(AspectRatio::named);
        Variant {
            aspect_ratio: ratio.unwrap_or_default(),
            template: template.filter(|_| self.titles),
            is_branded: self.branded,
            max_bytes: self.max_bytes.map(|bytes| bytes as u64),
        }
    }
}
