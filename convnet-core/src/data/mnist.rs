//! MNIST and the sets that share its layout, IDX.

use std::path::{Path, PathBuf};

use super::{DataError, Defect, Images, file};

const REMEDY: &str = "MNIST and Fashion-MNIST are four files, gzipped or not, in one folder: \
    {train,t10k}-images-idx3-ubyte and {train,t10k}-labels-idx1-ubyte\n\
    Debian's package dataset-fashion-mnist puts them into /usr/share/datasets/fashion-mnist";

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
    const REMEDY: &str = "an IDX file of images and one of labels are expected";
    let [images, labels] =
        [images.as_ref(), labels.as_ref()].map(|path| file::inside(path.to_owned()));
    images_of(
        read(&images, file::read(&images, REMEDY)?)?,
        read(&labels, file::read(&labels, REMEDY)?)?,
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

fn read<const N: usize>(path: &Path, mut bytes: Vec<u8>) -> Result<Idx<N>, DataError> {
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
    let header = 4 + 4 * N;
    let expected = sizes.iter().fold(1, |all: usize, &n| all.saturating_mul(n));
    let (expected, found) = (expected.saturating_add(header), bytes.len());
    if found != expected {
        return Err(Defect::Length { expected, found }.at(path));
    }
    bytes.drain(..header);
    Ok((path.to_owned(), sizes, bytes))
}
