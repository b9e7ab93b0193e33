//! TIFF files of any kind, written field by field.

use actix_web::web::Bytes;

pub const BITS: u16 = 258;
pub const COMPRESSION: u16 = 259;
pub const PHOTOMETRIC: u16 = 262;
pub const FILL_ORDER: u16 = 266;
pub const SAMPLES: u16 = 277;
pub const PLANAR: u16 = 284;
pub const PREDICTOR: u16 = 317;
pub const DNG_VERSION: u16 = 50_706;
pub const COLOR_MAP: u16 = 320;
pub const TILE_WIDTH: u16 = 322;
pub const TILE_HEIGHT: u16 = 323;
pub const EXTRA_SAMPLES: u16 = 338;
pub const SAMPLE_FORMAT: u16 = 339;

/// Little endian.
pub struct Tiff {
    /// Offsets have 64 bits.
    big: bool,
    /// How often the directory lists the chunks.
    times: usize,
    fields: Vec<(u16, Vec<u64>)>,
    chunks: Vec<Vec<u8>>,
}

impl Tiff {
    pub fn new(width: usize, height: usize, fields: &[(u16, &[u64])]) -> Tiff {
        let mut all = vec![(256, vec![width as u64]), (257, vec![height as u64])];
        all.extend(fields.iter().map(|(tag, values)| (*tag, values.to_vec())));
        Tiff {
            big: false,
            times: 1,
            fields: all,
            chunks: Vec::new(),
        }
    }

    /// With offsets of 64 bits.
    pub fn big(mut self) -> Tiff {
        self.big = true;
        self
    }

    /// With a directory that lists all chunks this many times.
    pub fn listed(mut self, times: usize) -> Tiff {
        self.times = times;
        self
    }

    /// A strip, or a tile if the fields say so.
    pub fn chunk(mut self, chunk: impl Into<Vec<u8>>) -> Tiff {
        self.chunks.push(chunk.into());
        self
    }

    pub fn file(mut self) -> Bytes {
        let mut file = if self.big {
            b"II+\0\x08\0\0\0........".to_vec()
        } else {
            b"II*\0....".to_vec()
        };
        let mut offsets = Vec::new();
        for chunk in &self.chunks {
            offsets.push(file.len() as u64);
            file.extend(chunk);
        }
        let tiled = self.fields.iter().any(|(tag, _)| *tag == TILE_WIDTH);
        let lengths: Vec<_> = self.chunks.iter().map(|chunk| chunk.len() as u64).collect();
        let (offset_tag, length_tag) = if tiled { (324, 325) } else { (273, 279) };
        self.fields.extend([
            (offset_tag, offsets.repeat(self.times)),
            (length_tag, lengths.repeat(self.times)),
        ]);
        self.fields.sort();
        self.directory(&mut file);
        file.into()
    }

    /// Appends the values and the directory, and points to it.
    fn directory(&self, file: &mut Vec<u8>) {
        let word = if self.big { 8 } else { 4 };
        let number = |value: u64| value.to_le_bytes()[..word].to_vec();
        let mut entries = Vec::new();
        for (tag, values) in &self.fields {
            let kind: u16 = if self.big { 16 } else { 4 };
            entries.extend(tag.to_le_bytes());
            entries.extend(kind.to_le_bytes());
            entries.extend(number(values.len() as u64));
            if let [value] = values[..] {
                entries.extend(number(value));
            } else {
                entries.extend(number(file.len() as u64));
                file.extend(values.iter().flat_map(|value| number(*value)));
            }
        }
        let start = number(file.len() as u64);
        file[word..2 * word].copy_from_slice(&start);
        let count = (self.fields.len() as u64).to_le_bytes();
        file.extend(&count[..if self.big { 8 } else { 2 }]);
        file.extend(entries);
        file.extend(vec![0; word]);
    }
}
