//! Weight files of int8 networks, in the safetensors format.
//!
//! ```text
//!  conv1.filters     I8  [K, height, width, depth of a group]     of a depthwise [height, width, depth]
//!  conv1.bias        I32 [K]                                       of a softmax: where nothing is left
//!  conv1.multiplier  I32 [K]   conv1.shift  I32 [K]                multiplier · 2^(shift − 31)
//!  tanh1.table       I8  [256]                                    of a slice: concat1.from8.multiplier
//!  volumes.scale     F32 [V]   volumes.zero, .lower, .upper  I8 [V]
//! ```
#![allow(
    clippy::result_large_err,
    reason = "the compiler alone runs this, where nothing is returned through a stack; with 32 bits it is not large"
)]

use super::Quantize;
use super::program::{Kind, Program, Task};
use super::quantized::Quantized;
use crate::file::flash::{MOST_TENSORS, entries, find, message};
use crate::file::header::{Entry, Header};
use crate::graph::{Node, Op};
use crate::kernel::i8::{Channel, Multiplier, Quantization};
use crate::text::{Message, Text, same};

/// A name in a file.
type Name = Text<256>;

/// The layer's name; of a branch of a `concat`, with the depth where its slice begins: `concat1.from8`.
pub(super) const fn name_of(task: &Task, graph: &[Node<'_>]) -> Name {
    let mut name = Name::new();
    name.push_str(graph[task.node].name);
    if let Op::Concat { .. } = graph[task.node].op {
        name.push_str(".from").push_number(task.slice);
    }
    name
}

/// Of a task: the suffix of its bytes, with their shape; and how many channels there are.
pub(super) const fn bytes_of(task: &Task) -> (&'static str, [usize; 4], usize) {
    let ([fh, fw], k) = (task.sizes.filter, task.sizes.y[2]);
    match task.kind {
        Kind::Conv | Kind::Dense | Kind::Tiles | Kind::Rows => (
            ".filters",
            [k, fh, fw, task.sizes.x[2] / task.sizes.groups],
            4,
        ),
        Kind::Depthwise => (".filters", [fh, fw, k, 0], 3),
        Kind::Scale => (".filters", [k, 0, 0, 0], 1),
        Kind::Table => (".table", [256, 0, 0, 0], 1),
        Kind::MaxPool
        | Kind::AvgPool
        | Kind::Mean
        | Kind::Rescale
        | Kind::Softmax
        | Kind::Add
        | Kind::Product
        | Kind::Move
        | Kind::Copy => ("", [0; 4], 0),
    }
}

impl<N: Quantize, const F: usize, const C: usize, const V: usize> Quantized<N, F, C, V> {
    /// The network in a file that [`to_bytes`](Self::to_bytes) made, while a program is compiled: every name, shape
    /// and dtype is checked, every scale and every multiplier. [`int8_weights!`](crate::int8_weights!) calls it.
    ///
    /// # Errors
    ///
    /// A file that is cut short, damaged or none; a tensor that is missing, not the network's, of another shape or
    /// another dtype; a value that cannot be.
    pub const fn read(file: &[u8]) -> Result<Self, Message> {
        let mut all = Self::ZERO;
        let parts = (&mut all.filters, &mut all.channels, &mut all.volumes);
        match fill(file, &N::PROGRAM, N::GRAPH, parts.0, parts.1, parts.2) {
            None => Ok(all),
            Some(message) => Err(message),
        }
    }

    /// The same while a program runs: of a network that is not part of it.
    ///
    /// # Errors
    ///
    /// As there.
    #[cfg(feature = "alloc")]
    pub fn from_bytes(file: &[u8]) -> Result<alloc::boxed::Box<Self>, FileError> {
        let mut all: alloc::boxed::Box<Self> = crate::memory::heap::zeroed_box();
        let parts = (&mut all.filters, &mut all.channels, &mut all.volumes);
        match fill(file, &N::PROGRAM, N::GRAPH, parts.0, parts.1, parts.2) {
            None => Ok(all),
            Some(message) => Err(FileError(message.as_str().into())),
        }
    }
}

/// What is wrong with the file of an int8 network.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError(alloc::string::String);

#[cfg(feature = "alloc")]
impl core::fmt::Display for FileError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "alloc")]
impl core::error::Error for FileError {}

