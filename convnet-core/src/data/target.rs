//! What a network is to answer to an image: a class, several labels, numbers, a class a pixel.

use super::augment::{flip, shift};
use crate::Real;
use crate::scalar::real::place_of_largest;

/// What a network is to answer to an image.
///
/// | target | says | a loss is given | such as |
/// |---|---|---|---|
/// | `usize` | one class an image | `usize` | [`SoftmaxCrossEntropy`] |
/// | [`Mixed`](super::Mixed) | two classes, by a share each | `usize`, of each | [`SoftmaxCrossEntropy`] |
/// | [`Labels`] | which of several labels an image has | `&[bool]` | [`BinaryCrossEntropy`] |
/// | [`Values`] | numbers: a vector, or a volume | `&[f32]` | [`MeanSquaredError`], [`Huber`] |
/// | [`ClassMap`] | a class a pixel | `&[usize]` | [`PerPixel`] |
///
/// A type of your own can be one (boxes around objects, say): [`digest`](Self::digest) is all that a
/// training needs of it, and a loss that implements [`LossFor`](crate::train::LossFor) it.
///
/// [`SoftmaxCrossEntropy`]: crate::loss::SoftmaxCrossEntropy
/// [`BinaryCrossEntropy`]: crate::loss::BinaryCrossEntropy
/// [`MeanSquaredError`]: crate::loss::MeanSquaredError
/// [`Huber`]: crate::loss::Huber
/// [`PerPixel`]: crate::loss::PerPixel
pub trait Target: Sized + Send + Sync + 'static {
    /// Hands bytes that tell it from others to `put`: a checkpoint notes a checksum of all targets.
    fn digest(&self, put: &mut impl FnMut(&[u8]));

    /// Whether a network whose last volume is `output` (height, width, depth) can answer it, where
    /// `classes` are all there are, or 0 if nobody said.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    fn fits(&self, output: [usize; 3], classes: usize) -> Result<(), Misfit> {
        let _ = (output, classes);
        Ok(())
    }

    /// Hands each class that is right, and what `output` says in its place, to `answer`. Where there is
    /// no right and wrong, nothing.
    fn answers<T: Real>(&self, output: &[T], answer: &mut impl FnMut(usize, usize)) {
        let _ = (output, answer);
    }

    /// How many classes [`answers`](Self::answers) may name, of a network whose last volume is `output`.
    fn classes(output: [usize; 3]) -> usize {
        let _ = output;
        0
    }

    /// How many numbers of `output` are higher than the right one, or as high and before it, where one class
    /// is right.
    fn rank<T: Real>(&self, output: &[T]) -> Option<usize> {
        let _ = output;
        None
    }

    /// Rows and columns, of a target that has them as its image has.
    fn grid(&self) -> [usize; 2] {
        [1, 1]
    }

    /// Mirrors it left to right, as the image is.
    fn flip(&mut self) {}

    /// Moves it so many rows down and columns right of its own [`grid`](Self::grid), as the image is.
    fn shift(&mut self, by: [isize; 2]) {
        let _ = by;
    }
}

/// Why a network cannot answer a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misfit {
    /// The label has no class score.
    Label {
        /// The label.
        label: usize,
        /// How many class scores the network gives.
        scores: usize,
    },
    /// The network gives more class scores than there are classes.
    Classes {
        /// How many class scores the network gives.
        scores: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// There is one class an image, and the network gives a map.
    Map {
        /// Its last volume: height, width, depth.
        output: [usize; 3],
        /// How many classes there are, or 0 if nobody said.
        classes: usize,
    },
    /// The target is of another size than what the network gives.
    Shape {
        /// The target's height, width, depth. The depth of a [`ClassMap`] is what the network's is.
        target: [usize; 3],
        /// The network's last volume: height, width, depth.
        output: [usize; 3],
    },
}

/// The class of an image.
impl Target for usize {
    fn digest(&self, put: &mut impl FnMut(&[u8])) {
        put(&(*self as u64).to_le_bytes());
    }

    fn fits(&self, output: [usize; 3], classes: usize) -> Result<(), Misfit> {
        let (scores, label) = (output.iter().product(), *self);
        match output {
            // A map whose numbers are the scores, one by one, is one.
            [h, w, _] if [h, w] != [1, 1] && scores != classes => {
                Err(Misfit::Map { output, classes })
            }
            _ if label >= scores => Err(Misfit::Label { label, scores }),
            _ if classes > 0 && scores > classes => Err(Misfit::Classes { scores, classes }),
            _ => Ok(()),
        }
    }

    fn answers<T: Real>(&self, output: &[T], answer: &mut impl FnMut(usize, usize)) {
        answer(*self, place_of_largest(output));
    }

    fn rank<T: Real>(&self, output: &[T]) -> Option<usize> {
        let right = *output.get(*self)?;
        let above =
            |(class, &score): (usize, &T)| score > right || (score == right && class < *self);
        Some(output.iter().enumerate().filter(|&it| above(it)).count())
    }

    fn classes(output: [usize; 3]) -> usize {
        output.iter().product()
    }
}

/// Which of several labels an image has, in the order of the network's scores: an image may have none, or
/// many. A score above 0 says that it has.
///
/// In an [`Evaluation`](crate::train::Evaluation) there is one class more than labels: none of them.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::data::{DataError, Images, Labels, Samples};
///
/// // The first image shows a cat and a tree, the second nothing.
/// let labels = vec![Labels(vec![true, false, true]), Labels(vec![false; 3])];
/// let images = Images::unlabelled([1, 1, 1], vec![7, 9])?.with_targets(labels)?.named(["cat", "dog", "tree"]);
/// assert!(images.label(0).0[2]);
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels(pub Vec<bool>);

