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

/// Images of which a random part is shown: [`Samples::random_crops`].
#[derive(Clone, Debug)]
pub struct RandomCrops<S> {
    samples: S,
    least: f64,
}

/// Images with a hole: [`Samples::random_cutouts`].
#[derive(Clone, Debug)]
pub struct RandomCutouts<S> {
    samples: S,
    side: usize,
}

impl<S> RandomCrops<S> {
    pub(super) fn new(samples: S, least: f64) -> Self {
        Self { samples, least }
    }
}

impl<S> RandomCutouts<S> {
    pub(super) fn new(samples: S, side: usize) -> Self {
        Self { samples, side }
    }
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

        fn prefetch(&self, images: &mut dyn Iterator<Item = usize>) {
            self.samples.prefetch(images);
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

impl<Y: Target, S: Samples<Y>> Samples<Y> for RandomCrops<S> {
    delegate!(Y);

    fn show<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) -> Y {
        let label = self.samples.show(index, image, rng);
        let shape = self.samples.shape();
        let part = part(shape, self.least.clamp(0.0, 1.0), rng);
        if label.grid() == [1, 1] {
            stretch(image, shape, part);
        }
        label
    }
}

impl<Y: Target, S: Samples<Y>> Samples<Y> for RandomCutouts<S> {
    delegate!(Y);

    fn show<T: Real>(&self, index: usize, image: &mut [T], rng: &mut Rng) -> Y {
        let label = self.samples.show(index, image, rng);
        let [height, width, depth] = self.samples.shape();
        let mut hole = |size: usize| {
            let first = rng.below(size) as isize - (self.side / 2) as isize;
            let end = first + self.side as isize;
            first.max(0).cast_unsigned()..size.min(end.max(0).cast_unsigned())
        };
        let (rows, columns) = (hole(height), hole(width));
        for y in rows {
            let row = &mut image[y * width * depth..][..width * depth];
            row[columns.start * depth..columns.end * depth].fill(T::ZERO);
        }
        label
    }
}

/// First row and column, height and width of a part, in whole pixels. If ten drawings do not fit, all of it.
fn part([height, width, _]: [usize; 3], least: f64, rng: &mut Rng) -> [usize; 4] {
    let area = (height * width) as f64;
    for _ in 0..10 {
        let share = least + (1.0 - least) * rng.uniform();
        // From 3/4 to 4/3, each as likely as its inverse.
        let ratio = libm::pow(4.0 / 3.0, 2.0 * rng.uniform() - 1.0);
        let side = |factor: f64| libm::round(libm::sqrt(area * share * factor)) as usize;
        let (h, w) = (side(ratio.recip()), side(ratio));
        if (1..=height).contains(&h) && (1..=width).contains(&w) {
            return [rng.below(height - h + 1), rng.below(width - w + 1), h, w];
        }
    }
    [0, 0, height, width]
}

/// Stretches a part of an image to its size: bilinear between the centres of pixels, none of them outside.
fn stretch<T: Real>(image: &mut [T], [height, width, depth]: [usize; 3], part: [usize; 4]) {
    let [top, left, h, w] = part;
    let from = image.to_vec();
    // The pixel before, the one behind it, and how much of that.
    let between = |at: usize, size: usize, first: usize, part: usize| {
        let scale = part as f64 / size as f64;
        let place = ((at as f64 + 0.5) * scale - 0.5).max(0.0);
        let before = (place as usize).min(part - 1);
        let behind = (before + 1).min(part - 1);
        (first + before, first + behind, T::of(place - before as f64))
    };
    let columns: Vec<_> = (0..width).map(|x| between(x, width, left, w)).collect();
    for (y, row) in image.chunks_exact_mut(width * depth).enumerate() {
        let (above, below, down) = between(y, height, top, h);
        for (to, &(before, behind, right)) in row.chunks_exact_mut(depth).zip(&columns) {
            for (d, to) in to.iter_mut().enumerate() {
                let pixel = |y: usize, x: usize| from[(y * width + x) * depth + d];
                let line = |y| pixel(y, before) + (pixel(y, behind) - pixel(y, before)) * right;
                *to = line(above) + (line(below) - line(above)) * down;
            }
        }
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

    /// By PyTorch's numbers: `tests/vectors/training.py` wrote them.
    #[test]
    fn a_part_is_stretched_as_pytorch_does() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/vectors/training.safetensors"
        );
        let file = std::fs::read(path).unwrap();
        let file = safetensors::SafeTensors::deserialize(&file).unwrap();
        let words = |name| file.tensor(name).unwrap().data().as_chunks::<8>().0;
        // Slices one after the other there, columns here.
        let of = |words: &[[u8; 8]]| {
            let word = |at: usize| f64::from_le_bytes(words[at % 2 * 30 + at / 2]);
            (0..60).map(word).collect::<Vec<f64>>()
        };
        let image = of(words("image"));
        let parts = words("parts").chunks(4).zip(words("stretched").chunks(60));
        assert_eq!(parts.len(), 5);
        for (part, expected) in parts {
            let part = [0, 1, 2, 3].map(|at| u64::from_le_bytes(part[at]) as usize);
            let mut stretched = image.clone();
            stretch(&mut stretched, [6, 5, 2], part);
            for (found, expected) in stretched.iter().zip(of(expected)) {
                assert!(
                    (found - expected).abs() < 1e-14,
                    "{part:?}: {found}, {expected}"
                );
            }
        }
        let mut whole = image.clone();
        stretch(&mut whole, [6, 5, 2], [0, 0, 6, 5]);
        assert_eq!(whole, image);
    }

