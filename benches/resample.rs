//! The time for a 1080p 4:2:0 frame by ratio and code path, and for the pyramid of a 20-megapixel photo.

use divan::{Bencher, black_box};
use kinora::picture::{Plane, planes_mut};
use kinora::render::pyramid::Pyramid;
use kinora::render::resample::{Crop, Kernel, Resampler};
use kinora::spec::Size;

/// Source samples per output sample.
const RATIOS: [f64; 6] = [0.5, 1.0, 1.2, 1.4, 2.0, 2.6];

const FULL_HD: Size = Size {
    width: 1920,
    height: 1080,
};

fn main() {
    divan::main();
}

fn textured(width: usize, height: usize) -> Plane {
    let texture = |i: usize| (i.wrapping_mul(0x9e37_79b9) >> 13) as u8;
    Plane {
        width,
        height,
        data: (0..width * height).map(texture).collect(),
    }
}

/// Y, Cb and Cr, a little larger than the crop of the frame.
fn planes(ratio: f64) -> [Plane; 3] {
    let side = |samples: f64| (samples * ratio * 1.05) as usize + 2;
    [(1920.0, 1080.0), (960.0, 540.0), (960.0, 540.0)].map(|(w, h)| textured(side(w), side(h)))
}

/// One frame. `k` moves the crop, so that the taps are computed again.
fn frame(resampler: &mut Resampler, planes: &[Plane; 3], ratio: f64, k: f64, out: &mut [u8]) {
    let [luma, cb, cr] = planes_mut(out, FULL_HD);
    let crop = |scale: f64| Crop {
        x: (3.0 + 0.01 * k) * scale,
        y: (2.0 + 0.01 * k) * scale,
        width: 1920.0 * ratio * scale,
        height: 1080.0 * ratio * scale,
    };
    resampler.resample(&planes[0], crop(1.0), luma, 1920, 1080);
    resampler.resample(&planes[1], crop(0.5), cb, 960, 540);
    resampler.resample(&planes[2], crop(0.5), cr, 960, 540);
}

fn bench_frame(bencher: Bencher, mut resampler: Resampler, ratio: f64) {
    let planes = planes(ratio);
    let mut out = vec![0; 1920 * 1080 * 3 / 2];
    let mut k = 0.0;
    bencher.bench_local(|| {
        k = (k + 1.0) % 100.0;
        frame(&mut resampler, black_box(&planes), ratio, k, &mut out);
    });
}

#[divan::bench(args = RATIOS, sample_count = 200)]
fn fastest(bencher: Bencher, ratio: f64) {
    bench_frame(bencher, Resampler::new(), ratio);
}

#[divan::bench(args = RATIOS, sample_count = 200)]
fn avx2(bencher: Bencher, ratio: f64) {
    bench_frame(bencher, Resampler::with_avx2(Kernel::CatmullRom), ratio);
}

#[divan::bench(args = RATIOS, sample_count = 20)]
fn portable(bencher: Bencher, ratio: f64) {
    bench_frame(bencher, Resampler::portable(Kernel::CatmullRom), ratio);
}

/// From 5472 × 3648 samples of luma to the levels of a 1080p zoom to 1.15.
#[divan::bench(sample_count = 10)]
fn pyramid_of_20_megapixels(bencher: Bencher) {
    let source = textured(5472, 3648);
    let step = 5472.0 / 1920.0;
    bencher
        .with_inputs(|| source.clone())
        .bench_local_values(|source| Pyramid::build(source, step / 1.15, step));
}