/// What is wrong with the file; or nothing, and all parts are filled.
const fn fill(
    file: &[u8],
    program: &Program<'_>,
    graph: &[Node<'_>],
    filters: &mut [i8],
    channels: &mut [Channel],
    volumes: &mut [Quantization],
) -> Option<Message> {
    let header = match Header::of(file) {
        Ok(header) => header,
        Err(defect) => return Some(message::defect(&defect)),
    };
    let mut room = [Entry::NONE; MOST_TENSORS];
    let entries = match entries(&header, &mut room) {
        Ok(entries) => entries,
        Err(message) => return Some(message),
    };
    let from = File { header, entries };
    let (mut known, mut at) = (0, 0);
    while at < program.tasks.len() {
        let task = &program.tasks[at];
        let name = name_of(task, graph);
        let layer = name.as_str();
        let (suffix, shape, axes) = bytes_of(task);
        if axes > 0 {
            match from.tensor(layer, suffix, shape.split_at(axes).0, "I8") {
                Ok(bytes) => {
                    if let Some(at) = copy(bytes, filters, task) {
                        return Some(not_symmetric(layer, at));
                    }
                }
                Err(message) => return Some(message),
            }
            known += 1;
        }
        let [start, end] = task.channels;
        if start < end {
            let mut tensors = [&[] as &[u8]; 3];
            let mut which = 0;
            while which < 3 {
                let name = [".bias", ".multiplier", ".shift"][which];
                tensors[which] = match from.tensor(layer, name, &[end - start], "I32") {
                    Ok(bytes) => bytes,
                    Err(message) => return Some(message),
                };
                which += 1;
            }
            let [bias, mantissa, exponent] = tensors;
            let mut channel = start;
            while channel < end {
                let at = channel - start;
                let by = Multiplier::from_parts(integer(mantissa, at), integer(exponent, at));
                let Some(by) = by else {
                    return Some(refused(layer, ".multiplier or .shift", at));
                };
                channels[channel] = Channel {
                    bias: integer(bias, at),
                    by,
                };
                channel += 1;
            }
            known += 3;
        }
        at += 1;
    }
    if let Some(message) = from.volumes(volumes) {
        return Some(message);
    }
    match from.entries.len() == known + 4 {
        true => None,
        false => {
            let mut text = Message::new();
            text.push_str("the file has ")
                .push_number(from.entries.len())
                .push_str(" tensors, and the int8 network ")
                .push_number(known + 4)
                .push_str("\nsave the int8 network of this declaration");
            Some(text)
        }
    }
}

/// A file, its tensors found.
struct File<'a> {
    header: Header<'a>,
    entries: &'a [Entry],
}

impl<'a> File<'a> {
    /// The bytes of a tensor.
    const fn tensor(
        &self,
        layer: &str,
        suffix: &str,
        shape: &[usize],
        dtype: &str,
    ) -> Result<&'a [u8], Message> {
        let mut name = Name::new();
        name.push_str(layer).push_str(suffix);
        let Some(place) = find(&self.header, self.entries, 0, name.as_str()) else {
            return Err(message::missing(name.as_str(), &self.header, self.entries));
        };
        let entry = &self.entries[place];
        if !same(entry.dtype(), dtype) {
            return Err(message::dtype(name.as_str(), entry.dtype(), dtype));
        }
        if !entry.has_shape(&self.header, shape) {
            let mut text = Message::new();
            text.push_str(name.as_str())
                .push_str(" has another shape than [");
            let mut axis = 0;
            while axis < shape.len() {
                text.push_str(if axis > 0 { ", " } else { "" })
                    .push_number(shape[axis]);
                axis += 1;
            }
            text.push_str("]\nsave the int8 network of this declaration");
            return Err(text);
        }
        Ok(entry.bytes(&self.header))
    }

    /// Writes what volumes stand for.
    const fn volumes(&self, volumes: &mut [Quantization]) -> Option<Message> {
        let mut tensors = [&[] as &[u8]; 4];
        let mut which = 0;
        while which < 4 {
            let (name, dtype) = [
                (".scale", "F32"),
                (".zero", "I8"),
                (".lower", "I8"),
                (".upper", "I8"),
            ][which];
            tensors[which] = match self.tensor("volumes", name, &[volumes.len()], dtype) {
                Ok(bytes) => bytes,
                Err(message) => return Some(message),
            };
            which += 1;
        }
        let [scale, zero, lower, upper] = tensors;
        let mut at = 0;
        while at < volumes.len() {
            let is = Quantization {
                scale: f32::from_bits(integer(scale, at).cast_unsigned()),
                zero: zero[at].cast_signed(),
                lower: lower[at].cast_signed(),
                upper: upper[at].cast_signed(),
            };
            if !(is.scale.is_normal() && is.scale > 0.0 && is.lower <= is.upper) {
                return Some(refused("volumes", ".scale or bounds", at));
            }
            volumes[at] = is;
            at += 1;
        }
        None
    }
}

