//! Sets whose images differ a little each time training sees them.

use super::{DataError, Samples, Target};
use crate::{Real, Rng};

/// Images mirrored left to right, or not, by the toss of a coin: [`Samples::random_flips`].
#[derive(Clone, Debug)]
pub struct RandomFlips<S> {
    samples: S,
}

/// Images moved by a few pixels: [`Samples::random_shifts`].
#[derive(Clone, Debug)]
pub struct RandomShifts<S> {
    samples: S,
    most: usize,
}

impl<S> RandomFlips<S> {
    pub(super) fn new(samples: S) -> Self {
        Self { samples }
    }
}

impl<S> RandomShifts<S> {
    pub(super) fn new(samples: S, most: usize) -> Self {
        Self { samples, most }
    }
}

/// What a wrapper does not change; what `show` makes of an image, `augmented` does.
macro_rules! delegate {
    ($y:ty) => {
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

        fn label(&self, index: usize) -> $y {
            self.samples.label(index)
        }

        fn image<T: Real>(&self, index: usize, image: &mut [T]) {
            self.samples.image(index, image);
        }

        fn augmented<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) {
            self.show(index, image, rng);
        }

        fn window(&self) -> usize {
            self.samples.window()
        }

        fn fault(&self) -> Option<DataError> {
            self.samples.fault()
        }
    };
}

impl<Y: Target, S: Samples<Y>> Samples<Y> for RandomFlips<S> {
    delegate!(Y);

    fn show<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) -> Y {
        let mut label = self.samples.show(index, image, rng);
        if rng.below(2) == 1 {
            flip(image, self.samples.shape());
            label.flip();
        }
        label
    }
}

impl<Y: Target, S: Samples<Y>> Samples<Y> for RandomShifts<S> {
    delegate!(Y);

    fn show<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) -> Y {
        let mut label = self.samples.show(index, image, rng);
        let mut draw = || rng.below(2 * self.most + 1) as isize - self.most as isize;
        let (drawn, [rows, columns, _]) = ([draw(), draw()], self.samples.shape());
        // Of a target with rows and columns, as many image pixels as one of its own is wide.
        let steps = match label.grid() {
            [1, 1] => [1, 1],
            [h, w] if rows.is_multiple_of(h) && columns.is_multiple_of(w) => {
                [rows / h, columns / w].map(usize::cast_signed)
            }
            _ => return label,
        };
        let cells = [drawn[0] / steps[0], drawn[1] / steps[1]];
        let by = [cells[0] * steps[0], cells[1] * steps[1]];
        shift(image, self.samples.shape(), by, T::ZERO);
        if label.grid() != [1, 1] {
            label.shift(cells);
        }
        label
    }
}

pub(super) fn flip<T>(image: &mut [T], [_, width, depth]: [usize; 3]) {
    for row in image.chunks_exact_mut(width * depth) {
        for x in 0..width / 2 {
            for d in 0..depth {
                row.swap(x * depth + d, (width - 1 - x) * depth + d);
            }
        }
    }
}

/// Moves the image `dy` rows down and `dx` columns right, and lets `fill` in.
pub(super) fn shift<T: Copy>(
    image: &mut [T],
    [height, width, depth]: [usize; 3],
    [dy, dx]: [isize; 2],
    fill: T,
) {
    let far = (dy * width as isize + dx) * depth as isize;
    let (by, size) = (far.unsigned_abs().min(image.len()), image.len());
    if far >= 0 {
        image.copy_within(..size - by, by);
    } else {
        image.copy_within(by.., 0);
    }
    // Whole rows and columns came round the corner.
    let inside =
        |at: usize, by: isize, size| at.checked_add_signed(-by).is_some_and(|at| at < size);
    for (at, column) in image.chunks_exact_mut(depth).enumerate() {
        if !(inside(at / width, dy, height) && inside(at % width, dx, width)) {
            column.fill(fill);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    fn picture(rows: [&[u8; 5]; 3]) -> Vec<f32> {
        let pixels = rows.into_iter().flatten();
        pixels
            .flat_map(|&p| if p == b'.' { [0.0; 2] } else { [p.into(), 1.0] })
            .collect()
    }

    #[test]
    fn a_flip_mirrors_left_to_right() {
        let mut image = picture([b"ab..c", b"..d..", b"....e"]);
        flip(&mut image, [3, 5, 2]);
        assert_eq!(image, picture([b"c..ba", b"..d..", b"e...."]));
    }

    #[test]
    fn a_shift_moves_and_lets_zeros_in() {
        let image = picture([b"abcde", b"fghij", b"klmno"]);
        let moved = |by| {
            let mut image = image.clone();
            shift(&mut image, [3, 5, 2], by, 0.0);
            image
        };
        assert_eq!(moved([0, 0]), image);
        assert_eq!(moved([1, 2]), picture([b".....", b"..abc", b"..fgh"]));
        assert_eq!(moved([-1, 1]), picture([b".fghi", b".klmn", b"....."]));
        assert_eq!(moved([2, -3]), picture([b".....", b".....", b"de..."]));
        assert_eq!(moved([-2, -4]), picture([b"o....", b".....", b"....."]));
        assert_eq!(moved([3, 0]), picture([b"....."; 3]));
        assert_eq!(moved([0, -7]), picture([b"....."; 3]));
    }

    #[test]
    fn every_flip_and_shift_is_drawn_and_only_for_training() {
        let images = Images::new([1, 5, 1], 1, vec![0, 0, 255, 0, 128], vec![0]).unwrap();
        let set = (&images).random_flips().random_shifts(2);
        let mut seen = std::collections::BTreeSet::new();
        for id in 0..400 {
            let mut image = [0.0f32; 5];
            set.augmented(0, &mut image, &mut Rng::stream(1, id));
            seen.insert(image.map(f32::to_bits));
            set.image(0, &mut image);
            assert_eq!(image, [0.0, 0.0, 1.0, 0.0, 128.0 / 255.0]);
        }
        // Five shifts of two mirror images; rows shifted away leave nothing.
        assert_eq!(seen.len(), 11);
    }
}
