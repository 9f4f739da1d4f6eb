//! CIFAR-10 in its binary version.

use std::path::{Path, PathBuf};

use super::file::{self, Shards};
use super::streamed::Source;
use super::{DataError, Defect, Images};

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
            labels.push(usize::from(class(*label, index, &path)?));
            pixels.extend(columns(planes));
        }
    }
    Images::new([32, 32, 3], 10, pixels, labels)
        .and_then(|images| images.named(NAMES))
        .map_err(|error| error.at(folder))
}

/// A label that is one of ten.
fn class(label: u8, index: usize, path: &Path) -> Result<u8, DataError> {
    let classes = NAMES.len();
    if usize::from(label) < classes {
        return Ok(label);
    }
    let label = label.into();
    Err(Defect::Label {
        index,
        label,
        classes,
    }
    .at(path))
}

/// Red, green and blue of each pixel, from a plane of each.
fn columns(planes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    (0..PLANE).flat_map(|p| [0, 1, 2].map(|plane| planes[plane * PLANE + p]))
}

/// Path and bytes of a file of whole records.
fn records(path: &Path, bytes: Vec<u8>) -> Result<(PathBuf, Vec<u8>), DataError> {
    count(path, bytes.len())?;
    Ok((path.to_owned(), bytes))
}

/// How many records a file of `found` bytes has.
fn count(path: &Path, found: usize) -> Result<usize, DataError> {
    if found == 0 {
        return Err(Defect::Empty.at(path));
    }
    if !found.is_multiple_of(RECORD) {
        let record = RECORD;
        return Err(Defect::Records { record, found }.at(path));
    }
    Ok(found / RECORD)
}

/// Files whose images stay there.
#[derive(Debug)]
pub(super) struct CifarFiles {
    files: Shards,
    labels: Vec<u8>,
    names: Vec<String>,
}

impl CifarFiles {
    pub(super) fn open<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Self, DataError> {
        let (mut files, mut labels) = (Shards::new(0, RECORD), Vec::new());
        for path in paths {
            let path = path.as_ref();
            let (file, len) = file::open(path, REMEDY)?;
            let images = count(path, usize::try_from(len).unwrap_or(usize::MAX))?;
            files.push(path, file, images);
        }
        for index in 0..files.len() {
            let mut label = [0];
            let (path, number) = files.read(index, &mut label)?;
            labels.push(class(label[0], number, path)?);
        }
        if labels.is_empty() {
            return Err(Defect::Empty.into());
        }
        let names = NAMES.map(str::to_owned).to_vec();
        Ok(Self {
            files,
            labels,
            names,
        })
    }
}

impl Source for CifarFiles {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn shape(&self) -> [usize; 3] {
        [32, 32, 3]
    }

    fn classes(&self) -> usize {
        NAMES.len()
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index].into()
    }

    fn pixels(&self, index: usize) -> Result<Vec<u8>, DataError> {
        let mut record = [0; RECORD];
        self.files.read(index, &mut record)?;
        Ok(columns(&record[1..]).collect())
    }
}