    #[test]
    fn parts_have_the_area_and_the_proportions_that_were_asked_for() {
        let (mut rng, mut areas) = (Rng::new(7), Vec::new());
        for _ in 0..2000 {
            let [top, left, h, w] = part([100, 100, 3], 0.25, &mut rng);
            assert!(h > 0 && w > 0 && top + h <= 100 && left + w <= 100);
            let ratio = w as f64 / h as f64;
            assert!((0.73..1.37).contains(&ratio), "{ratio}");
            areas.push((h * w) as f64 / 1e4);
        }
        let least = areas.iter().copied().fold(1.0, f64::min);
        let most = areas.iter().copied().fold(0.0, f64::max);
        assert!(
            (0.24..0.27).contains(&least) && most > 0.95,
            "{least} {most}"
        );
        // What fits nowhere is the whole.
        assert_eq!(part([1, 100, 1], 1.0, &mut rng), [0, 0, 1, 100]);
    }

    #[test]
    fn a_cutout_is_a_square_that_may_stand_over() {
        let images = Images::new([4, 5, 2], 1, vec![255; 40], vec![0]).unwrap();
        let set = (&images).random_cutouts(3);
        let mut seen = std::collections::BTreeMap::<usize, usize>::new();
        for id in 0..400 {
            let mut image = [7.0_f32; 40];
            set.augmented(0, &mut image, &mut Rng::stream(1, id));
            let holes: Vec<usize> = (0..20).filter(|&at| image[2 * at] == 0.0).collect();
            assert!(image.chunks_exact(2).all(|column| column[0] == column[1]));
            // A rectangle of rows and columns.
            let rows: std::collections::BTreeSet<_> = holes.iter().map(|at| at / 5).collect();
            let columns: std::collections::BTreeSet<_> = holes.iter().map(|at| at % 5).collect();
            assert_eq!(holes.len(), rows.len() * columns.len());
            *seen.entry(holes.len()).or_default() += 1;
        }
        // Two or three rows by two or three columns: in the middle 2 of 4 rows and 3 of 5 columns.
        assert!(seen.keys().eq(&[4, 6, 9]), "{seen:?}");
        let share = seen[&9] as f64 / 400.0;
        assert!((share - 0.3).abs() < 0.08, "{share}");
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
