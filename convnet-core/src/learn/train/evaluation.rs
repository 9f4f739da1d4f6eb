//! How good a network is on a set of images.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use num_traits::Float;

use super::reduce::{self, Local, Reduce};
use super::{LossFor, TrainError};
use crate::data::{Samples, Target};
use crate::kernel::tasks;
use crate::{AnyVolume, Network, Real};

/// What a network makes of a set of images.
///
/// Of classes, and of a class a pixel, it counts what was taken for what. Of several labels an image it
/// does so with one class more, *none of them*. Of numbers it knows the loss only.
///
/// `Display` draws the confusion matrix, of [`MOST_DRAWN`] classes at most, with the names that the set has for
/// them. It is kept for any number of
/// classes, in memory for the pairs of label and prediction that were seen.
///
/// ```
/// # use convnet_core as convnet;
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/digit.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let net: Box<Digit> = bytemuck::zeroed_box();
/// use convnet::data::Images;
/// use convnet::loss::SoftmaxCrossEntropy;
/// use convnet::train::evaluate;
///
/// // A network without weights takes everything for the first class, and both images are of the second.
/// let images = Images::new([8, 8, 1], 10, vec![0; 128], vec![1, 1])?;
/// let seen = evaluate(&*net, &images, &SoftmaxCrossEntropy::default())?;
/// assert_eq!((seen.images(), seen.accuracy(), seen.count(1, 0)), (2, 0.0, 2));
/// assert_eq!(seen.class_accuracies().nth(1), Some(Some(0.0)));
/// assert!((seen.loss() - 10_f64.ln()).abs() < 1e-6);
/// assert_eq!(seen.worst().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    loss: f64,
    images: usize,
    classes: usize,
    /// What the first classes are called.
    names: Vec<String>,
    /// The images with the largest losses, and these.
    worst: Vec<(usize, f64)>,
    /// How often each label and prediction met.
    confusion: Confusion,
    /// How often so many scores were higher than that of the right class.
    ranks: BTreeMap<usize, usize>,
}

/// Of more classes than these no confusion matrix is drawn.
pub const MOST_DRAWN: usize = 200;

/// So many of the images with the largest losses are remembered.
const MOST_WORST: usize = 16;

/// Of a longer name no more than this is drawn.
const MOST_SHOWN: usize = 24;

/// Runs `net` on every image of `samples`. It predicts the class of the highest score, the first
/// of equals; of several labels those with a score above 0.
///
/// The images are spread over the current rayon pool; the result is the same to the bit whatever
/// its size.
///
/// # Errors
///
/// [`TrainError`] if the set is empty or does not fit the network, if a score is NaN, or if a loss is not
/// finite.
pub fn evaluate<N, S, L, Y>(net: &N, samples: &S, loss: &L) -> Result<Evaluation, TrainError>
where
    N: Network + Sync,
    Y: Target,
    S: Samples<Y>,
    L: LossFor<N::Scalar, Y> + Sync,
{
    evaluate_across(net, samples, loss, &Local)
}

