//! Images that stay on the disk: a set larger than memory.
//!
//! ```text
//!  order of the epoch ──▶ prefetch ──▶ threads that read and decode ──▶ a bounded cache ──▶ whoever trains
//! ```
//!
//! What is kept of an image is its label. **Invariant:** whether it was read ahead changes no bit.

use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::ahead::Ahead;
use super::cifar10::CifarFiles;
use super::mnist::IdxFiles;
use super::packed::PackedFiles;
use super::reading::{Reading, Sums};
use super::{DataError, Normalisation, Samples, Sizing};
use crate::Real;

/// Where images come from, one by one, in any order.
pub(super) trait Source: Debug + Send + Sync {
    fn len(&self) -> usize;

    fn shape(&self) -> [usize; 3];

    fn classes(&self) -> usize;

    fn names(&self) -> &[String] {
        &[]
    }

    fn sizing(&self) -> Sizing {
        Sizing::default()
    }

    fn label(&self, index: usize) -> usize;

    /// `[height][width][depth]`, read now.
    fn pixels(&self, index: usize) -> Result<Vec<u8>, DataError>;
}

/// A set of images on the disk: what [`Images`](super::Images) is in memory.
///
/// | files | made by |
/// |---|---|
/// | packed, by `convnet pack FOLDER`, [`Folder::pack`](super::Folder::pack) or [`Packer`](super::Packer) | [`packed`](Self::packed) |
/// | a folder of PNG, JPEG and others, a sub-folder a class | [`Folder::stream`](super::Folder::stream) |
/// | IDX, as MNIST's | [`idx`](Self::idx) |
/// | CIFAR-10's binary version | [`cifar10`](Self::cifar10) |
///
/// Each image is read when it is looked at, by the thread that trains on it, or [ahead](Self::ahead) of that; of
/// many machines each reads those of its part of a batch only. How much memory that takes does not depend on how
/// many images there are, but for a label (eight bytes with a checksum, of a folder the path), and eight bytes for the
/// order of an epoch.
///
/// Where a disk reads one image here and one there slowly, [`shuffled_within`](Self::shuffled_within) keeps
/// what is read near together.
///
/// An image that cannot be read, or is not what was written, stops a training with a [`DataError`] that names the
/// file.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::data::{DataError, Images, Samples, Streamed};
///
/// # let path = std::env::temp_dir().join(format!("convnet-packed-doc-{}", std::process::id()));
/// let images = Images::new([1, 2, 1], 2, vec![0, 255, 255, 0], vec![0, 1])?.named(["night", "day"])?;
/// images.pack(&path)?;
/// let set = Streamed::packed([&path])?.ahead(2, 256);
/// let mut image = [0.0_f32; 2];
/// set.image(1, &mut image);
/// assert_eq!((set.label(1), image, set.class_names()), (1, [1.0, 0.0], images.class_names()));
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), DataError>(())
/// ```
#[derive(Debug)]
pub struct Streamed {
    source: Arc<dyn Source>,
    ahead: Option<Ahead>,
    window: usize,
    reading: Reading,
    fault: Mutex<Option<DataError>>,
}

impl Streamed {
    pub(super) fn new(source: impl Source + 'static) -> Self {
        Self {
            reading: Reading::unnormalised(source.shape()[2]),
            source: Arc::new(source),
            ahead: None,
            window: 0,
            fault: Mutex::default(),
        }
    }

    /// The images of all packed files, in this order.
    ///
    /// # Errors
    ///
    /// A [`DataError`] that names the file: [`Missing`](super::Defect::Missing); [`Packed`](super::Defect::Packed) if it
    /// is none, was cut short or damaged in its index, or has other shapes or classes than the first;
    /// [`Empty`](super::Defect::Empty).
    pub fn packed<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, DataError> {
        PackedFiles::open(paths).map(Self::new)
    }

