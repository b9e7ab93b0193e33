//! The first image file directory of a TIFF or BigTIFF (TIFF 6.0, section 2).

/// Fields by tag. All values are read from the file on demand.
pub(super) struct Directory<'b> {
    bytes: &'b [u8],
    big_endian: bool,
    fields: Vec<Field>,
}

struct Field {
    tag: u16,
    kind: u16,
    count: usize,
    /// Of the first value, in the file.
    offset: usize,
}

/// Sizes of the parts of a directory, in bytes.
struct Sizes {
    /// Of an offset, and of a field's count.
    word: usize,
    /// Of the number of fields.
    fields: usize,
}

const CLASSIC: Sizes = Sizes { word: 4, fields: 2 };
const BIG: Sizes = Sizes { word: 8, fields: 8 };

impl<'b> Directory<'b> {
    /// `None` when the file ends inside the directory, or has none.
    pub fn read(bytes: &'b [u8]) -> Option<Directory<'b>> {
        let mut directory = Directory {
            bytes,
            big_endian: bytes.starts_with(b"MM"),
            fields: Vec::new(),
        };
        let (sizes, start) = match directory.unsigned(2, 2)? {
            43 => (BIG, directory.unsigned(8, 8)?),
            _ => (CLASSIC, directory.unsigned(4, 4)?),
        };
        let start = usize::try_from(start).ok()?;
        let count = usize::try_from(directory.unsigned(start, sizes.fields)?).ok()?;
        let first = start.checked_add(sizes.fields)?;
        let length = 4 + 2 * sizes.word;
        let end = count.checked_mul(length)?.checked_add(first)?;
        if end > bytes.len() {
            return None;
        }
        directory.fields = (first..end)
            .step_by(length)
            .filter_map(|at| directory.field(at, &sizes))
            .collect();
        Some(directory)
    }

    fn field(&self, at: usize, sizes: &Sizes) -> Option<Field> {
        let kind = self.unsigned(at + 2, 2)? as u16;
        let count = usize::try_from(self.unsigned(at + 4, sizes.word)?).ok()?;
        let inline = at + 4 + sizes.word;
        let offset = if count.checked_mul(size(kind)?)? <= sizes.word {
            inline
        } else {
            usize::try_from(self.unsigned(inline, sizes.word)?).ok()?
        };
        Some(Field {
            tag: self.unsigned(at, 2)? as u16,
            kind,
            count,
            offset,
        })
    }

    fn find(&self, tag: u16) -> Option<&Field> {
        self.fields.iter().find(|field| field.tag == tag)
    }

    pub fn has(&self, tag: u16) -> bool {
        self.find(tag).is_some()
    }

    /// The first value of an integer field.
    pub fn number(&self, tag: u16) -> Option<u64> {
        self.numbers(tag)?.get(0)
    }

    /// The values of an integer field.
    pub fn numbers(&self, tag: u16) -> Option<Numbers<'_>> {
        let field = self.find(tag).filter(|field| is_integer(field.kind))?;
        Some(Numbers {
            directory: self,
            field,
            size: size(field.kind)?,
        })
    }

    /// The bytes of a field of bytes.
    pub fn bytes(&self, tag: u16) -> Option<&'b [u8]> {
        let field = self.find(tag).filter(|field| size(field.kind) == Some(1))?;
        self.bytes
            .get(field.offset..)
            .and_then(|rest| rest.get(..field.count))
    }

    pub fn big_endian(&self) -> bool {
        self.big_endian
    }

    /// An integer of up to eight bytes.
    fn unsigned(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..)?.get(..size)?;
        let digit = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
        Some(if self.big_endian {
            bytes.iter().fold(0, digit)
        } else {
            bytes.iter().rev().fold(0, digit)
        })
    }
}

/// The values of an integer field.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'d> {
    directory: &'d Directory<'d>,
    field: &'d Field,
    /// Of a value, in bytes.
    size: usize,
}

impl<'d> Numbers<'d> {
    /// `None` beyond the last value, or the end of the file.
    pub fn get(&self, i: usize) -> Option<u64> {
        if i >= self.field.count {
            return None;
        }
        let at = self.field.offset.checked_add(i * self.size)?;
        self.directory.unsigned(at, self.size)
    }

    /// Up to `most` values.
    pub fn first(self, most: usize) -> impl Iterator<Item = u64> + use<'d> {
        (0..most).map_while(move |i| self.get(i))
    }
}

/// Of a value, in bytes. `None` for an unknown type.
fn size(kind: u16) -> Option<usize> {
    match kind {
        // BYTE, ASCII, SBYTE, UNDEFINED
        1 | 2 | 6 | 7 => Some(1),
        // SHORT, SSHORT
        3 | 8 => Some(2),
        // LONG, SLONG, FLOAT, IFD
        4 | 9 | 11 | 13 => Some(4),
        // RATIONAL, SRATIONAL, DOUBLE, LONG8, SLONG8, IFD8
        5 | 10 | 12 | 16 | 17 | 18 => Some(8),
        _ => None,
    }
}

/// BYTE, SHORT, LONG, IFD, LONG8 and IFD8.
fn is_integer(kind: u16) -> bool {
    matches!(kind, 1 | 3 | 4 | 13 | 16 | 18)
}