/// [`evaluate`] by many machines, each of which runs the network on a part of the images: all come to the
/// same, to the bit, as one.
///
/// # Errors
///
/// As there; and if another machine came to an error, or the machines cannot talk to each other.
pub fn evaluate_across<N, S, L, Y>(
    net: &N,
    samples: &S,
    loss: &L,
    reduce: &dyn Reduce,
) -> Result<Evaluation, TrainError>
where
    N: Network + Sync,
    Y: Target,
    S: Samples<Y>,
    L: LossFor<N::Scalar, Y> + Sync,
{
    let check = TrainError::check_samples::<N, _, _>("evaluation", samples)
        .and_then(|()| TrainError::check_loss::<N, Y>(loss));
    reduce::all_well(reduce, check)?;
    let (len, machines) = (samples.len(), reduce.machines());
    let part = |m: usize| m * len / machines..(m + 1) * len / machines;
    let mine = run(net, samples, loss, part(reduce.machine()));
    // Of an image that could not be read the scores are NaN: that is not why.
    let mine = match samples.fault() {
        Some(fault) => Err(fault.into()),
        None => mine,
    };
    let (losses, confusion, ranks) = reduce::all_well(reduce, mine)?;
    let ranks = ranks.into_iter();
    let ranks: Vec<u64> = ranks
        .flat_map(|(rank, count)| [rank as u64, count as u64])
        .collect();
    let mut all = BTreeMap::<_, usize>::new();
    for pair in reduce::gather_any(reduce, &ranks)?.concat().chunks_exact(2) {
        *all.entry(pair[0] as usize).or_default() += pair[1] as usize;
    }
    let losses = reduce::gather(reduce, &losses, |m| part(m).len())?.concat();
    let pairs = confusion.into_iter();
    let pairs = pairs.flat_map(|((label, predicted), count)| [label, predicted, count]);
    let pairs: Vec<u64> = pairs.map(|number| number as u64).collect();
    let mut confusion = BTreeMap::<_, usize>::new();
    for pair in reduce::gather_any(reduce, &pairs)?.concat().chunks_exact(3) {
        let [label, predicted, count] = [0, 1, 2].map(|at| pair[at] as usize);
        *confusion.entry((label, predicted)).or_default() += count;
    }
    // The order of a sum is part of its value: the images', not the threads'.
    let (mut sum, mut worst) = (0.0, Vec::with_capacity(samples.len()));
    for (image, loss) in losses.into_iter().enumerate() {
        worst.push((image, loss));
        sum += loss;
        if !sum.is_finite() {
            return Err(TrainError::Scores { image, loss });
        }
    }
    // A stable sort: of equals the first.
    worst.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    worst.truncate(MOST_WORST);
    Ok(Evaluation {
        worst,
        loss: sum / len as f64,
        images: len,
        classes: samples.classes().max(Y::classes(N::Output::SHAPE)),
        names: samples.class_names().to_vec(),
        confusion,
        ranks: all,
    })
}

/// How often each label and prediction met.
type Confusion = BTreeMap<(usize, usize), usize>;

/// How often each rank was met.
type Ranks = BTreeMap<usize, usize>;

/// The loss of each of `images`, what was taken for what, and at which place the right class stood.
fn run<N, S, L, Y>(
    net: &N,
    samples: &S,
    loss: &L,
    images: Range<usize>,
) -> Result<(Vec<f64>, Confusion, Ranks), TrainError>
where
    N: Network + Sync,
    Y: Target,
    S: Samples<Y>,
    L: LossFor<N::Scalar, Y> + Sync,
{
    let confusion = Mutex::new((Confusion::new(), Ranks::new()));
    let one = |buffers: &mut Buffers<N>, index| -> Result<f64, TrainError> {
        let label = samples.label(index);
        let (loss, output) = buffers.run(net, samples, index, &label, loss)?;
        // Counted before it is the others' turn: a map answers for each of its pixels.
        let mut seen = Confusion::new();
        label.answers(output, &mut |label, predicted| {
            *seen.entry((label, predicted)).or_default() += 1;
        });
        let rank = label.rank(output);
        let mut all = confusion.lock().unwrap_or_else(PoisonError::into_inner);
        let (confusion, ranks) = &mut *all;
        if let Some(rank) = rank {
            *ranks.entry(rank).or_default() += 1;
        }
        for (pair, count) in seen {
            *confusion.entry(pair).or_default() += count;
        }
        Ok(loss)
    };
    let mut losses: Vec<Result<f64, TrainError>> = Vec::new();
    losses.resize_with(images.len(), || Ok(0.0));
    let mut parts: Vec<_> = losses.chunks_mut(IMAGES_AT_ONCE).collect();
    let idle = Mutex::new(Vec::new());
    tasks::each(&mut parts, 1, |number, losses| {
        let idle = || idle.lock().unwrap_or_else(PoisonError::into_inner);
        let own = idle().pop();
        let mut own = own.unwrap_or_else(Buffers::new);
        let first = images.start + number * IMAGES_AT_ONCE;
        for (index, loss) in losses.iter_mut().enumerate() {
            *loss = one(&mut own, first + index);
        }
        idle().push(own);
    });
    // The first image that failed, whichever thread met it.
    let losses = losses.into_iter().collect::<Result<_, TrainError>>()?;
    let confusion = confusion.into_inner();
    let (confusion, ranks) = confusion.unwrap_or_else(PoisonError::into_inner);
    Ok((losses, confusion, ranks))
}

