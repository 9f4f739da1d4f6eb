//! MNIST and the sets that share its layout, IDX.

use std::path::{Path, PathBuf};

use super::file::{self, Shards};
use super::streamed::Source;
use super::{DataError, Defect, Images};

const REMEDY: &str = "MNIST and Fashion-MNIST are four files, gzipped or not, in one folder: \
    {train,t10k}-images-idx3-ubyte and {train,t10k}-labels-idx1-ubyte\n\
    Debian's package dataset-fashion-mnist puts them into /usr/share/datasets/fashion-mnist";

const PAIR: &str = "an IDX file of images and one of labels are expected";

/// The training set and the test set of MNIST, or of another with its layout and ten classes:
/// Fashion-MNIST, Kuzushiji-MNIST.
///
/// | file in `folder`, or with `.gz` | begins with | then |
/// |---|---|---|
/// | `train-images-idx3-ubyte`, `t10k-images-idx3-ubyte` | `0x803`, count, rows, columns | a byte a pixel |
/// | `train-labels-idx1-ubyte`, `t10k-labels-idx1-ubyte` | `0x801`, count | a byte a label |
///
/// Numbers have four bytes, the highest first. Source: Y. LeCun, C. Cortes and C. Burges, *The
/// MNIST database of handwritten digits*. A dot may stand for the dash before `idx`, the files may lie
/// in `raw` or `MNIST/raw`, where torchvision puts them, or each in a folder of its own name. Where one
/// is there twice, packed and not, a sound one is taken.
///
/// # Errors
///
/// A [`DataError`] that names the file and what is wrong with it.
pub fn mnist(folder: impl AsRef<Path>) -> Result<(Images, Images), DataError> {
    let folder = folder.as_ref();
    let part = |part: &str| {
        let images = names(&format!("{part}-images"), "idx3-ubyte");
        let labels = names(&format!("{part}-labels"), "idx1-ubyte");
        images_of(
            file::first(folder, &images, REMEDY, read)?,
            file::first(folder, &labels, REMEDY, read)?,
            10,
        )
    };
    Ok((part("train")?, part("t10k")?))
}

/// A set of a file of images and a file of labels, with as many classes as you say: the files of
/// [`mnist`] under any name, gzipped or not.
///
/// EMNIST's letters have the labels 1 to 26, so 27 classes, of which one stays without an image; its
/// images are stored column by column.
///
/// # Errors
///
/// A [`DataError`] that names the file and what is wrong with it.
pub fn idx(
    images: impl AsRef<Path>,
    labels: impl AsRef<Path>,
    classes: usize,
) -> Result<Images, DataError> {
    let [images, labels] =
        [images.as_ref(), labels.as_ref()].map(|path| file::inside(path.to_owned()));
    images_of(
        read(&images, file::read(&images, PAIR)?)?,
        read(&labels, file::read(&labels, PAIR)?)?,
        classes,
    )
}

/// Under which names a file may be there.
fn names(name: &str, kind: &str) -> Vec<String> {
    let mut names = Vec::new();
    for folder in ["", "raw/", "MNIST/raw/"] {
        for dash in ["-", "."] {
            for packed in [".gz", ""] {
                names.push(format!("{folder}{name}{dash}{kind}{packed}"));
            }
        }
    }
    names
}

/// Path, sizes and bytes of a file with `N` axes.
type Idx<const N: usize> = (PathBuf, [usize; N], Vec<u8>);

fn images_of(images: Idx<3>, labels: Idx<1>, classes: usize) -> Result<Images, DataError> {
    let (path_of_images, [_, rows, columns], pixels) = images;
    let (path_of_labels, [_], labels) = labels;
    let labels = labels.into_iter().map(usize::from).collect();
    Images::new([rows, columns, 1], classes, pixels, labels).map_err(|error| {
        let about_labels = matches!(error.defect, Defect::Count { .. } | Defect::Label { .. });
        error.at(if about_labels {
            &path_of_labels
        } else {
            &path_of_images
        })
    })
}

