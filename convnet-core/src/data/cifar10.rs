//! CIFAR-10 in its binary version.

use std::path::{Path, PathBuf};

use super::{DataError, Defect, Images, file};

const REMEDY: &str = "CIFAR-10 is data_batch_1.bin to data_batch_5.bin and test_batch.bin in one \
    folder; take the binary version from https://www.cs.toronto.edu/~kriz/cifar.html";

/// In the order of their labels.
const NAMES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

/// A depth slice of an image.
const PLANE: usize = 32 * 32;
/// Label, red, green, blue.
const RECORD: usize = 1 + 3 * PLANE;

/// The training set and the test set of CIFAR-10, from the folder of its binary version or the one
/// around it.
///
/// A file is records of 3,073 bytes: the label, then 1,024 bytes red, as many green and blue, row by
/// row. Source: A. Krizhevsky, *Learning multiple layers of features from tiny images*, 2009.
///
/// # Errors
///
/// A [`DataError`] that names the file and what is wrong with it.
pub fn cifar10(folder: impl AsRef<Path>) -> Result<(Images, Images), DataError> {
    let folder = folder.as_ref();
    let train = (1..=5).map(|batch| format!("data_batch_{batch}.bin"));
    Ok((
        part(folder, train)?,
        part(folder, ["test_batch.bin".to_owned()])?,
    ))
}

fn part(folder: &Path, files: impl IntoIterator<Item = String>) -> Result<Images, DataError> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for name in files {
        let names = [name.clone(), format!("cifar-10-batches-bin/{name}")];
        let (path, records) = file::first(folder, &names, REMEDY, records)?;
        for (index, [label, planes @ ..]) in records.as_chunks::<RECORD>().0.iter().enumerate() {
            let label = usize::from(*label);
            if label >= 10 {
                return Err(Defect::Label {
                    index,
                    label,
                    classes: 10,
                }
                .at(&path));
            }
            labels.push(label);
            pixels.extend(
                (0..PLANE).flat_map(|p| [planes[p], planes[PLANE + p], planes[2 * PLANE + p]]),
            );
        }
    }
    Images::new([32, 32, 3], 10, pixels, labels)
        .and_then(|images| images.named(NAMES))
        .map_err(|error| error.at(folder))
}

/// Path and bytes of a file of whole records.
fn records(path: &Path, bytes: Vec<u8>) -> Result<(PathBuf, Vec<u8>), DataError> {
    if bytes.is_empty() {
        return Err(Defect::Empty.at(path));
    }
    if !bytes.len().is_multiple_of(RECORD) {
        let (record, found) = (RECORD, bytes.len());
        return Err(Defect::Records { record, found }.at(path));
    }
    Ok((path.to_owned(), bytes))
}
