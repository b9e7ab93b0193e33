//! Prints what is found in photos: the point, the faces, and the time that it took.
//!
//! `cargo run --release --example subject -- PHOTO…`

use std::error::Error;
use std::time::Instant;

use kinora::picture::{Detail, Limits, decode};
use kinora::subject::Finder;

fn main() -> Result<(), Box<dyn Error>> {
    let mut finder = Finder::default();
    for name in std::env::args().skip(1) {
        let decoded = decode(&std::fs::read(&name)?, &Limits::default())?;
        let picture = decoded.into_picture(Detail::default());
        let began = Instant::now();
        let subject = finder.find(&picture);
        let milliseconds = began.elapsed().as_secs_f64() * 1e3;
        let (x, y) = (subject.point.x, subject.point.y);
        let size = picture.size;
        println!(
            "{name}\t{}x{}\t{milliseconds:.1} ms\t{x:.3} {y:.3}",
            size.width, size.height
        );
        for face in subject.faces {
            let [left, top, right, bottom] = [face.left, face.top, face.right, face.bottom];
            println!("\tface {left:.4} {top:.4} {right:.4} {bottom:.4}");
        }
    }
    Ok(())
}
