//! The resampler, compared with the same filter in floating point.

use kinora::picture::Plane;
use kinora::render::resample::{Crop, Kernel, Resampler};

/// xorshift64*: the same test cases every time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn up_to(&mut self, most: usize) -> usize {
        1 + self.next() as usize % most
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next() as f64 / f64::from(u32::MAX)
    }

    /// Noise, hard edges, or smooth waves.
    fn plane(&mut self, width: usize, height: usize) -> Plane {
        let style = self.next() % 3;
        let mut data = vec![0; width * height];
        for (i, sample) in data.iter_mut().enumerate() {
            let (x, y) = ((i % width) as f64, (i / width) as f64);
            *sample = match style {
                0 => self.next() as u8,
                1 => 255 * (self.next() % 2) as u8,
                _ => (127.5 + 127.0 * (x * 0.31).sin() * (y * 0.23).cos()) as u8,
            };
        }
        Plane {
            width,
            height,
            data,
        }
    }
}

/// Catmull-Rom as printed in Keys (1981), with a = -1/2.
fn cubic(t: f64) -> f64 {
    match t.abs() {
        t if t < 1.0 => 1.5 * t.powi(3) - 2.5 * t.powi(2) + 1.0,
        t if t < 2.0 => -0.5 * t.powi(3) + 2.5 * t.powi(2) - 4.0 * t + 2.0,
        _ => 0.0,
    }
}

/// For each output: the source samples, clamped to the plane, and their weights.
fn axis(origin: f64, extent: f64, outputs: usize, limit: usize) -> Vec<Vec<(usize, f64)>> {
    let step = extent / outputs as f64;
    let scale = step.max(1.0);
    let taps = |output| {
        let centre = origin + (output as f64 + 0.5) * step;
        let (low, high) = (centre - 2.0 * scale - 1.0, centre + 2.0 * scale + 1.0);
        let taps: Vec<_> = (low.floor() as i64..=high.ceil() as i64)
            .map(|i| {
                (
                    i.clamp(0, limit as i64 - 1) as usize,
                    cubic((i as f64 + 0.5 - centre) / scale),
                )
            })
            .collect();
        let sum: f64 = taps.iter().map(|tap| tap.1).sum();
        taps.into_iter()
            .map(|(i, weight)| (i, weight / sum))
            .collect()
    };
    (0..outputs).map(taps).collect()
}

/// Not rounded, but clamped to 0..=255.
fn reference(source: &Plane, crop: Crop, width: usize, height: usize) -> Vec<f64> {
    let columns = axis(crop.x, crop.width, width, source.width);
    let rows = axis(crop.y, crop.height, height, source.height);
    let filtered: Vec<Vec<f64>> = source
        .data
        .chunks(source.width)
        .map(|row| {
            columns
                .iter()
                .map(|taps| taps.iter().map(|t| f64::from(row[t.0]) * t.1).sum())
                .collect()
        })
        .collect();
    let mut out = Vec::with_capacity(width * height);
    for taps in &rows {
        for (x, _) in columns.iter().enumerate() {
            let sum: f64 = taps.iter().map(|t| filtered[t.0][x] * t.1).sum();
            out.push(sum.clamp(0.0, 255.0));
        }
    }
    out
}

fn resample(
    resampler: &mut Resampler,
    source: &Plane,
    crop: Crop,
    width: usize,
    height: usize,
) -> Vec<u8> {
    let mut out = vec![0; width * height];
    resampler.resample(source, crop, &mut out, width, height);
    out
}

/// A random case: plane, crop and output size, with many kinds of edge cases.
fn case(dice: &mut Dice) -> (Plane, Crop, usize, usize) {
    let most = [1, 3, 20, 90][dice.next() as usize % 4];
    let (source_width, source_height) = (dice.up_to(most), dice.up_to(most));
    let source = dice.plane(source_width, source_height);
    let (width, height) = (dice.up_to(100), dice.up_to(40));
    // From 10 times larger to 8 times smaller, each side on its own.
    let ratio = |dice: &mut Dice| {
        let usual = [
            1.0,
            2.0,
            4.0,
            dice.between(0.9, 2.6),
            dice.between(2.0, 5.0),
        ];
        if dice.next().is_multiple_of(2) {
            usual[dice.next() as usize % 5]
        } else {
            80f64.powf(dice.between(0.0, 1.0)) / 10.0
        }
    };
    let extents = (width as f64 * ratio(dice), height as f64 * ratio(dice));
    // Inside, on the edges, across them, and sometimes far away.
    let place = |dice: &mut Dice, limit: usize, extent: f64| match dice.next() % 5 {
        0 => 0.0,
        1 => limit as f64 - extent,
        2 => dice.between(-200.0, 200.0),
        3 => (dice.next() % 9) as f64,
        _ => dice.between(-extent, limit as f64),
    };
    let crop = Crop {
        x: place(dice, source.width, extents.0),
        y: place(dice, source.height, extents.1),
        width: extents.0,
        height: extents.1,
    };
    (source, crop, width, height)
}

