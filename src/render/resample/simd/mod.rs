//! The two passes in vector code. The only module with `unsafe` code, which it needs for loads and stores by pointer.
#![allow(unsafe_code)]

mod avx2;
mod avx512;

pub use avx2::Avx2;
pub use avx512::Avx512;