impl Evaluation {
    /// Mean loss of an image.
    #[must_use]
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// How many images were seen.
    #[must_use]
    pub fn images(&self) -> usize {
        self.images
    }

    /// The share of images (or pixels, or labels) whose class was predicted, from 0 to 1. NaN for numbers,
    /// which are neither right nor wrong.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let right = self.confusion.iter();
        let right = right.filter(|((label, predicted), _)| label == predicted);
        right.map(|(_, answers)| answers).sum::<usize>() as f64 / self.answers() as f64
    }

    /// The share of images whose class is among the `k` with the highest scores, from 0 to 1: the first of
    /// equals is the higher. Of one, that is [`accuracy`](Self::accuracy). NaN for what is no class an image.
    #[must_use]
    pub fn top(&self, k: usize) -> f64 {
        let among: usize = self.ranks.range(..k).map(|(_, images)| images).sum();
        among as f64 / self.ranks.values().sum::<usize>() as f64
    }

    fn answers(&self) -> usize {
        self.confusion.values().sum()
    }

    /// How many images (or pixels) of class `label` were taken for class `predicted`.
    #[must_use]
    pub fn count(&self, label: usize, predicted: usize) -> usize {
        let images = self.confusion.get(&(label, predicted));
        images.copied().unwrap_or(0)
    }

    /// What the classes are called; empty if the set has no names for them.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.names
    }

    /// The images with the largest losses, 16 at most, and these; the largest first.
    #[must_use]
    pub fn worst(&self) -> &[(usize, f64)] {
        &self.worst
    }

    /// The accuracy on the images of each class, from 0 to 1; `None` where there was no image.
    pub fn class_accuracies(&self) -> impl Iterator<Item = Option<f64>> {
        (0..self.classes).map(|class| {
            let row = self.confusion.range((class, 0)..=(class, usize::MAX));
            let images = row.map(|(_, images)| images).sum::<usize>();
            (images > 0).then(|| self.count(class, class) as f64 / images as f64)
        })
    }
}

/// A line a class, a column a prediction.
impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (images, answers) = (self.images, self.answers());
        if answers == 0 {
            return write!(f, "{images} images, loss {:.4}", self.loss);
        }
        let most = self.confusion.values().max().copied().unwrap_or(0);
        let width = most.max(self.classes).to_string().len().max(2) + 1;
        write!(f, "{images} images, ")?;
        if answers != images {
            write!(f, "{answers} answers, ")?;
        }
        let accuracy = 100.0 * self.accuracy();
        writeln!(f, "accuracy {accuracy:.2} %, loss {:.4}", self.loss)?;
        if self.classes > MOST_DRAWN {
            return write!(f, "{} classes are too many to draw", self.classes);
        }
        let names = |class: usize| self.names.get(class).map_or("", |name| &**name);
        let widest = (0..self.classes).map(|class| names(class).chars().count());
        // A long name is cut: the number says which class it is.
        let wide = widest.max().unwrap_or(0).min(MOST_SHOWN);
        let margin = if wide > 0 { wide + 2 } else { 0 };
        write!(f, "{:margin$}{:>8}", "", "class")?;
        (0..self.classes).try_for_each(|class| write!(f, "{class:>width$}"))?;
        write!(f, "{:>10}", "accuracy")?;
        for (class, accuracy) in self.class_accuracies().enumerate() {
            writeln!(f)?;
            if wide > 0 {
                write!(f, "  {:<wide$.wide$}", names(class))?;
            }
            write!(f, "{class:>8}")?;
            for predicted in 0..self.classes {
                match self.count(class, predicted) {
                    0 => write!(f, "{:>width$}", '·')?,
                    images => write!(f, "{images:>width$}")?,
                }
            }
            match accuracy {
                Some(accuracy) => write!(f, "{:>8.1} %", 100.0 * accuracy)?,
                None => write!(f, "{:>10}", '–')?,
            }
        }
        Ok(())
    }
}