#[test]
fn random_crops_are_within_one_level_of_the_reference() {
    let mut dice = Dice(0x5eed);
    let mut resampler = Resampler::new();
    let (mut worst, mut total, mut off, mut count) = (0f64, 0.0, 0usize, 0usize);
    for _ in 0..3000 {
        let (source, crop, width, height) = case(&mut dice);
        let got = resample(&mut resampler, &source, crop, width, height);
        for (got, exact) in got.iter().zip(reference(&source, crop, width, height)) {
            let error = (f64::from(*got) - exact).abs();
            assert!(
                error <= 1.0,
                "{error} at {crop:?} of {}x{} to {width}x{height}",
                source.width,
                source.height
            );
            worst = worst.max(error);
            total += error;
            off += usize::from(f64::from(*got) != exact.round());
            count += 1;
        }
    }
    let mean = total / count as f64;
    let off = 100.0 * off as f64 / count as f64;
    println!(
        "worst {worst:.3}, mean {mean:.4}; {off:.2} % of {count} differ from the exact value, rounded"
    );
    assert!(mean < 0.26);
}

#[test]
fn portable_and_vector_paths_agree_bit_for_bit() {
    let mut dice = Dice(0xb17);
    for kernel in [Kernel::CatmullRom, Kernel::Lanczos5] {
        let mut plain = Resampler::portable(kernel);
        let mut others = [Resampler::with_kernel(kernel), Resampler::with_avx2(kernel)];
        for _ in 0..3000 {
            let (source, crop, width, height) = case(&mut dice);
            let one = resample(&mut plain, &source, crop, width, height);
            for other in &mut others {
                assert!(
                    one == resample(other, &source, crop, width, height),
                    "{kernel:?}: {crop:?} of {}x{} to {width}x{height}",
                    source.width,
                    source.height
                );
            }
        }
    }
}

#[test]
fn whole_frames_agree_too() {
    let mut dice = Dice(0x1080);
    let source = dice.plane(2401, 1351);
    let mut plain = Resampler::portable(Kernel::CatmullRom);
    let mut others = [Resampler::new(), Resampler::with_avx2(Kernel::CatmullRom)];
    for (width, height) in [(1920, 1080), (1081, 607), (37, 1080)] {
        let crop = Crop {
            x: 11.3,
            y: 7.7,
            width: 2388.2,
            height: 1343.1,
        };
        let one = resample(&mut plain, &source, crop, width, height);
        for other in &mut others {
            assert!(
                one == resample(other, &source, crop, width, height),
                "{width}x{height}"
            );
        }
    }
}

#[test]
fn flat_stays_flat() {
    let mut dice = Dice(0xf1a7);
    for kernel in [Kernel::CatmullRom, Kernel::Lanczos5] {
        let mut resampler = Resampler::with_kernel(kernel);
        for level in 0..=255 {
            let (mut source, crop, width, height) = case(&mut dice);
            source.data.fill(level);
            let out = resample(&mut resampler, &source, crop, width, height);
            assert!(
                out.iter().all(|sample| *sample == level),
                "{level} at {crop:?}"
            );
        }
    }
}

#[test]
fn a_ramp_stays_a_ramp() {
    let (width, height) = (250, 40);
    let data = (0..width * height).map(|i| (i % width) as u8).collect();
    let source = Plane {
        width,
        height,
        data,
    };
    let mut dice = Dice(0x4a3b);
    let mut resampler = Resampler::new();
    for _ in 0..200 {
        let step = dice.between(0.1, 2.0);
        // Far enough inside for the repeated edge to have no weight.
        let x = dice.between(5.0, 240.0 - 100.0 * step);
        let crop = Crop {
            x,
            y: 3.3,
            width: 100.0 * step,
            height: 20.0,
        };
        let out = resample(&mut resampler, &source, crop, 100, 17);
        for (i, sample) in out.iter().enumerate() {
            let exact = x + ((i % 100) as f64 + 0.5) * step - 0.5;
            assert!(
                (f64::from(*sample) - exact).abs() <= 1.0,
                "{sample}, not {exact}"
            );
        }
    }
}

#[test]
fn a_crop_moved_by_one_sample_moves_the_picture_by_one_sample() {
    let mut dice = Dice(0x5417);
    let source = dice.plane(120, 80);
    let mut resampler = Resampler::new();
    for _ in 0..100 {
        let crop = Crop {
            x: dice.between(8.0, 20.0),
            y: dice.between(8.0, 20.0),
            width: 70.0,
            height: 50.0,
        };
        let here = resample(&mut resampler, &source, crop, 70, 50);
        let right = resample(
            &mut resampler,
            &source,
            Crop {
                x: crop.x + 1.0,
                ..crop
            },
            70,
            50,
        );
        let down = resample(
            &mut resampler,
            &source,
            Crop {
                y: crop.y + 1.0,
                ..crop
            },
            70,
            50,
        );
        for y in 0..49 {
            assert_eq!(here[y * 70 + 1..][..69], right[y * 70..][..69]);
        }
        assert_eq!(here[70..], down[..49 * 70]);
    }
}

#[test]
fn the_whole_plane_at_its_own_size_is_itself() {
    let mut dice = Dice(0x1d);
    for (width, height) in [(1, 1), (7, 3), (64, 64), (131, 77)] {
        let source = dice.plane(width, height);
        let out = resample(
            &mut Resampler::new(),
            &source,
            Crop::whole(&source),
            width,
            height,
        );
        assert_eq!(out, source.data);
    }
}
