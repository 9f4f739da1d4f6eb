//! A set of images in memory, a byte a pixel value.

use super::reading::{Reading, Sums};
use super::{DataError, Defect, Normalisation, Samples, Sizing};
use crate::{Real, Rng};

/// Images and their labels in memory.
///
/// A pixel value `p` is read as `(p − mean) / deviation` of its depth slice: until
/// [`normalised`](Self::normalised) says otherwise, as `p / 255`.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::data::{DataError, Images, Samples};
///
/// // Two images, 2 high, 1 wide, of depth 3: red above blue, and gray, of classes 0 and 1.
/// let pixels = vec![255, 0, 0, 0, 0, 255, 128, 128, 128, 128, 128, 128];
/// let images = Images::new([2, 1, 3], 2, pixels, vec![0, 1])?.named(["flag", "fog"])?;
/// assert_eq!((images.len(), images.pixels(0)[3..].to_vec()), (2, vec![0, 0, 255]));
///
/// // Each depth slice to mean 0 and deviation 1.
/// let images = images.clone().normalised(&images.statistics())?;
/// let mut image = [0.0_f32; 6];
/// images.image(1, &mut image);
/// assert!(image[0].abs() < 1.0);
/// # Ok::<(), DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Images {
    shape: [usize; 3],
    classes: usize,
    pixels: Vec<u8>,
    labels: Vec<usize>,
    names: Vec<String>,
    sizing: Sizing,
    reading: Reading,
}

impl Images {
    /// Images of `shape` (height, width, depth) one after the other, `[height][width][depth]`, and
    /// a label for each.
    ///
    /// # Errors
    ///
    /// [`Defect::Pixels`], [`Defect::Count`], [`Defect::Label`], [`Defect::Empty`].
    pub fn new(
        shape: [usize; 3],
        classes: usize,
        pixels: Vec<u8>,
        labels: Vec<usize>,
    ) -> Result<Self, DataError> {
        let size: usize = shape.iter().product();
        if size == 0 || !pixels.len().is_multiple_of(size) {
            let found = pixels.len();
            return Err(Defect::Pixels { shape, found }.into());
        }
        let (images, count) = (pixels.len() / size, labels.len());
        if images != count {
            let labels = count;
            return Err(Defect::Count { images, labels }.into());
        }
        if images == 0 {
            return Err(Defect::Empty.into());
        }
        Defect::check_labels(labels.iter().copied(), classes)?;
        Ok(Self {
            shape,
            classes,
            pixels,
            labels,
            names: Vec::new(),
            sizing: Sizing::default(),
            reading: Reading::unnormalised(shape[2]),
        })
    }

    /// As [`new`](Self::new), of images that have no class: each is of class 0, the only one. Their targets
    /// come [later](Self::with_targets), or they are their [own](Samples::autoencoder).
    ///
    /// # Errors
    ///
    /// [`Defect::Pixels`], [`Defect::Empty`].
    pub fn unlabelled(shape: [usize; 3], pixels: Vec<u8>) -> Result<Self, DataError> {
        let size: usize = shape.iter().product();
        let images = pixels.len() / size.max(1);
        Self::new(shape, 1, pixels, vec![0; images])
    }

    /// Mean and standard deviation of each depth slice over all images. A slice that is the same
    /// everywhere has the deviation 1.
    #[must_use]
    pub fn statistics(&self) -> Normalisation {
        let mut sums = Sums::new(self.shape[2]);
        sums.add(&self.pixels);
        sums.statistics()
    }

    /// The same images, read through `normalisation`. Give the test set the training set's: the
    /// network must not learn from the test (CS231n, *Data Preprocessing*).
    ///
    /// # Errors
    ///
    /// [`Defect::Normalisation`] if it is for images of another depth, or divides by what is no
    /// positive number.
    ///
    /// ```
    /// # use convnet_core::data::{DataError, Images};
    /// # let set = || Images::new([1, 2, 1], 2, vec![0, 255, 255, 0], vec![0, 1]);
    /// # let (train, test) = (set()?, set()?);
    /// let statistics = train.statistics();
    /// let (train, test) = (train.normalised(&statistics)?, test.normalised(&statistics)?);
    /// # Ok::<(), DataError>(())
    /// ```
    pub fn normalised(mut self, normalisation: &Normalisation) -> Result<Self, DataError> {
        self.reading = Reading::new(normalisation, self.shape[2])?;
        Ok(self)
    }

