//! The cost and the quality of levels: frames from the pyramid compared with frames from the full source in floating
//! point, and whether the changes of levels are visible in a zoom from 1 to 10.
//!
//!     cargo run --release --example levels -- anchors|switches PHOTO...

use std::time::Instant;

use kinora::picture::Plane;
use kinora::picture::colour::luminance;
use kinora::render::pyramid::{Pyramid, Spacing};
use kinora::render::resample::{Crop, Resampler};

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_default();
    for path in args {
        let photo = luma(&path);
        let name = path.rsplit('/').next().unwrap_or(&path);
        println!("{name} {}x{}", photo.width, photo.height);
        match what.as_str() {
            "anchors" => anchors(&photo),
            _ => {
                for (w, h) in [(1920, 1080), (640, 360), (320, 180)] {
                    switches(&photo, w, h);
                }
            }
        }
    }
}

fn luma(path: &str) -> Plane {
    let photo = image::open(path).expect("a photo").to_rgb8();
    let weigh =
        |p: &image::Rgb<u8>| (16.0 + luminance(p.0.map(f64::from)) * 219.0 / 255.0).round() as u8;
    Plane {
        width: photo.width() as usize,
        height: photo.height() as usize,
        data: photo.pixels().map(weigh).collect(),
    }
}

/// The centred crop with the aspect ratio of the output at `zoom`.
fn crop_at(photo: &Plane, width: usize, height: usize, zoom: f64) -> Crop {
    let step = step_at(photo, width, height, zoom);
    let (w, h) = (width as f64 * step, height as f64 * step);
    Crop {
        x: (photo.width as f64 - w) / 2.0,
        y: (photo.height as f64 - h) / 2.0,
        width: w,
        height: h,
    }
}

fn step_at(photo: &Plane, width: usize, height: usize, zoom: f64) -> f64 {
    (photo.width as f64 / width as f64).min(photo.height as f64 / height as f64) / zoom
}

fn anchors(photo: &Plane) {
    let (w, h) = if photo.width > photo.height {
        (1920, 1080)
    } else {
        (1080, 1920)
    };
    let zooms: Vec<f64> = (0..6).map(|k| 1.0 + 0.03 * f64::from(k)).collect();
    let exact: Vec<Vec<f64>> = zooms
        .iter()
        .map(|z| reference(photo, crop_at(photo, w, h, *z), w, h))
        .collect();
    let (finest, coarsest) = (step_at(photo, w, h, 1.15), step_at(photo, w, h, 1.0));
    let mut resampler = Resampler::new();
    let mut out = vec![0; w * h];
    for anchor in [1.0, 1.15, 1.25, 1.3, 1.4, 1.5] {
        // A level at this anchor, even if it is hardly smaller than the source.
        let spacing = Spacing {
            finest: anchor,
            worth: 1.02,
            ..Spacing::default()
        };
        let start = Instant::now();
        let pyramid = Pyramid::build_spaced(photo.clone().into(), finest, coarsest, spacing);
        let build = start.elapsed().as_secs_f64() * 1e3;
        let (mut psnr_sum, mut psnr_low, mut ssim_sum, mut time, mut ratio, mut sharp) =
            (0.0, 999f64, 0.0, 0.0, 0.0, 0.0);
        for (zoom, exact) in zooms.iter().zip(&exact) {
            let (level, crop) = pyramid.level_for(crop_at(photo, w, h, *zoom), w);
            let start = Instant::now();
            for i in 0..10 {
                resampler.resample(
                    level,
                    Crop {
                        x: crop.x + f64::from(i % 2) * 1e-9,
                        ..crop
                    },
                    &mut out,
                    w,
                    h,
                );
            }
            time += start.elapsed().as_secs_f64() * 1e2;
            let p = psnr(&out, exact);
            psnr_sum += p;
            psnr_low = psnr_low.min(p);
            let rounded: Vec<u8> = exact.iter().map(|v| v.round() as u8).collect();
            ssim_sum += ssim(&out, &rounded, w);
            sharp += sharpness(&out, w) / sharpness(&rounded, w);
            ratio += crop.width / w as f64;
        }
        let n = zooms.len() as f64;
        println!(
            "  anchor {anchor:4.2}: {} levels, ratio {:.2}, luma {:.2} ms, PSNR {:.2} (min {:.2}), SSIM {:.5}, sharpness x{:.3}, build {build:.1} ms",
            pyramid.levels().len(),
            ratio / n,
            time / n,
            psnr_sum / n,
            psnr_low,
            ssim_sum / n,
            sharp / n
        );
    }
}