/// Where a filter is −128, of which there is no opposite; or nothing, and all bytes are copied.
const fn copy(bytes: &[u8], to: &mut [i8], task: &Task) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at].cast_signed();
        if byte == i8::MIN && !matches!(task.kind, Kind::Table) {
            return Some(at);
        }
        to[task.filters[0] + task.place(at)] = byte;
        at += 1;
    }
    None
}

const fn integer(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(bytes.as_chunks().0[at])
}

const fn refused(layer: &str, what: &str, at: usize) -> Message {
    let mut text = Message::new();
    text.push_str(layer)
        .push_str(what)
        .push_str(" at ")
        .push_number(at)
        .push_str(" is none that a network can have\nsave the int8 network again");
    text
}

const fn not_symmetric(layer: &str, at: usize) -> Message {
    let mut text = Message::new();
    text.push_str(layer)
        .push_str(".filters at ")
        .push_number(at)
        .push_str(" is -128, and filters are from -127 to 127\nquantise them symmetrically, as `quantize` does");
    text
}

#[cfg(feature = "alloc")]
pub(super) use write::written;

/// The file of a network.
#[cfg(feature = "alloc")]
mod write {
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::fmt::Write;

    use super::{Channel, Node, Quantization, Quantize, Quantized, Task, bytes_of, name_of};
    use crate::int8::Parameters;

    impl<N: Quantize, const F: usize, const C: usize, const V: usize> Quantized<N, F, C, V> {
        /// A safetensors file of it, for [`int8_weights!`](crate::int8_weights!): write it to a disk.
        #[must_use]
        pub fn to_bytes(&self) -> Vec<u8> {
            written(N::PROGRAM.tasks, N::GRAPH, self.parts())
        }
    }

    /// The file of a network with such tasks.
    pub(in crate::int8) fn written(
        tasks: &[Task],
        graph: &[Node<'_>],
        (filters, channels, volumes): (&[i8], &[Channel], &[Quantization]),
    ) -> Vec<u8> {
        let mut file = Draft::default();
        for task in tasks {
            let name = name_of(task, graph);
            let layer = name.as_str();
            let (suffix, shape, axes) = bytes_of(task);
            if axes > 0 {
                let bytes = task.bytes_among(filters).map(i8::to_le_bytes);
                file.push(layer, suffix, "I8", &shape[..axes], bytes);
            }
            let [start, end] = task.channels;
            if start < end {
                let all = || channels[start..end].iter();
                let shape = [end - start];
                let parts = all().map(|it| it.bias.to_le_bytes());
                file.push(layer, ".bias", "I32", &shape, parts);
                let parts = all().map(|it| it.by.parts()[0].to_le_bytes());
                file.push(layer, ".multiplier", "I32", &shape, parts);
                let parts = all().map(|it| it.by.parts()[1].to_le_bytes());
                file.push(layer, ".shift", "I32", &shape, parts);
            }
        }
        let all = || volumes.iter();
        let shape = [volumes.len()];
        let scales = all().map(|it| it.scale.to_le_bytes());
        file.push("volumes", ".scale", "F32", &shape, scales);
        let zeros = all().map(|it| it.zero.to_le_bytes());
        file.push("volumes", ".zero", "I8", &shape, zeros);
        let lower = all().map(|it| it.lower.to_le_bytes());
        file.push("volumes", ".lower", "I8", &shape, lower);
        let upper = all().map(|it| it.upper.to_le_bytes());
        file.push("volumes", ".upper", "I8", &shape, upper);
        file.end()
    }

    /// A file that is being written. (Names are those of fields, which need no escape.)
    #[derive(Default)]
    struct Draft {
        header: String,
        data: Vec<u8>,
    }

    impl Draft {
        fn push<const B: usize>(
            &mut self,
            layer: &str,
            suffix: &str,
            dtype: &str,
            shape: &[usize],
            scalars: impl Iterator<Item = [u8; B]>,
        ) {
            let start = self.data.len();
            self.data.extend(scalars.flatten());
            let (end, comma) = (self.data.len(), if start > 0 { "," } else { "" });
            // To write to a string never fails.
            let _ = write!(
                self.header,
                "{comma}\"{layer}{suffix}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\
                 \"data_offsets\":[{start},{end}]}}"
            );
        }

        fn end(self) -> Vec<u8> {
            // The data begins on a multiple of eight.
            let length = (self.header.len() + 2).next_multiple_of(8);
            let mut file = (length as u64).to_le_bytes().to_vec();
            file.extend(b"{");
            file.extend(self.header.as_bytes());
            file.extend(b"}");
            file.resize(8 + length, b' ');
            file.extend(self.data);
            file
        }
    }
}