    /// Through what the pixel values are read.
    #[must_use]
    pub fn normalisation(&self) -> &Normalisation {
        self.reading.normalisation()
    }

    /// The same images, whose classes are called so, in their order: an evaluation and a
    /// [`Classifier`](crate::Classifier) show the names.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::data::{DataError, Images, Samples};
    ///
    /// let images = Images::new([1, 1, 1], 2, vec![0, 255], vec![0, 1])?.named(["night", "day"])?;
    /// assert_eq!(images.class_names()[images.label(1)], "day");
    /// # Ok::<(), DataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Defect::Names`] if there are not as many names as classes.
    pub fn named<I>(mut self, names: I) -> Result<Self, DataError>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != self.classes {
            let (names, classes) = (names.len(), self.classes);
            return Err(Defect::Names { names, classes }.into());
        }
        self.names = names;
        Ok(self)
    }

    /// Two sets: all but a `share` of the images of each class, and that share, drawn by `seed`. A class of two
    /// images or more has one at least on either side; the only image of a class stays on the first.
    ///
    /// Each set has its own copy of its pixels. To split without a copy, and without a look at the classes,
    /// there is [`split`](super::split()).
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::data::{DataError, Images, Samples};
    ///
    /// // Ten images of class 0, five of class 1.
    /// let labels = [[0; 10].as_slice(), &[1; 5]].concat();
    /// let (training, test) = Images::new([1, 1, 1], 2, vec![0; 15], labels)?.split(0.2, 231)?;
    /// assert_eq!((training.len(), test.len()), (12, 3));
    /// assert_eq!((0..3).filter(|&image| test.label(image) == 1).count(), 1);
    /// # Ok::<(), DataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Defect::Share`] if one of them would be empty.
    pub fn split(self, share: f64, seed: u64) -> Result<(Self, Self), DataError> {
        let images = self.len();
        let mut of_class = vec![Vec::new(); self.classes];
        (0..images).for_each(|image| of_class[self.labels[image]].push(image));
        let (mut rng, mut apart) = (Rng::new(seed), vec![false; images]);
        for mut members in of_class {
            let most = members.len().saturating_sub(1);
            let count = (members.len() as f64 * share).round() as usize;
            rng.shuffle(&mut members);
            for &image in &members[..count.max(1).min(most)] {
                apart[image] = true;
            }
        }
        let sound = share > 0.0 && share < 1.0 && apart.contains(&true);
        if !sound {
            return Err(Defect::Share { share, images }.into());
        }
        let [rest, apart] =
            [false, true].map(|side| self.only((0..images).filter(|&image| apart[image] == side)));
        Ok((rest, apart))
    }

    /// A set of its own of some of the images.
    fn only(&self, images: impl Iterator<Item = usize>) -> Self {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for image in images {
            pixels.extend_from_slice(self.pixels(image));
            labels.push(self.labels[image]);
        }
        Self {
            shape: self.shape,
            classes: self.classes,
            pixels,
            labels,
            names: self.names.clone(),
            sizing: self.sizing,
            reading: self.reading.clone(),
        }
    }

    /// How image files of another size were brought to this one.
    #[must_use]
    pub fn sizing(&self) -> Sizing {
        self.sizing
    }

    #[cfg(feature = "image")]
    pub(super) fn sized(self, sizing: Sizing) -> Self {
        Self { sizing, ..self }
    }

    /// The pixel values of image `index` as they were given.
    #[must_use]
    pub fn pixels(&self, index: usize) -> &[u8] {
        let size = self.pixels.len() / self.labels.len();
        &self.pixels[index * size..][..size]
    }
}

impl Samples for Images {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn class_names(&self) -> &[String] {
        &self.names
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        self.reading.read(self.pixels(index), image);
    }
}
