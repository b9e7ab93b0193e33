//! Resampling a moving, fractional crop of an 8-bit plane to a frame.
//!
//! The filter is separable: each source row is filtered horizontally into 16-bit samples in a small ring buffer; each
//! output row is a weighted sum of rows in the ring. The ring holds rows in interleaved pairs, the operand of the
//! multiply-add instruction of the vertical pass. All arithmetic is on integers and the same on every path, so that the
//! portable code and the vector code produce the same bits.

mod kernel;
mod portable;
mod ring;
#[cfg(target_arch = "x86_64")]
mod simd;
#[cfg(target_arch = "x86_64")]
mod spans;
mod taps;
#[cfg(target_arch = "x86_64")]
mod windows;

pub use kernel::Kernel;

use crate::picture::Plane;
use portable::Portable;
use ring::Ring;
use taps::Taps;

/// The part of a source plane that fills the output, in pixel-edge coordinates of that plane: pixel `i` covers
/// `[i, i + 1)`. Edges may be fractional; outside the plane, its edge samples repeat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Crop {
    /// The same part in coordinates that are `factor` times as fine.
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            x: self.x * factor,
            y: self.y * factor,
            width: self.width * factor,
            height: self.height * factor,
        }
    }

    /// All of `plane`.
    pub fn whole(plane: &Plane) -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            width: plane.width as f64,
            height: plane.height as f64,
        }
    }
}

/// Filters crops, and reuses its buffers for the next one: the taps (even unchanged when the next plane has the same
/// crop, as Cr has after Cb), the layout for vector code and the ring. One per thread.
pub struct Resampler {
    kernel: Kernel,
    columns: Taps,
    rows: Taps,
    ring: Ring,
    backend: Backend,
}

/// The code that runs the two passes.
enum Backend {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(simd::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(simd::Avx512),
}

impl Backend {
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = simd::Avx512::detect() {
            return Self::Avx512(avx512);
        }
        Self::detect_avx2()
    }

    fn detect_avx2() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = simd::Avx2::detect() {
            return Self::Avx2(avx2);
        }
        Self::Portable
    }
}

impl Default for Resampler {
    fn default() -> Self {
        Self::new()
    }
}

impl Resampler {
    /// With the Catmull-Rom kernel, on the fastest path of this machine.
    pub fn new() -> Self {
        Self::with_kernel(Kernel::CatmullRom)
    }

    /// With another kernel, on the fastest path of this machine.
    pub fn with_kernel(kernel: Kernel) -> Self {
        Self::with_backend(kernel, Backend::detect())
    }

    /// Without AVX-512; for tests and comparisons.
    pub fn with_avx2(kernel: Kernel) -> Self {
        Self::with_backend(kernel, Backend::detect_avx2())
    }

    /// Without vector code; for tests and comparisons.
    pub fn portable(kernel: Kernel) -> Self {
        Self::with_backend(kernel, Backend::Portable)
    }

    fn with_backend(kernel: Kernel, backend: Backend) -> Self {
        Self {
            kernel,
            columns: Taps::default(),
            rows: Taps::default(),
            ring: Ring::default(),
            backend,
        }
    }

    /// Fills `out`, `out_width * out_height` samples from top to bottom, with `crop` of `source`.
    ///
    /// When the crop is larger than the output, the kernel widens in proportion, so that nothing aliases.
    /// Samples differ by at most 1 level from the same filter in real numbers, and flat areas stay unchanged.
    ///
    /// # Panics
    /// If a size is zero or disagrees with its data, or the crop is not finite, not positive in size, or extends
    /// beyond 2^24 samples.
    pub fn resample(
        &mut self,
        source: &Plane,
        crop: Crop,
        out: &mut [u8],
        out_width: usize,
        out_height: usize,
    ) {
        check(source, crop, out.len(), out_width, out_height);
        let Self {
            kernel,
            columns,
            rows,
            ring,
            backend,
        } = self;
        columns.plan(*kernel, crop.x, crop.width, out_width, source.width);
        rows.plan(*kernel, crop.y, crop.height, out_height, source.height);
        match backend {
            Backend::Portable => ring.run(rows, source, &mut Portable { columns }, out, out_width),
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2(avx2) => {
                ring.run(rows, source, &mut avx2.passes(columns), out, out_width)
            }
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512(avx512) => {
                ring.run(rows, source, &mut avx512.passes(columns), out, out_width)
            }
        }
    }
}

fn check(source: &Plane, crop: Crop, out_len: usize, out_width: usize, out_height: usize) {
    const FAR: f64 = (1 << 24) as f64;
    assert!(source.width > 0 && source.height > 0, "empty source plane");
    assert_eq!(
        source.data.len(),
        source.width * source.height,
        "source plane's size"
    );
    assert!(
        source.width.max(source.height) <= 1 << 24,
        "source plane too large"
    );
    assert!(out_width > 0 && out_height > 0, "empty output");
    assert_eq!(out_len, out_width * out_height, "output's size");
    let in_reach = [crop.x, crop.y, crop.width, crop.height]
        .iter()
        .all(|v| v.abs() <= FAR);
    assert!(
        in_reach && crop.width > 0.0 && crop.height > 0.0,
        "unusable crop {crop:?}"
    );
}
