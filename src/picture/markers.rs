//! The markers of a JPEG file (ITU-T T.81, annex B).

/// Frame header, B.2.2.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Bits per sample.
    pub precision: u8,
    pub width: u16,
    pub height: u16,
    pub components: u8,
    /// SOF2: the coefficients are spread over several scans.
    pub progressive: bool,
    pub coding: Coding,
}

/// How a frame is coded (table B.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// SOF0 to SOF2: by the DCT and Huffman's codes.
    Usual,
    /// SOF9 and SOF10: by the DCT and arithmetic codes.
    Arithmetic,
    /// Without loss, or as differences from a smaller frame.
    Rare,
}

/// Adobe's APP14 segment (Adobe Technical Note #5116, section 18).
#[derive(Clone, Copy)]
pub(super) struct Adobe {
    /// 0 none, 1 YCbCr, 2 YCCK.
    pub transform: u8,
    /// Offset of that byte in the file.
    pub offset: usize,
}

/// The markers up to the end of the first picture. Thumbnails are inside segments, which are skipped.
#[derive(Default)]
pub(super) struct Markers {
    pub frame: Option<Frame>,
    pub jfif: bool,
    pub adobe: Option<Adobe>,
    /// Offset of the marker of an Adobe segment that is too short to be one.
    pub cut_adobe: Option<usize>,
    pub scans: usize,
    /// Offset of the EOI marker; `None` when the file ends before it.
    pub eoi: Option<usize>,
}

impl Markers {
    pub fn read(bytes: &[u8]) -> Markers {
        let mut markers = Markers::default();
        markers.eoi = markers.scan(bytes);
        markers
    }

    fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 2;
        loop {
            at += bytes.get(at..)?.iter().position(|&b| b == 0xff)?;
            at += bytes.get(at..)?.iter().position(|&b| b != 0xff)?;
            let marker = *bytes.get(at)?;
            at += 1;
            match marker {
                // A stuffed byte of scan data, TEM, RST0–7 and SOI have no segment.
                0x00 | 0x01 | 0xd0..=0xd8 => {}
                0xd9 => return Some(at - 2),
                _ => {
                    let length = usize::from(be16(bytes.get(at..at + 2)?)).max(2);
                    self.segment(marker, at + 2, bytes.get(at + 2..at + length)?);
                    at += length;
                }
            }
        }
    }

    fn segment(&mut self, marker: u8, offset: usize, body: &[u8]) {
        match marker {
            0xda => self.scans += 1,
            0xe0 => self.jfif |= body.starts_with(b"JFIF\0"),
            0xee if body.starts_with(b"Adobe") && body.len() >= 12 => {
                self.adobe = Some(Adobe {
                    transform: body[11],
                    offset: offset + 11,
                });
            }
            0xee if body.starts_with(b"Adobe") => self.cut_adobe = Some(offset - 3),
            // SOF0–15, except for DHT, JPG and DAC, whose codes are between theirs.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) && body.len() >= 6 => {
                self.frame = Some(Frame {
                    precision: body[0],
                    height: be16(&body[1..]),
                    width: be16(&body[3..]),
                    components: body[5],
                    progressive: marker == 0xc2,
                    coding: match marker {
                        0xc0..=0xc2 => Coding::Usual,
                        0xc9 | 0xca => Coding::Arithmetic,
                        _ => Coding::Rare,
                    },
                });
            }
            _ => {}
        }
    }
}

fn be16(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}
