//! The weights in an ONNX file: the little of its format (protobuf) that this needs.
//!
//! Field numbers are those of `onnx.proto`: a model has its graph in 7; a graph its nodes in 1 and its tensors in 5; a
//! node its inputs in 1 and its operator in 4; a tensor its sides in 1, its name in 8 and its samples in 9.

/// A convolution with a bias.
pub struct Convolution {
    /// Outputs, inputs, height and width.
    pub sides: Vec<usize>,
    /// In the order of `sides`.
    pub weights: Vec<f32>,
    /// One for each output.
    pub biases: Vec<f32>,
}

/// All convolutions of a model, in the order of its graph. `None`: the file is another.
pub fn convolutions(model: &[u8]) -> Option<Vec<Convolution>> {
    let graph = parts(model, 7).next()?;
    let is_convolution = |node: &&[u8]| parts(node, 4).next() == Some(b"Conv");
    let nodes = parts(graph, 1).filter(is_convolution);
    nodes.map(|node| convolution(graph, node)).collect()
}

fn convolution(graph: &[u8], node: &[u8]) -> Option<Convolution> {
    // The first input is what is convolved.
    let mut inputs = parts(node, 1).skip(1);
    let (sides, weights) = tensor(graph, inputs.next()?)?;
    let (_, biases) = tensor(graph, inputs.next()?)?;
    let outputs = *sides.first()?;
    let fits = weights.len() == sides.iter().product::<usize>() && biases.len() == outputs;
    fits.then_some(Convolution {
        sides,
        weights,
        biases,
    })
}

/// Sides and samples.
fn tensor(graph: &[u8], name: &[u8]) -> Option<(Vec<usize>, Vec<f32>)> {
    let tensor = parts(graph, 5).find(|tensor| parts(tensor, 8).next() == Some(name))?;
    let sides = fields(tensor).filter_map(|(number, value)| match value {
        Value::Number(side) if number == 1 => usize::try_from(side).ok(),
        _ => None,
    });
    let samples = parts(tensor, 9).next()?.as_chunks().0.iter();
    Some((
        sides.collect(),
        samples.map(|&bytes| f32::from_le_bytes(bytes)).collect(),
    ))
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The values of the fields with this number that are bytes.
fn parts(message: &[u8], number: u64) -> impl Iterator<Item = &[u8]> {
    fields(message).filter_map(move |(other, value)| match value {
        Value::Bytes(bytes) if other == number => Some(bytes),
        _ => None,
    })
}

/// Numbers and values of a message's fields, until one cannot be read.
fn fields(mut message: &[u8]) -> impl Iterator<Item = (u64, Value<'_>)> {
    std::iter::from_fn(move || field(&mut message))
}

fn field<'a>(message: &mut &'a [u8]) -> Option<(u64, Value<'a>)> {
    let key = varint(message)?;
    let length = match key & 7 {
        0 => return Some((key >> 3, Value::Number(varint(message)?))),
        1 => 8,
        2 => usize::try_from(varint(message)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let (bytes, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some((key >> 3, Value::Bytes(bytes)))
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_model_has_no_convolutions() {
        assert!(convolutions(b"").is_none());
        assert!(convolutions(&[0xff; 40]).is_none());
    }
}
