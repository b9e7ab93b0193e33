//! The resampler and the pyramid, compared with floating-point arithmetic.

mod pyramid;
mod resample;