/// Enough that taking the next does not count, few enough to spread over the threads.
const IMAGES_AT_ONCE: usize = 16;

struct Buffers<N: Network> {
    image: Box<N::Input>,
    arena: Box<N::Arena>,
    d_scores: Box<N::Output>,
}

impl<N: Network> Buffers<N> {
    fn new() -> Self {
        let (image, arena, d_scores) = (
            bytemuck::zeroed_box(),
            bytemuck::zeroed_box(),
            bytemuck::zeroed_box(),
        );
        Self {
            image,
            arena,
            d_scores,
        }
    }

    /// Loss of one image, and what the network gives.
    fn run<Y: Target>(
        &mut self,
        net: &N,
        samples: &impl Samples<Y>,
        index: usize,
        label: &Y,
        loss: &impl LossFor<N::Scalar, Y>,
    ) -> Result<(f64, &[N::Scalar]), TrainError> {
        samples.image(index, self.image.as_mut_slice());
        let scores = net.forward(&self.image, &mut self.arena).as_slice();
        if let Some(score) = scores.iter().position(|score| score.is_nan()) {
            let pixels = self.image.as_slice();
            return Err(TrainError::Nan {
                image: index,
                score,
                layer: N::LAYERS
                    .last()
                    .map_or("the last layer", |layer| layer.name),
                pixel: pixels.iter().position(|pixel| !pixel.is_finite()),
            });
        }
        let loss = loss.loss_for(scores, label, self.d_scores.as_mut_slice())?;
        Ok((loss.widen(), scores))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read() {
        let evaluation = Evaluation {
            loss: 0.25,
            images: 126,
            classes: 3,
            names: Vec::new(),
            worst: Vec::new(),
            confusion: [((0, 0), 3), ((0, 2), 1), ((2, 1), 2), ((2, 2), 120)].into(),
            ranks: [(0, 123), (1, 2), (2, 1)].into(),
        };
        assert_eq!(evaluation.images(), 126);
        assert_eq!(evaluation.accuracy(), 123.0 / 126.0);
        let top = [0, 1, 2, 3, 9].map(|k| 126.0 * evaluation.top(k));
        assert_eq!(top, [0.0, 123.0, 125.0, 126.0, 126.0]);
        assert_eq!((evaluation.count(2, 1), evaluation.count(3, 0)), (2, 0));
        let table = [
            "126 images, accuracy 97.62 %, loss 0.2500",
            "   class   0   1   2  accuracy",
            "       0   3   ·   1    75.0 %",
            "       1   ·   ·   ·         –",
            "       2   ·   2 120    98.4 %",
        ];
        assert_eq!(evaluation.to_string(), table.join("\n"));
        // Two of three have names: there is a class more than labels, none of them.
        let named = Evaluation {
            names: vec!["Ж".to_owned(), "a very long name of a class".to_owned()],
            ..evaluation.clone()
        };
        let table = [
            "126 images, accuracy 97.62 %, loss 0.2500",
            "                             class   0   1   2  accuracy",
            "  Ж                              0   3   ·   1    75.0 %",
            "  a very long name of a cl       1   ·   ·   ·         –",
            "                                 2   ·   2 120    98.4 %",
        ];
        assert_eq!(named.to_string(), table.join("\n"));
        assert_eq!(named.class_names().len(), 2);
        // Pixels of three images, and numbers.
        let pixels = Evaluation {
            images: 3,
            ..evaluation
        };
        let line = "3 images, 126 answers, accuracy 97.62 %, loss 0.2500\n";
        assert!(pixels.to_string().starts_with(line), "{pixels}");
        let confusion = BTreeMap::new();
        let numbers = Evaluation {
            confusion,
            ..pixels
        };
        assert_eq!(numbers.to_string(), "3 images, loss 0.2500");
        assert!(numbers.accuracy().is_nan());
    }
}