/// Pairs of files, whose images stay there.
#[derive(Debug)]
pub(super) struct IdxFiles {
    shape: [usize; 3],
    classes: usize,
    files: Shards,
    labels: Vec<u8>,
}

impl IdxFiles {
    pub(super) fn open<P: AsRef<Path>, Q: AsRef<Path>>(
        pairs: impl IntoIterator<Item = (P, Q)>,
        classes: usize,
    ) -> Result<Self, DataError> {
        let mut all: Option<Self> = None;
        for (images, labels) in pairs {
            let [images, labels] =
                [images.as_ref(), labels.as_ref()].map(|path| file::inside(path.to_owned()));
            let (_, [_], labels_here) = read(&labels, file::read(&labels, PAIR)?)?;
            let (file, len) = file::open(&images, PAIR)?;
            let mut start = [0; header_size(3)];
            let few = start.len().min(usize::try_from(len).unwrap_or(usize::MAX));
            let begin = file.read(&mut start[..few], 0);
            begin.map_err(|error| Defect::Io(error).at(&images))?;
            if start.starts_with(&file::GZIP) {
                return Err(Defect::Gzipped.at(&images));
            }
            let [count, rows, columns] = header(&images, &start, len)?;
            let shape = [rows, columns, 1];
            if count != labels_here.len() {
                let (images, found) = (count, labels_here.len());
                let labels_found = Defect::Count {
                    images,
                    labels: found,
                };
                return Err(labels_found.at(&labels));
            }
            let of_images = labels_here.iter().copied().map(usize::from);
            Defect::check_labels(of_images, classes).map_err(|defect| defect.at(&labels))?;
            let set = all.get_or_insert_with(|| Self {
                shape,
                classes,
                files: Shards::new(start.len(), rows * columns),
                labels: Vec::new(),
            });
            if set.shape != shape {
                let (expected, found) = (set.shape, shape);
                return Err(Defect::Shape { expected, found }.at(&images));
            }
            set.files.push(&images, file, count);
            set.labels.extend(labels_here);
        }
        let sound = |set: &Self| set.files.record() > 0 && !set.labels.is_empty();
        all.filter(sound).ok_or_else(|| Defect::Empty.into())
    }
}

impl Source for IdxFiles {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index].into()
    }

    fn pixels(&self, index: usize) -> Result<Vec<u8>, DataError> {
        let mut pixels = vec![0; self.files.record()];
        self.files.read(index, &mut pixels)?;
        Ok(pixels)
    }
}

/// Bytes before the first number of a file with so many axes.
const fn header_size(axes: usize) -> usize {
    4 + 4 * axes
}

fn read<const N: usize>(path: &Path, mut bytes: Vec<u8>) -> Result<Idx<N>, DataError> {
    let sizes = header(path, &bytes, bytes.len() as u64)?;
    bytes.drain(..header_size(N));
    Ok((path.to_owned(), sizes, bytes))
}

/// The sizes that a file of `len` bytes begins with.
fn header<const N: usize>(path: &Path, bytes: &[u8], len: u64) -> Result<[usize; N], DataError> {
    let mut words = bytes
        .as_chunks()
        .0
        .iter()
        .map(|&word| u32::from_be_bytes(word));
    // Two zeros, 8 for unsigned bytes, the number of axes.
    let (expected, found) = (0x800 + N as u32, words.next().unwrap_or(0));
    if found != expected {
        return Err(Defect::Magic { expected, found }.at(path));
    }
    let mut sizes = [0; N];
    for size in &mut sizes {
        *size = words.next().unwrap_or(u32::MAX) as usize;
    }
    let expected = sizes.iter().fold(1, |all: usize, &n| all.saturating_mul(n));
    let expected = expected.saturating_add(header_size(N));
    let found = usize::try_from(len).unwrap_or(usize::MAX);
    if found != expected {
        return Err(Defect::Length { expected, found }.at(path));
    }
    Ok(sizes)
}