impl Target for Labels {
    fn digest(&self, put: &mut impl FnMut(&[u8])) {
        put(bytemuck::cast_slice(&self.0));
    }

    fn fits(&self, output: [usize; 3], _: usize) -> Result<(), Misfit> {
        let target = [1, 1, self.0.len()];
        same_size(target, output)
    }

    fn answers<T: Real>(&self, output: &[T], answer: &mut impl FnMut(usize, usize)) {
        let none = self.0.len();
        for (label, (&has, &score)) in self.0.iter().zip(output).enumerate() {
            let class = |has| if has { label } else { none };
            answer(class(has), class(score > T::ZERO));
        }
    }

    fn classes([h, w, d]: [usize; 3]) -> usize {
        h * w * d + 1
    }
}

/// Numbers: a vector, as of a regression, or a volume, as of an autoencoder.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::data::{DataError, Images, Samples, Values};
///
/// // Where in the image something is: x and y.
/// let places = vec![Values::vector([0.5, 0.25]), Values::vector([0.0, 1.0])];
/// let images = Images::unlabelled([1, 1, 1], vec![7, 9])?.with_targets(places)?;
/// assert_eq!((images.label(0).shape, images.label(1).values), ([1, 1, 2], vec![0.0, 1.0]));
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Height, width, depth; of a vector 1, 1 and how many numbers it has.
    pub shape: [usize; 3],
    /// The numbers, `[height][width][depth]`.
    pub values: Vec<f32>,
}

impl Values {
    /// A vector.
    #[must_use]
    pub fn vector(values: impl Into<Vec<f32>>) -> Self {
        let values = values.into();
        Self {
            shape: [1, 1, values.len()],
            values,
        }
    }
}

impl Target for Values {
    fn digest(&self, put: &mut impl FnMut(&[u8])) {
        put(bytemuck::cast_slice(&self.values));
    }

    fn fits(&self, output: [usize; 3], _: usize) -> Result<(), Misfit> {
        same_size(self.shape, output)
    }

    fn grid(&self) -> [usize; 2] {
        [self.shape[0], self.shape[1]]
    }

    fn flip(&mut self) {
        flip(&mut self.values, self.shape);
    }

    fn shift(&mut self, by: [isize; 2]) {
        shift(&mut self.values, self.shape, by, 0.0);
    }
}

/// A class a pixel: what a network for segmentation answers.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::data::{ClassMap, DataError, Images, Samples};
///
/// // An image 1 high and 3 wide: sky, tree, and nobody knows.
/// let map = ClassMap { shape: [1, 3], classes: vec![0, 1, ClassMap::UNLABELLED] };
/// let images = Images::unlabelled([1, 3, 1], vec![200, 90, 0])?.with_targets(vec![map])?.named(["sky", "tree"]);
/// assert_eq!((images.classes(), images.label(0).classes[1]), (2, 1));
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassMap {
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Row by row, the class of each pixel, or [`UNLABELLED`](Self::UNLABELLED).
    pub classes: Vec<usize>,
}

impl ClassMap {
    /// The class of a pixel that has none: it counts in no loss and no accuracy. What a
    /// [shift](super::Samples::random_shifts) lets in is such.
    pub const UNLABELLED: usize = usize::MAX;
}

impl Target for ClassMap {
    fn digest(&self, put: &mut impl FnMut(&[u8])) {
        put(bytemuck::cast_slice(&self.classes));
    }

    fn fits(&self, output: [usize; 3], classes: usize) -> Result<(), Misfit> {
        let [h, w, scores] = output;
        if self.shape != [h, w] || self.classes.len() != h * w {
            let target = [self.shape[0], self.shape[1], scores];
            return Err(Misfit::Shape { target, output });
        }
        let labels = self
            .classes
            .iter()
            .filter(|&&label| label != Self::UNLABELLED);
        match labels.max() {
            Some(&label) if label >= scores => Err(Misfit::Label { label, scores }),
            _ if classes > 0 && scores > classes => Err(Misfit::Classes { scores, classes }),
            _ => Ok(()),
        }
    }

    fn answers<T: Real>(&self, output: &[T], answer: &mut impl FnMut(usize, usize)) {
        let depth = output.len() / self.classes.len().max(1);
        let columns = output.chunks_exact(depth.max(1));
        for (&label, column) in self.classes.iter().zip(columns) {
            if label != Self::UNLABELLED {
                answer(label, place_of_largest(column));
            }
        }
    }

    fn classes(output: [usize; 3]) -> usize {
        output[2]
    }

    fn grid(&self) -> [usize; 2] {
        self.shape
    }

    fn flip(&mut self) {
        flip(&mut self.classes, [self.shape[0], self.shape[1], 1]);
    }

    fn shift(&mut self, by: [isize; 2]) {
        let shape = [self.shape[0], self.shape[1], 1];
        shift(&mut self.classes, shape, by, Self::UNLABELLED);
    }
}

/// The order of numbers is that of memory: a last `fc` may give a volume.
fn same_size(target: [usize; 3], output: [usize; 3]) -> Result<(), Misfit> {
    let size = |shape: [usize; 3]| shape.iter().product::<usize>();
    match size(target) == size(output) {
        true => Ok(()),
        false => Err(Misfit::Shape { target, output }),
    }
}
