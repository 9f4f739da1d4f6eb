//! An int8 network without a type: planned while a program runs, and filled with the integers that another library
//! has found.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt::{self, Display, Formatter};

use num_traits::float::FloatCore;

use super::calibrate::{Scales, constants, store};
use super::file::written;
use super::program::{Fixed, Kind, OPTIONS, Range, Room, Task, unplanned, write};
use crate::graph::{Node, Op};
use crate::kernel::i8::{Channel, Quantization};
use crate::network::Draft as Layers;
use crate::plan::{self, Message};

/// An int8 network of layers that have no type, to be written as the file that
/// [`int8_weights!`](crate::int8_weights!) reads.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::graph::Op;
/// use convnet::int8::{Draft, Integers, Scales};
/// use convnet::kernel::i8::Quantization;
/// use convnet::network;
///
/// let mut layers = network::Draft::new("Tiny", [1, 1, 3]);
/// layers.push("scores", Op::fc(2));
/// let mut draft = Draft::new(&layers)?;
/// let filters = [0.5, -1.0, 0.0, 0.5, 1.5, 1.0]; // of three numbers, two at a time
/// draft.fill(
///     |_| Some(Quantization::new(0.1, -3)),
///     |_| {
///         let filters = &filters;
///         Some(Integers { filters, scales: Scales::Each(vec![0.5; 2]), biases: vec![7, -7] })
///     },
/// )?;
/// let file = draft.to_bytes();
/// assert!(file[8..].starts_with(br#"{"scores.filters":{"dtype":"I8","shape":[2, 1, 1, 3]"#));
/// # Ok::<(), convnet::int8::DraftError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    graph: Vec<Node<'a>>,
    ops: &'a [Op],
    tasks: Vec<Task>,
    ranges: Vec<Range>,
    /// The quantization of what each layer writes.
    of: Vec<usize>,
    filters: Vec<i8>,
    channels: Vec<Channel>,
    volumes: Vec<Quantization>,
}

/// The filters of a layer and their biases.
#[derive(Clone, Debug)]
pub struct Integers<'a> {
    /// In the axes of the declaration, each a multiple of its scale, from −127 to 127 times.
    pub filters: &'a [f32],
    /// What one is.
    pub scales: Scales,
    /// A number each, in steps of the image's scale times the filter's.
    pub biases: Vec<i32>,
}

/// Why a [`Draft`] is not the network of such integers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DraftError {
    /// A layer has no int8 form.
    Unplanned(String),
    /// Nothing says what the bytes of a volume stand for, or it is no scale.
    NoQuantization {
        /// The layer that writes it; `input`, of the image.
        layer: String,
    },
    /// What has a quantization of its own, as probabilities have, is given another.
    Fixed {
        /// The layer.
        layer: String,
    },
    /// A layer has no filters, not as many, or such as are not integers times their scales from −127 to 127.
    Filters {
        /// The layer.
        layer: String,
    },
}

impl Display for DraftError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unplanned(message) => f.write_str(message),
            Self::NoQuantization { layer } => {
                write!(f, "what the bytes of {layer} stand for is not said")
            }
            Self::Fixed { layer } => write!(
                f,
                "{layer} has other steps than 1/256 from -128, of what lies between -1 and 1 than 1/128 around 0"
            ),
            Self::Filters { layer } => write!(
                f,
                "the filters of {layer} are not integers from -127 to 127, each with one scale for all that it has"
            ),
        }
    }
}

impl Error for DraftError {}

impl<'a> Draft<'a> {
    /// Plans layers in bytes.
    ///
    /// # Errors
    ///
    /// [`DraftError::Unplanned`]: the first layer that has no int8 form, or that does not fit.
    pub fn new(layers: &'a Layers) -> Result<Self, DraftError> {
        let fault = |message: Message| DraftError::Unplanned(message.as_str().into());
        let (input, ops) = (layers.input(), layers.ops());
        let (steps, _) = plan::place_of(input, ops, OPTIONS).map_err(|_| fault(unplanned()))?;
        let graph: Vec<_> = layers.nodes(&steps).collect();
        let mut tasks = vec![Task::NONE; ops.len()];
        let mut ranges = vec![Range::NONE; ops.len()];
        let mut of = vec![0; ops.len()];
        let room = Room {
            tasks: &mut tasks,
            ranges: &mut ranges,
            of: &mut of,
            clampable: &mut vec![false; ops.len()],
        };
        let counts = write(input, &graph, ops, &steps, room).map_err(fault)?;
        tasks.truncate(counts.tasks);
        ranges.truncate(counts.volumes - 1);
        Ok(Self {
            graph,
            ops,
            tasks,
            ranges,
            of,
            filters: vec![0; counts.filters],
            channels: vec![Channel::ZERO; counts.channels],
            volumes: vec![Quantization::NONE; counts.volumes],
        })
    }

