//! # Models of other libraries, as `convnet!` declarations
//!
//! ```text
//!  model.onnx ────▶ nodes ──▶ layers ──▶ lines, with blocks and names ──▶ convnet! { … }
//!  model.tflite ──▶ ─┤          └─────────────────────────────────────▶ weights.safetensors
//!  model.keras ───▶ ─┘
//! ```
//!
//! [`Imported::read`] reads a model; [`declaration`](Imported::declaration) is what a person would have
//! written, [`weights`](Imported::weights) the file with its numbers in the axes of that declaration, and
//! [`draft`](Imported::draft) the same network as data, to be planned and printed.
//!
//! ```no_run
//! use convnet_import::{Imported, Options};
//!
//! let model = Imported::read("mnist.onnx", &Options::default())?;
//! std::fs::write("mnist.rs", model.declaration("Mnist"))?;
//! std::fs::write("mnist.safetensors", model.weights()?)?;
//! println!("{}", model.draft("Mnist").plan()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What no layer computes is an error that names every such node.

mod array;
mod blocks;
mod declaration;
mod error;
mod keras;
mod names;
mod network;
mod nodes;
mod onnx;
mod tflite;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use convnet_core::graph::{Node, Op};
use convnet_core::int8::{self, DraftError, Integers};
use convnet_core::kernel::i8::Quantization;
use convnet_core::network::Draft;
use safetensors::Dtype;
use safetensors::tensor::View;

use blocks::{Item, Way};
use names::Names;
use network::{Network, Tensor, What};

pub use error::{ImportError, Refusal};

/// What a model does not say, or says too much of.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Depth, height and width of the image, where the file leaves them open.
    pub input: Option<[usize; 3]>,
    /// The output to compute, where there are several.
    pub output: Option<String>,
    /// Layers written by hand, each behind the node or the operator for which it stands: `("Mish",
    /// "layers::MISH")` makes `layer(layers::MISH, 28x28x64)` of every Mish. A path with `<…>` is a type with
    /// weights: the node's constants, under the last parts of their names.
    pub custom: Vec<(String, String)>,
}

/// Which outputs were met, and which lines.
#[derive(Default)]
struct Given {
    /// The volume that holds the outputs.
    volume: Option<usize>,
    /// In how many blocks.
    blocks: usize,
    /// Of each volume of the model that a line writes, which one of the declaration it is.
    written: HashMap<usize, usize>,
}

impl Given {
    /// Where a way begins of a block that reads volume `input`.
    fn start(&self, way: &Way, input: usize) -> usize {
        let volume = |from| self.written.get(&from).copied().unwrap_or(0);
        way.from.map_or(input, volume)
    }
}

/// A model that a declaration can be.
#[derive(Clone, Debug)]
pub struct Imported {
    network: Network,
    items: Vec<Item>,
    names: Names,
}