fn switches(photo: &Plane, w: usize, h: usize) {
    const FRAMES: usize = 600;
    let (finest, coarsest) = (step_at(photo, w, h, 10.0), step_at(photo, w, h, 1.0));
    let pyramid = Pyramid::build(photo.clone(), finest, coarsest);
    let mut resampler = Resampler::new();
    let (mut now, mut before) = (vec![0; w * h], vec![0; w * h]);
    let (mut sharp, mut alike, mut level_width, mut slowest) = (vec![], vec![], vec![], 0f64);
    for k in 0..FRAMES {
        let crop = crop_at(photo, w, h, 1.0 + 9.0 * k as f64 / FRAMES as f64);
        let (level, crop) = pyramid.level_for(crop, w);
        let start = Instant::now();
        resampler.resample(level, crop, &mut now, w, h);
        slowest = slowest.max(start.elapsed().as_secs_f64() * 1e3);
        sharp.push(sharpness(&now, w).ln());
        alike.push(ssim(&now, &before, w));
        level_width.push(level.width);
        std::mem::swap(&mut now, &mut before);
    }
    let bytes: usize = pyramid.levels().map(|l| l.data.len()).sum();
    println!(
        "  {w}x{h}: {} levels, {:.1} MB, slowest frame {slowest:.2} ms",
        pyramid.levels().len(),
        bytes as f64 / 1e6
    );
    for k in 1..FRAMES {
        if level_width[k] == level_width[k - 1] {
            continue;
        }
        let jump = |s: &[f64], k: usize| s[k] - s[k - 1];
        // The deviation from the trend of the neighbouring frames, and how far these deviate from it.
        let around = |s: &[f64]| {
            let near: Vec<f64> = (k.saturating_sub(12).max(2)..(k + 13).min(FRAMES))
                .filter(|i| *i != k)
                .map(|i| jump(s, i))
                .collect();
            let mean = near.iter().sum::<f64>() / near.len() as f64;
            let sd =
                (near.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / near.len() as f64).sqrt();
            let most = near.iter().map(|v| (v - mean).abs()).fold(0.0, f64::max);
            (jump(s, k) - mean, sd, most)
        };
        let (s, ssd, smost) = around(&sharp);
        let near: Vec<f64> = (k.saturating_sub(12).max(1)..(k + 13).min(FRAMES))
            .filter(|i| *i != k)
            .map(|i| alike[i])
            .collect();
        let mean = near.iter().sum::<f64>() / near.len() as f64;
        let (low, high) = near
            .iter()
            .fold((1f64, 0f64), |(l, h), v| (l.min(*v), h.max(*v)));
        println!(
            "    frame {k}: {} -> {}: sharpness step {:+.2} % (neighbours: sd {:.2}, most {:.2}); SSIM to the last {:.4} (neighbours {mean:.4}, {low:.4} to {high:.4})",
            level_width[k - 1],
            level_width[k],
            s * 100.0,
            ssd * 100.0,
            smost * 100.0,
            alike[k]
        );
    }
}

/// Variance of the Laplacian.
fn sharpness(frame: &[u8], w: usize) -> f64 {
    let (mut sum, mut squares, mut n) = (0.0, 0.0, 0.0);
    for y in 1..frame.len() / w - 1 {
        for x in 1..w - 1 {
            let at = |i: usize| f64::from(frame[i]);
            let i = y * w + x;
            let v = 4.0 * at(i) - at(i - 1) - at(i + 1) - at(i - w) - at(i + w);
            sum += v;
            squares += v * v;
            n += 1.0;
        }
    }
    squares / n - (sum / n) * (sum / n)
}

