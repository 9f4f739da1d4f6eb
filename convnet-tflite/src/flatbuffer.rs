//! FlatBuffers, written from the front to the back: a table, and behind it what it refers to.
//!
//! ```text
//!  list of places: its bytes, the table's bytes, a u16 a field ◀──i32── table: 4 bytes a field ──u32──▶ what is longer
//! ```
//!
//! A number of one byte takes four as well: the first of them is the number. The crate `flatbuffers` aligns a vector
//! as its elements are, where weights are to lie at multiples of 16, unless a type with `unsafe` code says otherwise.

/// Where the bytes of a constant begin: at a multiple of it, for the vectors of whoever runs the model.
const ALIGNED: usize = 16;

/// What a field is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Int(i32),
    Float(f32),
    Text(String),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    Floats(Vec<f32>),
    Bytes(Vec<u8>),
    Table(Table),
    Tables(Vec<Table>),
}

/// The fields that are there, by their numbers in the schema.
pub(crate) type Table = Vec<(usize, Value)>;

/// A file, with its mark.
pub(crate) fn file(root: &Table, mark: [u8; 4]) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend(mark);
    let at = table(&mut out, root);
    refer(&mut out, 0, at);
    out
}

/// Where it begins.
fn table(out: &mut Vec<u8>, fields: &Table) -> usize {
    let listed = fields.iter().map(|(id, _)| id + 1).max().unwrap_or(0);
    let mut places = vec![0_u16; listed];
    for (slot, (id, _)) in fields.iter().enumerate() {
        places[*id] = 4 + 4 * slot as u16;
    }
    align(out, 0, 4);
    let list = out.len();
    let sizes = [4 + 2 * listed as u16, 4 + 4 * fields.len() as u16];
    out.extend(sizes.into_iter().chain(places).flat_map(u16::to_le_bytes));
    align(out, 0, 4);
    let at = out.len();
    out.extend(((at - list) as i32).to_le_bytes());
    out.extend(fields.iter().flat_map(|(_, value)| match value {
        Value::Int(value) => value.to_le_bytes(),
        Value::Float(value) => value.to_le_bytes(),
        Value::Text(_)
        | Value::Ints(_)
        | Value::Longs(_)
        | Value::Floats(_)
        | Value::Bytes(_)
        | Value::Table(_)
        | Value::Tables(_) => [0; 4],
    }));
    for (slot, (_, value)) in fields.iter().enumerate() {
        let to = match value {
            Value::Int(_) | Value::Float(_) => continue,
            Value::Text(text) => {
                let at = vector(out, text.len(), 4, text.bytes());
                out.push(0);
                at
            }
            Value::Ints(all) => numbers(out, all, |it| it.to_le_bytes()),
            Value::Longs(all) => numbers(out, all, |it| it.to_le_bytes()),
            Value::Floats(all) => numbers(out, all, |it| it.to_le_bytes()),
            Value::Bytes(all) => vector(out, all.len(), ALIGNED, all.iter().copied()),
            Value::Table(fields) => table(out, fields),
            Value::Tables(all) => {
                let at = vector(out, all.len(), 4, std::iter::repeat_n(0, 4 * all.len()));
                for (index, fields) in all.iter().enumerate() {
                    let to = table(out, fields);
                    refer(out, at + 4 + 4 * index, to);
                }
                at
            }
        };
        refer(out, at + 4 + 4 * slot, to);
    }
    at
}

/// A vector of numbers of `B` bytes.
fn numbers<T: Copy, const B: usize>(
    out: &mut Vec<u8>,
    all: &[T],
    bytes: impl Fn(T) -> [u8; B],
) -> usize {
    let elements = all.iter().flat_map(|it| bytes(*it));
    vector(out, all.len(), B, elements)
}

/// Its length, and its elements, which begin at a multiple of `aligned`.
fn vector(out: &mut Vec<u8>, len: usize, aligned: usize, bytes: impl Iterator<Item = u8>) -> usize {
    align(out, 4, aligned);
    let at = out.len();
    out.extend((len as u32).to_le_bytes());
    out.extend(bytes);
    at
}

/// Zeros, until what is `ahead` bytes on lies at a multiple.
fn align(out: &mut Vec<u8>, ahead: usize, multiple: usize) {
    let end = (out.len() + ahead).next_multiple_of(multiple) - ahead;
    out.resize(end, 0);
}

/// Writes at `from` how far on `to` lies.
fn refer(out: &mut [u8], from: usize, to: usize) {
    out[from..from + 4].copy_from_slice(&((to - from) as u32).to_le_bytes());
}