impl Imported {
    /// A model out of a file, with tensors that lie beside it.
    ///
    /// # Errors
    ///
    /// An [`ImportError`].
    pub fn read(path: impl AsRef<Path>, options: &Options) -> Result<Self, ImportError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| ImportError::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::of(&bytes, path.parent(), options)
    }

    /// A model out of the bytes of a file.
    ///
    /// # Errors
    ///
    /// An [`ImportError`], but `Io`.
    pub fn from_bytes(bytes: &[u8], options: &Options) -> Result<Self, ImportError> {
        Self::of(bytes, None, options)
    }

    fn of(bytes: &[u8], folder: Option<&Path>, options: &Options) -> Result<Self, ImportError> {
        let network = match bytes.get(4..8) {
            Some(tflite::MAGIC) => tflite::read(bytes, options)?,
            _ if keras::is_keras(bytes) => keras::read(bytes, options)?,
            _ => onnx::read(bytes, folder, options)?,
        };
        let items = blocks::lines(&network)?;
        let names = names::name(&network, &items)?;
        let imported = Self {
            network,
            items,
            names,
        };
        // By the rules of `convnet!`.
        let draft = imported.draft("Model");
        let planned = draft
            .plan()
            .map_err(|unfit| ImportError::Unfit(unfit.to_string()))?;
        let differs = planned.graph().zip(imported.order()).find(|(node, step)| {
            let step = &imported.network.steps[*step];
            matches!(step.what, What::Layer(_)) && node.volume != step.volume
        });
        match differs {
            None => Ok(imported),
            Some((node, step)) => Err(ImportError::Unfit(format!(
                "`{}` writes {:?} in the model and {:?} here, as height, width, depth",
                node.name, imported.network.steps[step].volume, node.volume
            ))),
        }
    }

    /// The volume that it reads: height, width, depth.
    #[must_use]
    pub fn input(&self) -> [usize; 3] {
        self.network.input
    }

    /// The names of its outputs, as the declaration has them; of a model with one output, none.
    #[must_use]
    pub fn outputs(&self) -> &[String] {
        &self.names.outputs
    }

    /// How many numbers the last layer writes: the class scores.
    #[must_use]
    pub fn scores(&self) -> usize {
        match self.network.output.checked_sub(1) {
            Some(step) => self.network.steps[step].volume.iter().product(),
            None => self.network.input.iter().product(),
        }
    }

    /// The declaration of a network called `name`, as Rust.
    #[must_use]
    pub fn declaration(&self, name: &str) -> String {
        declaration::write(&self.network, &self.items, &self.names, name)
    }

    /// The same as data: to be planned, printed as a table, and asked.
    #[must_use]
    pub fn draft(&self, name: &str) -> Draft {
        let mut draft = Draft::new(name, self.network.input);
        for (name, op, _) in self.ops() {
            draft.push(name, op);
        }
        draft
    }

    /// The step behind each op of [`draft`](Self::draft).
    fn order(&self) -> impl Iterator<Item = usize> {
        self.ops().into_iter().map(|(_, _, step)| step)
    }

    /// The ops as `convnet!` makes them of the lines, with their names and steps.
    fn ops(&self) -> Vec<(String, Op, usize)> {
        let (mut ops, mut given) = (Vec::new(), Given::default());
        self.push(&self.items, &mut ops, &mut given);
        // The last output makes the vector of all whole, and nobody goes on behind it.
        if given.volume.is_some_and(|volume| volume + 1 == ops.len()) {
            ops.pop();
        }
        if let Some((_, Op::Outputs { last, .. }, _)) = ops.last_mut() {
            *last = true;
        }
        ops
    }

    /// `given`: the volume that holds the outputs so far.
    fn push(&self, items: &[Item], ops: &mut Vec<(String, Op, usize)>, given: &mut Given) {
        let name = |step: usize| self.names.paths.get(&step).cloned().unwrap_or_default();
        for item in items {
            let input = ops.len();
            match item {
                Item::Layer(step) => {
                    if let What::Layer(op) = &self.network.steps[*step].what {
                        ops.push((name(*step), *op, *step));
                        given.written.insert(step + 1, ops.len());
                    }
                }
                Item::Residual {
                    step,
                    body,
                    shortcut,
                } => {
                    self.push(body, ops, given);
                    let from = given.start(shortcut, input);
                    let mut with = from;
                    if !shortcut.items.is_empty() || from > input {
                        with = ops.len();
                        ops.push((name(*step), Op::Branch { from }, *step));
                        self.push(&shortcut.items, ops, given);
                    }
                    ops.push((name(*step), Op::Add { with, input }, *step));
                    given.written.insert(step + 1, ops.len());
                }
                Item::Group { items, .. } => self.push(items, ops, given),
                Item::Scale { step, body } => {
                    self.push(body, ops, given);
                    ops.push((name(*step), Op::Scale { with: input }, *step));
                    given.written.insert(step + 1, ops.len());
                }
                Item::Concat { step, ways } => {
                    let mut onto = None;
                    for (at, way) in ways.iter().enumerate() {
                        let from = given.start(way, input);
                        if at > 0 || from != input {
                            ops.push((name(*step), Op::Branch { from }, *step));
                        }
                        self.push(&way.items, ops, given);
                        let last = at + 1 == ways.len();
                        ops.push((name(*step), Op::Concat { onto, input, last }, *step));
                        onto = Some(ops.len());
                    }
                    given.written.insert(step + 1, ops.len());
                }
                Item::Outputs { step, ways } => {
                    let block = self.names.given[given.blocks].clone();
                    given.blocks += 1;
                    for (place, (at, way)) in ways.iter().enumerate() {
                        let from = given.start(way, input);
                        if place > 0 {
                            // The last output has begun a way at the block's input.
                            ops.pop();
                        }
                        if place > 0 || from != input {
                            ops.push((block.clone(), Op::Branch { from }, *step));
                        }
                        self.push(&way.items, ops, given);
                        let (onto, last) = (given.volume, false);
                        let op = Op::Outputs { onto, input, last };
                        ops.push((self.names.output(*at).to_owned(), op, *step));
                        given.volume = Some(ops.len());
                        ops.push((block.clone(), Op::Branch { from: input }, *step));
                    }
                }
            }
            if let Some(step) = item.step()
                && let Some(path) = self.names.forks.get(&step)
            {
                ops.push((path.clone(), Op::Flatten, step));
                given.written.insert(step + 1, ops.len());
            }
        }
    }

    /// The weights as a safetensors file, by the names and in the axes of the declaration.
    ///
    /// # Errors
    ///
    /// [`ImportError::Format`], if the format does not take them.
    pub fn weights(&self) -> Result<Vec<u8>, ImportError> {
        safetensors::serialize(self.tensors(), None)
            .map_err(|error| ImportError::Format(error.to_string()))
    }

    /// Of a model in bytes, its network in bytes, as the file that `int8_weights!` reads: with the scales, zero points
    /// and integers of the model, so that every byte is what TensorFlow Lite computes. Of a model that computes with
    /// floats, nothing.
    ///
    /// # Errors
    ///
    /// [`ImportError::Int8`]: the model rounds where the declaration's network in bytes does not, or otherwise.
    pub fn int8(&self) -> Result<Option<Vec<u8>>, ImportError> {
        let Some(int8) = &self.network.int8 else {
            return Ok(None);
        };
        let fault = |error: DraftError| ImportError::Int8(error.to_string());
        let (layers, ops) = (self.draft("Model"), self.ops());
        // Which volume of the model it is, if a whole one.
        let volume = |v: usize| match v.checked_sub(1) {
            None => Some(0),
            Some(op) => match ops.get(op)? {
                (_, Op::Branch { .. } | Op::Concat { last: false, .. }, _) => None,
                (.., step) => Some(step + 1),
            },
        };
        let quantization = |v: usize| {
            let all = int8.volumes.iter();
            let found = volume(v).and_then(|v| all.into_iter().find(|(volume, ..)| *volume == v));
            found.map(|(.., is)| *is)
        };
        let integers = |op: usize| {
            let (.., step) = *ops.get(op)?;
            let (step, layer) = (&self.network.steps[step], int8.layers.get(&step)?);
            let filters = step.tensors.iter().find(|it| it.field == "filters")?;
            Some(Integers {
                filters: &filters.data,
                scales: layer.scales.clone(),
                biases: layer.biases.clone(),
            })
        };
        let mut draft = int8::Draft::new(&layers).map_err(fault)?;
        draft.fill(quantization, integers).map_err(fault)?;
        for v in 0..=ops.len() {
            let (Some(own), Some(has)) = (volume(v), draft.quantization(v)) else {
                continue;
            };
            let all = int8.volumes.iter().filter(|(volume, ..)| *volume == own);
            let same = |is: &Quantization| (is.scale, is.zero) == (has.scale, has.zero);
            if let Some((_, name, is)) = all.into_iter().find(|(.., is)| !same(is)) {
                return Err(ImportError::Int8(format!(
                    "`{name}` is rounded to steps of {:e} around {}, and there to those of {:e} around {}, since \
                     what follows takes the bytes as they are",
                    is.scale, is.zero, has.scale, has.zero
                )));
            }
        }
        Ok(Some(draft.to_bytes()))
    }

    /// Every tensor by its name in the declaration.
    fn tensors(&self) -> impl Iterator<Item = (String, &Tensor)> {
        self.names.paths.iter().flat_map(|(step, path)| {
            let tensors = self.network.steps[*step].tensors.iter();
            tensors.map(move |tensor| (format!("{path}.{}", tensor.field), tensor))
        })
    }
}

