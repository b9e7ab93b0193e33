//! The two passes in vector code. The only module with `unsafe` code, which it needs for loads and stores by pointer.
#![allow(unsafe_code)]

mod avx2;
mod avx512;

pub use avx2::Avx2;
pub use avx512::Avx512;

use crate::render::resample::ring::{LANES, Pair};
use crate::render::resample::windows::{GROUP, Windows};

/// What loads and stores of the horizontal pass rely on: no load exceeds the reach of `windows`, and the stores of all
/// groups are inside `out`.
///
/// # Panics
/// If that does not hold.
fn check_columns(windows: &Windows, rows: &[&[u8]; 4], out: &[&mut [Pair]; 2]) {
    let groups = windows.steps().len() / windows.pairs();
    assert!(rows.iter().all(|row| row.len() >= windows.reach()));
    assert!(out.iter().all(|row| row.len() >= groups * GROUP));
}

/// What loads of the vertical pass rely on: each row of the ring is as long as `out`, rounded up to [`LANES`], and has
/// weights.
///
/// # Panics
/// If that does not hold.
fn check_rows(ring: &[&[Pair]], weights: &[Pair], out: &[u8]) {
    let least = out.len().next_multiple_of(LANES);
    assert!(ring.iter().all(|row| row.len() >= least));
    assert_eq!(ring.len(), weights.len());
}

/// Where strips of [`LANES`] begin that cover `length` columns, which are as many or more: the last one may overlap the
/// one before.
fn strips(length: usize) -> impl Iterator<Item = usize> {
    (0..length)
        .step_by(LANES)
        .map(move |start| start.min(length - LANES))
}

/// Lets `fill` make a whole strip, of which `out` is the beginning.
fn by_whole_strip(out: &mut [u8], fill: impl FnOnce(&mut [u8])) {
    let mut whole = [0; LANES];
    fill(&mut whole);
    out.copy_from_slice(&whole[..out.len()]);
}
