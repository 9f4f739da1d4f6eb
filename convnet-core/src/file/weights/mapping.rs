//! How the names, and some shapes, of a PyTorch file differ from those of a network.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::pattern::{self, Caught};

/// What a file of PyTorch calls the tensors of a network, and what else is other there than this crate
/// expects. [`from_pytorch`](super::from_pytorch) reads by it; a list of pairs is one, too.
///
/// A name of the network's is the whole of a tensor (`t.gamma`), of a layer (`conv1`) or of a block with all
/// that lies in it (`stage1.residual2`). In names, `*` stands for any text without a dot. `#` stands for a
/// number, which counts from 1 here and from 0 in the file.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::weights::{Flattened, Mapping};
///
/// // torchvision's ResNet, wrapped in `DataParallel`, trained with a second head.
/// let resnet = Mapping::new()
///     .prefix("module.")
///     .name("*.residual#", "*.#")
///     .name("*.residual#.shortcut.conv1", "*.#.downsample.0")
///     .name("*.residual#.shortcut.batch_norm1", "*.#.downsample.1")
///     .name("scores", "fc")
///     .ignore("aux");
///
/// // MTCNN's RNet: before its `flatten` stands `x.permute(0, 3, 2, 1)`.
/// let rnet = Mapping::from(&[("fc1", "dense4")]).flattened("fc1", Flattened::WidthHeightDepth);
/// # let _ = (resnet, rnet);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Mapping {
    pub(super) prefix: String,
    /// Ours, theirs.
    pub(super) names: Vec<(String, String)>,
    pub(super) ignored: Vec<String>,
    pub(super) absent: Vec<String>,
    pub(super) transposed: Vec<String>,
    pub(super) flattened: Vec<(String, Flattened)>,
}

/// In which order the volume is written as a line that an `nn.Linear` reads: the axis that changes slowest
/// first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Flattened {
    /// PyTorch's `flatten`.
    #[default]
    DepthHeightWidth,
    DepthWidthHeight,
    /// TensorFlow's, and this crate's.
    HeightWidthDepth,
    HeightDepthWidth,
    WidthHeightDepth,
    WidthDepthHeight,
}

impl Mapping {
    /// The names here are those of the file.
    pub fn new() -> Self {
        Self::default()
    }

    /// `ours`, a tensor, a layer or a block, is called `theirs` in the file. Where several fit a tensor, the
    /// one with more parts decides, `stage1.conv1` before `stage1`; of those, the first.
    pub fn name(mut self, ours: &str, theirs: &str) -> Self {
        self.names.push((ours.to_owned(), theirs.to_owned()));
        self
    }

    /// Every name of the file begins with `prefix`: `module.` of `nn.DataParallel`, `model.` of Lightning.
    /// [`name`](Self::name) goes on behind it.
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// The file has tensors that are not the network's: a second head, the state of an optimizer. `theirs`
    /// is the whole name of a tensor or of what it lies in, as it stands in the file.
    pub fn ignore(mut self, theirs: &str) -> Self {
        self.ignored.push(theirs.to_owned());
        self
    }

    /// Where the file has no tensor for `ours`, it takes the value with which it does nothing: 0 for a bias
    /// (of `nn.Linear(…, bias=False)`, say) or a mean, 1 for a factor (of a norm with `affine=False`) or a
    /// variance. Filters have no such value.
    ///
    /// A norm with `track_running_stats=False` divides by the moments of the images before it, whenever it
    /// runs; after its mean and variance were absent, `train::calibrate` finds those of a data set.
    pub fn absent(mut self, ours: &str) -> Self {
        self.absent.push(ours.to_owned());
        self
    }

    /// The weights of `ours`, an `fc`, are `[in, out]` in the file, not `[out, in]`.
    pub fn transposed(mut self, ours: &str) -> Self {
        self.transposed.push(ours.to_owned());
        self
    }

    /// The volume that `ours`, an `fc`, reads was flattened in another order than depth first.
    pub fn flattened(mut self, ours: &str, order: Flattened) -> Self {
        self.flattened.push((ours.to_owned(), order));
        self
    }