    /// Takes what bytes stand for from `volume`, which is [asked](crate::graph) for 0, the image, and i + 1, what layer
    /// i writes, if others do not have the same anyway; and filters from `layer`. What is clamped is no matter there.
    ///
    /// # Errors
    ///
    /// Any [`DraftError`] but `Unplanned`.
    pub fn fill<'i>(
        &mut self,
        volume: impl Fn(usize) -> Option<Quantization>,
        layer: impl Fn(usize) -> Option<Integers<'i>>,
    ) -> Result<(), DraftError> {
        let name = |v: usize| v.checked_sub(1).map_or("input", |i| self.graph[i].name);
        let given = |v: usize| {
            let is = volume(v).filter(|is| is.scale.is_normal() && is.scale > 0.0);
            let layer = || name(v).into();
            is.map(|is| Quantization::new(is.scale, is.zero))
                .ok_or_else(|| DraftError::NoQuantization { layer: layer() })
        };
        let mut volumes = vec![given(0)?];
        for range in &self.ranges {
            let is = given(range.observed)?;
            let fixed = range.fixed.map(Fixed::quantization);
            if fixed.is_some_and(|fixed| fixed != is) {
                let layer = name(range.observed).into();
                return Err(DraftError::Fixed { layer });
            }
            volumes.push(range.clamped(is));
        }
        self.volumes = volumes;
        for task in &self.tasks {
            let is = task.volumes.map(|v| self.volumes[v]);
            let node = &self.graph[task.node];
            let [filters, channels] = [task.filters, task.channels];
            let filters = &mut self.filters[filters[0]..filters[1]];
            let channels = &mut self.channels[channels[0]..channels[1]];
            if !matches!(task.kind, Kind::Depthwise | Kind::Scale) && !task.kind.is_conv() {
                constants(task, &self.ops[task.node], is, filters, channels);
                continue;
            }
            let layer = layer(task.node).filter(|it| it.fit(task));
            let Some(it) = layer else {
                let layer = node.name.into();
                return Err(DraftError::Filters { layer });
            };
            let numbers = (it.filters, &it.scales);
            store(task, numbers, |at, _| it.biases[at], is, filters, channels);
        }
        Ok(())
    }

    /// What the bytes of a volume stand for.
    #[must_use]
    pub fn quantization(&self, volume: usize) -> Option<Quantization> {
        let which = match volume.checked_sub(1) {
            Some(layer) => *self.of.get(layer)?,
            None => 0,
        };
        self.volumes.get(which).copied()
    }

    /// The safetensors file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let parts = (&self.filters[..], &self.channels[..], &self.volumes[..]);
        written(&self.tasks, &self.graph, parts)
    }
}

impl Integers<'_> {
    /// Whether they are as many as a task has, and integers.
    fn fit(&self, task: &Task) -> bool {
        let k = task.sizes.y[2];
        let scale = |at: usize| match &self.scales {
            Scales::One(scale) => *scale,
            Scales::Each(each) => each[at % k],
        };
        let many = match &self.scales {
            Scales::One(_) => k,
            Scales::Each(each) => each.len(),
        };
        let is_integer = |(at, &w): (usize, &f32)| {
            let (scale, steps) = (scale(at), w / scale(at));
            // A product of eight bits and a scale, rounded.
            scale > 0.0 && (steps - FloatCore::round(steps)).abs() < 1e-4 && steps.abs() < 127.5
        };
        [many, self.biases.len()] == [k; 2]
            && self.filters.len() == task.elements()
            && self.filters.iter().enumerate().all(is_integer)
    }
}
