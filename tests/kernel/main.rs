//! The resampling kernel and its pyramid, against plain real-number arithmetic.

mod pyramid;
mod resample;
