//! Mixup: two images on top of each other, and an answer that is as much of each class.

use super::{DataError, Misfit, Samples, Target};
use crate::{Real, Rng};

/// Two classes, of which an image shows a share each: the target of a [`Mixup`]. Every loss of a class
/// ([`SoftmaxCrossEntropy`](crate::loss::SoftmaxCrossEntropy), say) is one of such a target: the mean of the losses of
/// both, by their shares. What is counted as right is the class of the larger share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixed {
    /// The two; the same twice, if nothing is mixed.
    pub classes: [usize; 2],
    /// That of the first, 0 to 1.
    pub share: f64,
}

impl Mixed {
    fn larger(self) -> usize {
        self.classes[usize::from(self.share < 0.5)]
    }
}

impl Target for Mixed {
    fn digest(&self, put: &mut impl FnMut(&[u8])) {
        self.classes.iter().for_each(|class| class.digest(put));
        put(&self.share.to_le_bytes());
    }

    fn fits(&self, output: [usize; 3], classes: usize) -> Result<(), Misfit> {
        self.classes
            .iter()
            .try_for_each(|class| class.fits(output, classes))
    }

    fn answers<T: Real>(&self, output: &[T], answer: &mut impl FnMut(usize, usize)) {
        self.larger().answers(output, answer);
    }

    fn rank<T: Real>(&self, output: &[T]) -> Option<usize> {
        self.larger().rank(output)
    }
}

/// Images that training sees mixed: λ times the image, and 1 − λ times another, drawn from all, with λ of
/// Beta(α, α) for each image. Validated on, or evaluated, they are as they were.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Rng;
/// use convnet::data::{DataError, Images, Mixup, Samples};
///
/// let images = Images::new([1, 1, 1], 2, vec![0, 255], vec![0, 1])?;
/// let mixed = Mixup::new(images.random_flips(), 0.2);
/// let mut image = [0.0_f64];
/// let label = mixed.show(0, &mut image, &mut Rng::new(7));
/// let white = if label.classes[1] == 1 { 1.0 - label.share } else { 0.0 };
/// assert!((image[0] - white).abs() < 1e-15);
/// # Ok::<(), DataError>(())
/// ```
///
/// Source: H. Zhang et al., *mixup: beyond empirical risk minimization*, 2018; there λ is the same for all
/// images of a batch.
#[derive(Clone, Debug)]
pub struct Mixup<S> {
    samples: S,
    alpha: f64,
}

impl<S: Samples> Mixup<S> {
    /// α of 0.1 to 0.4 is usual: λ is then near 0 or 1 more often than between. What lies outside of 0.01 to 4
    /// counts as the nearer end.
    pub fn new(samples: S, alpha: f64) -> Self {
        let alpha = if alpha > 0.01 { alpha.min(4.0) } else { 0.01 };
        Self { samples, alpha }
    }
}

impl<S: Samples> Samples<Mixed> for Mixup<S> {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.samples.shape()
    }

    fn classes(&self) -> usize {
        self.samples.classes()
    }

    fn class_names(&self) -> &[String] {
        self.samples.class_names()
    }

    fn label(&self, index: usize) -> Mixed {
        Mixed {
            classes: [self.samples.label(index); 2],
            share: 1.0,
        }
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        self.samples.image(index, image);
    }

    fn augmented<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) {
        self.show(index, image, rng);
    }

    fn show<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) -> Mixed {
        let one = self.samples.show(index, image, rng);
        let (other, share) = (rng.below(self.samples.len()), beta(self.alpha, rng));
        let mut more = image.to_vec();
        let other = self.samples.show(other, &mut more, rng);
        let [first, second] = [T::of(share), T::of(1.0 - share)];
        for (to, more) in image.iter_mut().zip(more) {
            *to = first * *to + second * more;
        }
        Mixed {
            classes: [one, other],
            share,
        }
    }

    fn window(&self) -> usize {
        self.samples.window()
    }

    fn prefetch(&self, images: &mut dyn Iterator<Item = usize>) {
        self.samples.prefetch(images);
    }

    fn fault(&self) -> Option<DataError> {
        self.samples.fault()
    }
}

/// A number of Beta(α, α), by the method of M. Jöhnk, 1964.
fn beta(alpha: f64, rng: &mut Rng) -> f64 {
    loop {
        let [a, b] = [rng.uniform(), rng.uniform()].map(|u| libm::pow(u, 1.0 / alpha));
        // Of a small α both may be 0.
        if a + b > 0.0 && a + b <= 1.0 {
            return a / (a + b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;
    use crate::learn::loss::{SoftmaxCrossEntropy, softmax};
    use crate::train::LossFor;

    /// Mean 1/2, variance 1/(4(2α + 1)).
    #[test]
    fn shares_are_of_beta() {
        for alpha in [0.01, 0.2, 1.0, 4.0] {
            let mut rng = Rng::new(3);
            let shares: Vec<f64> = (0..20_000).map(|_| beta(alpha, &mut rng)).collect();
            assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
            let mean = shares.iter().sum::<f64>() / 2e4;
            let squares = shares.iter().map(|share| (share - mean) * (share - mean));
            let (variance, expected) = (squares.sum::<f64>() / 2e4, 0.25 / (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.02, "{alpha}: {mean}");
            assert!(
                (variance / expected - 1.0).abs() < 0.05,
                "{alpha}: {variance}"
            );
        }
    }

    /// As PyTorch's `CrossEntropyLoss` with probabilities for a target: −Σ t log p, and p − t.
    #[test]
    fn its_loss_is_that_of_a_soft_target() {
        let (scores, mut p, mut d) = ([0.3_f64, -1.2, 2.0], [0.0; 3], [0.0; 3]);
        softmax(&scores, &mut p);
        let mixed = Mixed {
            classes: [2, 0],
            share: 0.7,
        };
        let target = [0.3, 0.0, 0.7];
        let loss = SoftmaxCrossEntropy::default();
        let found = loss.loss_for(&scores, &mixed, &mut d).unwrap();
        let expected: f64 = target.iter().zip(p).map(|(t, p)| -t * p.ln()).sum();
        assert!((found - expected).abs() < 1e-15);
        for ((d, p), t) in d.into_iter().zip(p).zip(target) {
            assert!((d - (p - t)).abs() < 1e-15);
        }
    }

    #[test]
    fn an_image_is_mixed_for_training_only() {
        let pixels = (0..=255).collect();
        let images = Images::new([1, 1, 1], 256, pixels, (0..256).collect()).unwrap();
        let (set, mut image) = (Mixup::new(&images, 1.0), [0.0_f64]);
        for id in 0..200 {
            let label = set.show(9, &mut image, &mut Rng::stream(1, id));
            let [a, b] = label.classes.map(|class| class as f64 / 255.0);
            assert_eq!(label.classes[0], 9);
            assert!((image[0] - (label.share * a + (1.0 - label.share) * b)).abs() < 1e-15);
        }
        set.image(9, &mut image);
        assert_eq!((image[0], set.label(9).classes), (9.0 / 255.0, [9, 9]));
    }
}