/// A tensor's axes and values, by its name.
type Find<'a> = dyn Fn(&str) -> Option<(Vec<usize>, Vec<f32>)> + 'a;

impl Imported {
    /// The network as an ONNX model in its normal form: by the declaration's names, without what computes
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`ImportError::Unfit`], if it has a layer that ONNX has not, or is too large for such a file.
    pub fn onnx(&self) -> Result<Vec<u8>, ImportError> {
        self.written(|graph, input, tensor| convnet_onnx::graph_to_bytes(graph, input, tensor))
    }

    /// The network as a TensorFlow Lite model, in `f32`.
    ///
    /// # Errors
    ///
    /// [`ImportError::Unfit`], if it has a layer that TensorFlow Lite has not, or is too large for such a file.
    pub fn tflite(&self) -> Result<Vec<u8>, ImportError> {
        self.written(|graph, input, tensor| convnet_tflite::graph_to_bytes(graph, input, tensor))
    }

    /// By what writes a graph that reads such a volume, with its tensors by their names.
    fn written<E: std::fmt::Display>(
        &self,
        write: impl FnOnce(&[Node<'_>], [usize; 3], &Find<'_>) -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, ImportError> {
        let unfit = |error: &dyn std::fmt::Display| ImportError::Unfit(error.to_string());
        let draft = self.draft("Model");
        let planned = draft.plan().map_err(|error| unfit(&error))?;
        let graph: Vec<_> = planned.graph().collect();
        let tensors: HashMap<String, &Tensor> = self.tensors().collect();
        let tensor = |name: &str| {
            let tensor = tensors.get(name)?;
            Some((tensor.shape.clone(), tensor.data.clone()))
        };
        write(&graph, self.network.input, &tensor).map_err(|error| unfit(&error))
    }
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let bytes = self.data.iter().flat_map(|it| it.to_le_bytes());
        Cow::Owned(bytes.collect())
    }

    fn data_len(&self) -> usize {
        size_of::<f32>() * self.data.len()
    }
}