fn psnr(frame: &[u8], exact: &[f64]) -> f64 {
    let mse = frame
        .iter()
        .zip(exact)
        .map(|(a, b)| (f64::from(*a) - b).powi(2))
        .sum::<f64>()
        / exact.len() as f64;
    10.0 * (255.0f64 * 255.0 / mse).log10()
}

/// The mean over windows of 8 × 8 samples, 4 samples apart.
fn ssim(a: &[u8], b: &[u8], w: usize) -> f64 {
    let (mut total, mut n) = (0.0, 0.0);
    for y in (0..a.len() / w - 7).step_by(4) {
        for x in (0..w - 7).step_by(4) {
            let (mut sa, mut sb, mut saa, mut sbb, mut sab) = (0u32, 0u32, 0u32, 0u32, 0u32);
            for row in y..y + 8 {
                for i in row * w + x..row * w + x + 8 {
                    let (p, q) = (u32::from(a[i]), u32::from(b[i]));
                    (sa, sb, saa, sbb, sab) =
                        (sa + p, sb + q, saa + p * p, sbb + q * q, sab + p * q);
                }
            }
            let [sa, sb, saa, sbb, sab] = [sa, sb, saa, sbb, sab].map(|v| f64::from(v) / 64.0);
            let (va, vb, cov) = (saa - sa * sa, sbb - sb * sb, sab - sa * sb);
            let (c1, c2) = (6.5025, 58.5225);
            total += (2.0 * sa * sb + c1) * (2.0 * cov + c2)
                / ((sa * sa + sb * sb + c1) * (va + vb + c2));
            n += 1.0;
        }
    }
    total / n
}

fn cubic(t: f64) -> f64 {
    match t.abs() {
        t if t < 1.0 => 1.5 * t.powi(3) - 2.5 * t.powi(2) + 1.0,
        t if t < 2.0 => -0.5 * t.powi(3) + 2.5 * t.powi(2) - 4.0 * t + 2.0,
        _ => 0.0,
    }
}

fn axis(origin: f64, extent: f64, outputs: usize, limit: usize) -> Vec<Vec<(usize, f64)>> {
    let step = extent / outputs as f64;
    let scale = step.max(1.0);
    let taps = |output| {
        let centre = origin + (output as f64 + 0.5) * step;
        let taps: Vec<_> = ((centre - 2.0 * scale - 1.0).floor() as i64
            ..=(centre + 2.0 * scale + 1.0).ceil() as i64)
            .map(|i| {
                (
                    i.clamp(0, limit as i64 - 1) as usize,
                    cubic((i as f64 + 0.5 - centre) / scale),
                )
            })
            .filter(|tap| tap.1 != 0.0)
            .collect();
        let sum: f64 = taps.iter().map(|tap| tap.1).sum();
        taps.into_iter()
            .map(|(i, weight)| (i, weight / sum))
            .collect()
    };
    (0..outputs).map(taps).collect()
}

/// The crop from the full source, in floating point.
fn reference(source: &Plane, crop: Crop, width: usize, height: usize) -> Vec<f64> {
    let columns = axis(crop.x, crop.width, width, source.width);
    let rows = axis(crop.y, crop.height, height, source.height);
    let filter = |row: &[u8]| {
        columns
            .iter()
            .map(|taps| taps.iter().map(|t| f64::from(row[t.0]) * t.1).sum())
            .collect()
    };
    let filtered: Vec<Vec<f64>> = source.data.chunks(source.width).map(filter).collect();
    let sum = |taps: &[(usize, f64)], x: usize| {
        taps.iter()
            .map(|t| filtered[t.0][x] * t.1)
            .sum::<f64>()
            .clamp(0.0, 255.0)
    };
    rows.iter()
        .flat_map(|taps| (0..width).map(|x| sum(taps, x)))
        .collect()
}