    /// Every pattern for names of the network's.
    pub(super) fn ours(&self) -> impl Iterator<Item = &str> {
        let names = self.names.iter().map(|(ours, _)| ours);
        let flattened = self.flattened.iter().map(|(ours, _)| ours);
        let rest = self.absent.iter().chain(&self.transposed);
        names.chain(flattened).chain(rest).map(String::as_str)
    }

    /// What the mapping makes of a tensor's name, or of as many of its parts as it speaks of; and the parts
    /// behind.
    pub(super) fn theirs<'t>(&self, tensor: &'t str) -> (String, &'t str) {
        let fits = self.names.iter().filter_map(|(ours, theirs)| {
            let caught = pattern::fit(ours, tensor)?;
            Some((pattern::parts(ours), caught, theirs))
        });
        let mut best: Option<(usize, Caught<'t>, &String)> = None;
        for (parts, caught, theirs) in fits {
            if best.as_ref().is_none_or(|(most, ..)| parts > *most) {
                best = Some((parts, caught, theirs));
            }
        }
        match best {
            None => (String::new(), tensor),
            Some((_, caught, theirs)) => (caught.fill(theirs), caught.rest),
        }
    }

    /// Whether a tensor of the file is to be passed over. PyTorch counts batches, for nothing that is read.
    pub(super) fn ignores(&self, theirs: &str) -> bool {
        theirs.ends_with("num_batches_tracked") || fits_any(&self.ignored, theirs)
    }

    pub(super) fn is_absent(&self, ours: &str) -> bool {
        fits_any(&self.absent, ours)
    }

    pub(super) fn is_transposed(&self, ours: &str) -> bool {
        fits_any(&self.transposed, ours)
    }

    /// If it is said.
    pub(super) fn order(&self, ours: &str) -> Option<Flattened> {
        let mut orders = self.flattened.iter();
        let order = orders.find(|(pattern, _)| pattern::fit(pattern, ours).is_some());
        order.map(|(_, order)| *order)
    }
}

fn fits_any(patterns: &[String], name: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| pattern::fit(pattern, name).is_some())
}

impl From<&Mapping> for Mapping {
    fn from(mapping: &Mapping) -> Self {
        mapping.clone()
    }
}

impl From<&[(&str, &str)]> for Mapping {
    fn from(names: &[(&str, &str)]) -> Self {
        let names = names.iter();
        names.fold(Self::new(), |all, (ours, theirs)| all.name(ours, theirs))
    }
}

impl<const N: usize> From<&[(&str, &str); N]> for Mapping {
    fn from(names: &[(&str, &str); N]) -> Self {
        names.as_slice().into()
    }
}

impl From<&Vec<(&str, &str)>> for Mapping {
    fn from(names: &Vec<(&str, &str)>) -> Self {
        names.as_slice().into()
    }
}

impl Flattened {
    /// Height, width and depth of the scalar that stands `at` a place of a line, which has the `[height,
    /// width, depth]` given.
    pub(super) fn of(self, at: usize, [h, w, d]: [usize; 3]) -> [usize; 3] {
        // Of the two slower axes, the outermost needs no length.
        let cut = |middle: usize, inner: usize| {
            let (rest, inmost) = (at / inner, at % inner);
            (rest / middle, rest % middle, inmost)
        };
        match self {
            Self::DepthHeightWidth => {
                let (d, y, x) = cut(h, w);
                [y, x, d]
            }
            Self::DepthWidthHeight => {
                let (d, x, y) = cut(w, h);
                [y, x, d]
            }
            Self::HeightWidthDepth => {
                let (y, x, d) = cut(w, d);
                [y, x, d]
            }
            Self::HeightDepthWidth => {
                let (y, d, x) = cut(d, w);
                [y, x, d]
            }
            Self::WidthHeightDepth => {
                let (x, y, d) = cut(h, d);
                [y, x, d]
            }
            Self::WidthDepthHeight => {
                let (x, d, y) = cut(d, h);
                [y, x, d]
            }
        }
    }
}
