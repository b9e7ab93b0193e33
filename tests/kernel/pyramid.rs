//! The levels of the pyramid: their sizes, and that a frame shows the same picture from each.

use kinora::picture::Plane;
use kinora::render::pyramid::Pyramid;
use kinora::render::resample::{Crop, Resampler};

/// A soft bright spot, whose centroid locates the picture to a small fraction of a sample.
fn spot(width: usize, height: usize, x: f64, y: f64, radius: f64) -> Plane {
    let at = |i: usize| {
        let (dx, dy) = ((i % width) as f64 + 0.5 - x, (i / width) as f64 + 0.5 - y);
        (250.0 * (-(dx * dx + dy * dy) / (radius * radius)).exp()).round() as u8
    };
    Plane {
        width,
        height,
        data: (0..width * height).map(at).collect(),
    }
}

/// In pixel-edge coordinates.
fn centroid(frame: &[u8], width: usize) -> (f64, f64) {
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    for (i, sample) in frame.iter().enumerate() {
        let weight = f64::from(*sample);
        mass += weight;
        x += weight * ((i % width) as f64 + 0.5);
        y += weight * ((i / width) as f64 + 0.5);
    }
    (x / mass, y / mass)
}

/// The centred crop of a 320x180 frame.
fn crop_at(plane: &Plane, zoom: f64) -> Crop {
    let (width, height) = (
        plane.width as f64 / zoom,
        plane.width as f64 / zoom * 9.0 / 16.0,
    );
    let (x, y) = (
        (plane.width as f64 - width) / 2.0,
        (plane.height as f64 - height) / 2.0,
    );
    Crop {
        x,
        y,
        width,
        height,
    }
}

#[test]
fn a_slow_zoom_needs_one_level_and_a_small_source_none() {
    let step = 2000.0 / 320.0;
    let levels = |deepest: f64| {
        let pyramid = Pyramid::build(spot(2000, 1127, 900.0, 600.0, 90.0), step / deepest, step);
        pyramid
            .levels()
            .map(|level| level.width)
            .collect::<Vec<_>>()
    };
    assert_eq!(levels(1.15), [460]);
    assert_eq!(levels(10.0), [2000, 1333, 889, 593]);

    let small = Pyramid::build(
        spot(400, 225, 200.0, 100.0, 30.0),
        400.0 / 320.0 / 1.15,
        400.0 / 320.0,
    );
    assert_eq!(small.levels().len(), 1);
    assert_eq!(small.levels().next().unwrap().width, 400);
}

#[test]
fn every_frame_reads_about_one_to_two_samples_per_output() {
    let source = spot(2001, 1127, 900.0, 600.0, 90.0);
    let step = 2001.0 / 320.0;
    let pyramid = Pyramid::build(source.clone(), step / 10.0, step);
    for k in 0..600 {
        let crop = crop_at(&source, 1.0 + 9.0 * f64::from(k) / 600.0);
        let ratio = pyramid.level_for(crop, 320).1.width / 320.0;
        let limited = crop.width / 320.0 <= 1.4;
        assert!(
            ratio < 2.11 && (limited || ratio > 1.39),
            "{ratio} in frame {k}"
        );
    }
}

#[test]
fn all_levels_show_the_picture_at_the_same_place() {
    // The sides are no multiple of any reduction, and the spot is off the centre.
    let source = spot(2001, 1127, 961.7, 602.3, 36.0);
    let step = 2001.0 / 320.0;
    let pyramid = Pyramid::build(source.clone(), step / 10.0, step);
    let mut resampler = Resampler::new();
    let mut out = vec![0; 320 * 180];
    for zoom in [1.0, 1.3, 1.9, 2.7, 3.4] {
        let crop = crop_at(&source, zoom);
        let (level, level_crop) = pyramid.level_for(crop, 320);
        resampler.resample(level, level_crop, &mut out, 320, 180);
        let (x, y) = centroid(&out, 320);
        let exact = (
            (961.7 - crop.x) * 320.0 / crop.width,
            (602.3 - crop.y) * 320.0 / crop.width,
        );
        let away = (x - exact.0).hypot(y - exact.1);
        println!("zoom {zoom}, level {}: {away:.4} px away", level.width);
        assert!(away < 0.02, "{away} px at zoom {zoom}");
    }
}

#[test]
fn samples_that_no_frame_reads_are_freed_and_no_frame_changes() {
    let source = Plane {
        width: 2001,
        height: 1127,
        data: (0..2001 * 1127)
            .map(|i: usize| (i.wrapping_mul(0x9e37_79b9) >> 13) as u8)
            .collect(),
    };
    let step = 2001.0 / 320.0;
    let whole = Pyramid::build(source.clone(), step / 10.0, step);
    let mut trimmed = Pyramid::build(source.clone(), step / 10.0, step);
    let crops = || (0..90).map(|k| crop_at(&source, 1.0 + f64::from(k) / 10.0));
    trimmed.trim(crops(), 320);

    let mut resampler = Resampler::new();
    let mut frame = |pyramid: &Pyramid, crop| {
        let mut out = vec![0; 320 * 180];
        let (level, crop) = pyramid.level_for(crop, 320);
        resampler.resample(level, crop, &mut out, 320, 180);
        out
    };
    for (k, crop) in crops().enumerate() {
        assert!(frame(&whole, crop) == frame(&trimmed, crop), "frame {k}");
    }
    let bytes = |pyramid: &Pyramid| {
        pyramid
            .levels()
            .map(|plane| plane.data.len())
            .sum::<usize>()
    };
    let (before, after) = (bytes(&whole), bytes(&trimmed));
    assert!(after * 2 < before, "{after} of {before} bytes left");
}

#[test]
fn flat_stays_flat_through_all_levels() {
    let source = Plane {
        width: 1501,
        height: 900,
        data: vec![77; 1501 * 900],
    };
    let pyramid = Pyramid::build(source, 1.7, 9.0);
    assert!(pyramid.levels().len() > 2);
    assert!(
        pyramid
            .levels()
            .all(|level| level.data.iter().all(|sample| *sample == 77))
    );
}
