//! The network: a trunk that halves its maps five times, whose last three maps are combined from coarse to fine.

use super::layers::{First, Map, Maps, Unit};
use super::onnx::{self, Convolution};
use crate::subject::reduced::Reduced;

/// Width and height of the input are multiples of this many pixels.
const BLOCK: usize = 32;

/// The numbers of a cell that are used, and zeros.
pub const OUTPUTS: usize = 16;

/// What the network says of the cells of 8, of 16 and of 32 pixels.
pub type Output = [Map; 3];

/// The maps of a run, whose memory the next run uses again.
#[derive(Default)]
pub struct Buffers {
    maps: Maps,
    /// Of 8, of 16 and of 32 pixels.
    sizes: [Map; 3],
    combined: Map,
    output: Output,
}

pub struct Network {
    first: First,
    /// Cells of 2 pixels.
    halves: Unit<16, 16>,
    /// Of 4.
    quarters: (Unit<16, 16>, Unit<16, 32>, Unit<32, 32>, Unit<32, 64>),
    /// Of 8, of 16, and of 32.
    trunk: [[Unit<64, 64>; 2]; 3],
    combined: [Unit<64, 64>; 3],
    heads: [Unit<64, OUTPUTS>; 3],
}

impl Network {
    /// From the file of the model. `None`: it is another.
    pub fn new(model: &[u8]) -> Option<Self> {
        let convolutions = onnx::convolutions(model)?;
        let (first, units) = convolutions.split_first()?;
        let (units, rest) = units.as_chunks::<2>();
        // 11 of the trunk, 3 that combine, 4 heads for 3 sizes.
        if units.len() != 26 || !rest.is_empty() {
            return None;
        }
        let (trunk, heads) = units.split_at(14);
        Some(Self {
            first: First::new(first)?,
            halves: unit(&trunk[0])?,
            quarters: (
                unit(&trunk[1])?,
                unit(&trunk[2])?,
                unit(&trunk[3])?,
                unit(&trunk[4])?,
            ),
            trunk: [
                [unit(&trunk[5])?, unit(&trunk[6])?],
                [unit(&trunk[7])?, unit(&trunk[8])?],
                [unit(&trunk[9])?, unit(&trunk[10])?],
            ],
            // The coarsest is the first in the file.
            combined: [unit(&trunk[13])?, unit(&trunk[12])?, unit(&trunk[11])?],
            heads: [head(heads, 0)?, head(heads, 1)?, head(heads, 2)?],
        })
    }

    pub fn run<'a>(&self, picture: &Reduced, buffers: &'a mut Buffers) -> &'a Output {
        let Buffers {
            maps,
            sizes,
            combined,
            output,
        } = buffers;
        maps.apply(|_, out| input(picture, out));
        maps.apply(|map, out| self.first.run(map, out));
        maps.apply(|map, out| self.halves.run(map, out));
        maps.apply(Map::pool::<16>);
        let (a, b, c, d) = &self.quarters;
        maps.apply(|map, out| a.run(map, out));
        maps.apply(|map, out| b.run(map, out));
        maps.apply(|map, out| c.run(map, out));
        maps.apply(|map, out| d.run(map, out));
        for ([a, b], size) in self.trunk.iter().zip(&mut *sizes) {
            maps.apply(Map::pool::<64>);
            maps.apply(|map, out| a.run(map, out));
            maps.apply(|map, out| b.run(map, out));
            size.copy_from::<64>(&maps.current);
        }

        let [eighths, sixteenths, coarsest] = sizes;
        let mut combine = |size: usize, map: &mut Map| {
            self.combined[size].run(map, combined);
            std::mem::swap(map, combined);
        };
        combine(2, coarsest);
        sixteenths.add_doubled::<64>(coarsest);
        combine(1, sixteenths);
        eighths.add_doubled::<64>(sixteenths);
        combine(0, eighths);

        let sizes = [&*eighths, sixteenths, coarsest];
        for ((head, map), output) in self.heads.iter().zip(sizes).zip(&mut *output) {
            head.run_linear(map, output);
        }
        output
    }
}

fn unit<const I: usize, const O: usize>(part: &[Convolution; 2]) -> Option<Unit<I, O>> {
    Unit::new(&[part])
}

/// In the file, each kind of output has its unit for each of the three sizes. Joined, the outputs of a cell are:
/// whether it holds a face, whether it holds anything, and the four numbers of the box. Those of eyes, nose and mouth
/// are not used.
fn head(heads: &[[Convolution; 2]], size: usize) -> Option<Unit<64, OUTPUTS>> {
    let [class, boxes, object] = [0, 1, 2].map(|kind| heads[3 * kind + size].as_slice());
    Unit::new(&[class, object, boxes])
}

/// Levels from 0 to 255, with zeros to the right and below.
fn input(picture: &Reduced, map: &mut Map) {
    let [width, height] = [picture.width, picture.height].map(|side| side.next_multiple_of(BLOCK));
    let cells = map.overwrite::<3>(width, height);
    let (filled, below) = cells.split_at_mut(width * picture.height);
    below.fill([0.0; 3]);
    let rows = picture.pixels.chunks_exact(picture.width);
    for (row, cells) in rows.zip(filled.chunks_exact_mut(width)) {
        let (cells, right) = cells.split_at_mut(picture.width);
        right.fill([0.0; 3]);
        for (pixel, cell) in row.iter().zip(cells) {
            *cell = pixel.map(f32::from);
        }
    }
}