    /// The images of pairs of IDX files, images and labels, in this order, of so many classes: what
    /// [`idx`](super::idx()) is in memory. Files of images are not gzipped, for they are read here and there.
    ///
    /// ```no_run
    /// # use convnet_core as convnet;
    /// use convnet::data::Streamed;
    ///
    /// let shards = (0..8).map(|n| (format!("images-{n}.idx3"), format!("labels-{n}.idx1")));
    /// let set = Streamed::idx(shards, 10)?.ahead(2, 1024);
    /// # Ok::<(), convnet::data::DataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`idx`](super::idx()); [`Gzipped`](super::Defect::Gzipped), and [`Shape`](super::Defect::Shape) if images are of
    /// another size than the first.
    pub fn idx<P: AsRef<Path>, Q: AsRef<Path>>(
        files: impl IntoIterator<Item = (P, Q)>,
        classes: usize,
    ) -> Result<Self, DataError> {
        IdxFiles::open(files, classes).map(Self::new)
    }

    /// The images of files as CIFAR-10's `data_batch_1.bin`, in this order: what [`cifar10`](super::cifar10()) is
    /// in memory. Of each record the label is read here.
    ///
    /// # Errors
    ///
    /// As [`cifar10`](super::cifar10()).
    pub fn cifar10<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, DataError> {
        CifarFiles::open(paths).map(Self::new)
    }

    /// Reads and decodes on so many `threads` of its own what training is about to ask for, and keeps at most so many
    /// `images` ready, or about to be, and one a thread: two batches or more, or training waits. 256 images of
    /// 224x224x3 are 39 MB. What is not ready is read by the thread that trains on it, as it is without this.
    ///
    /// Worth it where a disk is slow, or where images are decoded and cores are idle while a network trains.
    #[must_use]
    pub fn ahead(mut self, threads: usize, images: usize) -> Self {
        self.ahead = (threads > 0 && images > 0).then(|| Ahead::new(&self.source, threads, images));
        self
    }

    /// Shuffles in two steps: blocks of a sixteenth of `images` images, which lie side by side, then the images
    /// of each window of so many. A disk then reads in larger pieces than one image. The order depends on the
    /// trainer's seed, as always.
    #[must_use]
    pub fn shuffled_within(mut self, images: usize) -> Self {
        self.window = images;
        self
    }

    /// Mean and standard deviation of each depth slice over all images, as
    /// [`Images::statistics`](super::Images::statistics): all are read once.
    ///
    /// # Errors
    ///
    /// The first image that cannot be read.
    pub fn statistics(&self) -> Result<Normalisation, DataError> {
        let mut sums = Sums::new(self.shape()[2]);
        for index in 0..self.len() {
            sums.add(&self.source.pixels(index)?);
        }
        Ok(sums.statistics())
    }

    /// The same images, read through `normalisation`.
    ///
    /// # Errors
    ///
    /// As [`Images::normalised`](super::Images::normalised).
    pub fn normalised(mut self, normalisation: &Normalisation) -> Result<Self, DataError> {
        self.reading = Reading::new(normalisation, self.shape()[2])?;
        Ok(self)
    }

    /// Through what the pixel values are read.
    #[must_use]
    pub fn normalisation(&self) -> &Normalisation {
        self.reading.normalisation()
    }

    /// How image files of another size were brought to this one.
    #[must_use]
    pub fn sizing(&self) -> Sizing {
        self.source.sizing()
    }

    /// Reads every image; where there are checksums, they are compared.
    ///
    /// # Errors
    ///
    /// The first that cannot be read, or is not what was written.
    pub fn verify(&self) -> Result<(), DataError> {
        (0..self.len()).try_for_each(|index| self.source.pixels(index).map(|_| ()))
    }
}

impl Samples for Streamed {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.source.shape()
    }

    fn classes(&self) -> usize {
        self.source.classes()
    }

    fn class_names(&self) -> &[String] {
        self.source.names()
    }

    fn label(&self, index: usize) -> usize {
        self.source.label(index)
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        let ready = self.ahead.as_ref().and_then(|ahead| ahead.take(index));
        match ready.unwrap_or_else(|| self.source.pixels(index)) {
            Ok(pixels) => self.reading.read(&pixels, image),
            Err(error) => {
                // Nobody learns from what is no number, and whoever meets it asks why.
                image.fill(T::nan());
                let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
                fault.get_or_insert(error);
            }
        }
    }

    fn window(&self) -> usize {
        self.window
    }

    fn prefetch(&self, images: &mut dyn Iterator<Item = usize>) {
        if let Some(ahead) = &self.ahead {
            ahead.prefetch(images);
        }
    }

    fn fault(&self) -> Option<DataError> {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.take()
    }
}
