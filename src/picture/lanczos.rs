//! The Lanczos kernel.

use std::f64::consts::PI;

/// Sinc, windowed by the main lobe of a sinc `radius` times as wide, `t` samples from its centre. 0 from `radius` on.
pub fn lanczos(t: f64, radius: f64) -> f64 {
    let t = t.abs();
    let angle = PI * t;
    if t < 1e-9 {
        1.0
    } else if t < radius {
        radius * angle.sin() * (angle / radius).sin() / (angle * angle)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolates_and_ends_at_the_radius() {
        for radius in [3.0, 5.0] {
            assert_eq!(lanczos(0.0, radius), 1.0);
            for sample in 1..=6 {
                assert!(lanczos(f64::from(sample), radius).abs() < 1e-12);
            }
            assert!(lanczos(0.5, radius) > 0.6);
            assert_eq!(lanczos(-0.5, radius), lanczos(0.5, radius));
            assert_eq!(lanczos(radius, radius), 0.0);
        }
    }
}
