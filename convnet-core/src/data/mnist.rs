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
/// MNIST database of handwritten digits*.
///
/// # Errors
///
/// A [`DataError`] that names the file and what is wrong with it.
pub fn mnist(folder: impl AsRef<Path>) -> Result<(Images, Images), DataError> {
    let folder = folder.as_ref();
    Ok((part(folder, "train")?, part(folder, "t10k")?))
}

fn part(folder: &Path, name: &str) -> Result<Images, DataError> {
    let (images, [_, rows, columns], pixels) = idx(folder, &format!("{name}-images-idx3-ubyte"))?;
    let (labels, [_], classes) = idx(folder, &format!("{name}-labels-idx1-ubyte"))?;
    let classes = classes.into_iter().map(usize::from).collect();
    Images::new([rows, columns, 1], 10, pixels, classes).map_err(|error| {
        let about_labels = matches!(error.defect, Defect::Count { .. } | Defect::Label { .. });
        error.at(if about_labels { &labels } else { &images })
    })
}

/// Path, sizes and bytes of the file `name` with `N` axes.
fn idx<const N: usize>(
    folder: &Path,
    name: &str,
) -> Result<(PathBuf, [usize; N], Vec<u8>), DataError> {
    let path = file::find(folder, &[format!("{name}.gz"), name.to_owned()]);
    let mut bytes = file::read(&path, REMEDY)?;
    let mut words = bytes
        .as_chunks()
        .0
        .iter()
        .map(|&word| u32::from_be_bytes(word));
    // Two zeros, 8 for unsigned bytes, the number of axes.
    let (expected, found) = (0x800 + N as u32, words.next().unwrap_or(0));
    if found != expected {
        return Err(Defect::Magic { expected, found }.at(&path));
    }
    let mut sizes = [0; N];
    for size in &mut sizes {
        *size = words.next().unwrap_or(u32::MAX) as usize;
    }
    let header = 4 + 4 * N;
    let expected = sizes.iter().fold(1, |all: usize, &n| all.saturating_mul(n));
    let (expected, found) = (expected.saturating_add(header), bytes.len());
    if found != expected {
        return Err(Defect::Length { expected, found }.at(&path));
    }
    bytes.drain(..header);
    Ok((path, sizes, bytes))
}
