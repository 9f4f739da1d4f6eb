//! # Reports: a network as a page of pictures
//!
//! ```text
//!  net ──▶ table, graph, volumes to scale, filters, memory over time ┐
//!  images ──observe──▶ every slice, the top five                     ├──▶ one HTML file
//!  History, Evaluation, int8::Report ──▶ curves, confusion, decibels ┘
//! ```
//!
//! The file needs nothing else: its pictures are in it, it asks no network, and it opens from a disk, in light and
//! dark, on a telephone and on paper. It is well-formed XML, too.
//!
//! **Invariant:** what is drawn is what is computed: volumes come from [`observe`](crate::Network::observe), sizes
//! and places from the [plan](mod@crate::plan) that the compiler used.

mod confusion;
mod curves;
mod filters;
mod memory;
mod page;
mod pictures;
mod table;
mod volumes;

use std::io::{self, Write as _};
use std::path::Path;

use crate::data::{Samples, Target};
use crate::draw::{self, text};
use crate::file::weights::replace;
use crate::int8;
use crate::learn::train::{Evaluation, History};
use crate::{AnyVolume, Network, Real};

use page::Section;

/// A network as a page of pictures, in one HTML file.
///
/// What is not said is not in it: of a network alone it has the table, the graph, the volumes to scale, the filters,
/// and the memory over time.
///
/// ```no_run
/// # use convnet_core as convnet;
/// use convnet::Network;
/// use convnet::data::Images;
/// use convnet::report::Report;
/// use convnet::train::{Evaluation, History};
///
/// fn write<N: Network>(net: &N, test: &Images, history: &History, seen: &Evaluation) -> std::io::Result<()> {
///     Report::new(net)
///         .history(history)
///         .evaluation(seen, test)
///         .images(test, 0..3)
///         .write("report.html")
/// }
/// ```
///
/// [`Trainer::report`](crate::train::Trainer::report) writes one after each epoch.
#[derive(Debug)]
pub struct Report<'a, N: Network> {
    net: &'a N,
    title: String,
    history: Option<String>,
    evaluation: Option<String>,
    images: Vec<String>,
    int8: Option<String>,
}

impl<'a, N: Network> Report<'a, N> {
    /// Of the network alone.
    #[must_use]
    pub fn new(net: &'a N) -> Self {
        Self {
            net,
            title: name_of::<N>().to_owned(),
            history: None,
            evaluation: None,
            images: Vec::new(),
            int8: None,
        }
    }

    /// What stands on top; the name of the network's type, if not said.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Curves: loss, accuracy, learning rate.
    #[must_use]
    pub fn history(mut self, history: &History) -> Self {
        self.history = (!history.epochs.is_empty()).then(|| curves::draw(history));
        self
    }

    /// The confusion matrix, and the images of `samples` on which the loss is largest. These must be what was
    /// [evaluated](crate::train::evaluate).
    #[must_use]
    pub fn evaluation<Y: Target>(mut self, seen: &Evaluation, samples: &impl Samples<Y>) -> Self {
        self.evaluation = Some(confusion::draw(self.net, seen, samples));
        self
    }

    /// Every activation volume of some images, slice by slice, and the five classes with the highest scores. Images
    /// that are not there are left out; so are all if they have another size than the network reads.
    #[must_use]
    pub fn images<Y: Target>(
        mut self,
        samples: &impl Samples<Y>,
        indices: impl IntoIterator<Item = usize>,
    ) -> Self {
        let indices = indices.into_iter().filter(|&index| index < samples.len());
        let drawn = indices.filter_map(|index| volumes::draw(self.net, samples, index));
        self.images.extend(drawn);
        self
    }

    /// How far the network in bytes is from this one: what [`Quantized::report`](int8::Quantized::report) has found.
    #[must_use]
    pub fn int8(mut self, found: &int8::Report) -> Self {
        self.int8 = Some(table::int8(found));
        self
    }

    /// The page.
    #[must_use]
    pub fn to_html(&self) -> String {
        let image = <N::Input as AnyVolume>::SHAPE;
        let mut sections = vec![Section::new("table", "The table", table::draw::<N>())];
        let mut add = |id, title, body: Option<String>| {
            sections.extend(body.map(|body| Section::new(id, title, body)));
        };
        add("training", "Training", self.history.clone());
        add("evaluation", "Right and wrong", self.evaluation.clone());
        let images = (!self.images.is_empty()).then(|| self.images.concat());
        add("activations", "What it makes of images", images);
        add("graph", "The graph", draw::graph(image, N::GRAPH));
        add(
            "volumes",
            "Volumes to scale",
            Some(draw::solids(image, N::LAYERS)),
        );
        add("filters", "Filters", filters::draw(self.net));
        add("memory", "Memory over time", memory::draw::<N>());
        add("int8", "In bytes", self.int8.clone());
        page::page(&self.title, &lead::<N>(), &sections)
    }

    /// Writes the page: whoever opens `path` meanwhile finds the one before or this one.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let page = self.to_html();
        replace(path.as_ref(), |file| file.write_all(page.as_bytes()))
    }
}

/// The last part of the type's path, without what it is generic over.
fn name_of<N>() -> &'static str {
    let path = std::any::type_name::<N>();
    let path = path.split_once('<').map_or(path, |(path, _)| path);
    path.rsplit("::").next().unwrap_or(path)
}

/// What stands below the title.
fn lead<N: Network>() -> String {
    let [parameters, macs] = [
        N::LAYERS.iter().map(|layer| layer.parameters as u64).sum(),
        N::LAYERS.iter().map(|layer| layer.macs).sum::<u64>(),
    ];
    let [h, w, d] = <N::Input as AnyVolume>::SHAPE;
    format!(
        "an image of {w}×{h}×{d}, {} layers, {} parameters, {} multiply-adds",
        N::LAYERS.len(),
        grouped(parameters),
        grouped(macs),
    )
}

/// A count with commas.
fn grouped(count: u64) -> String {
    crate::network::summary::Grouped(count).to_string()
}

/// A number, short.
fn short(number: f64) -> String {
    let size = number.abs();
    let text = match size {
        _ if !number.is_finite() => number.to_string(),
        0.0 => "0".to_owned(),
        1000.0.. | ..0.001 => format!("{number:.1e}"),
        100.0.. => format!("{number:.0}"),
        10.0.. => format!("{number:.1}"),
        1.0.. => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    };
    text.replace('-', "−")
}

/// A scalar for a picture.
fn wide<T: Real>(scalars: &[T]) -> Vec<f64> {
    scalars.iter().map(|scalar| scalar.widen()).collect()
}
