//! Files, plain or gzipped.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::{DataError, Defect};

/// The bytes of a file; of what is packed in it, if it is a gzip file.
pub(super) fn read(path: &Path, remedy: &'static str) -> Result<Vec<u8>, DataError> {
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Defect::Missing {
            remedy,
            names: Vec::new(),
        }
        .at(path),
        _ => Defect::Io(error).at(path),
    })?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    match MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain) {
        Ok(_) => Ok(plain),
        Err(error) => Err(Defect::Io(error).at(path)),
    }
}

/// What `parse` makes of the first of `names` in `folder` that is sound. A name may be that of a folder
/// with a file of the same name in it, as Kaggle's archives unpack.
///
/// # Errors
///
/// What is wrong with the one that is there, or with each.
pub(super) fn first<T>(
    folder: &Path,
    names: &[String],
    remedy: &'static str,
    parse: impl Fn(&Path, Vec<u8>) -> Result<T, DataError>,
) -> Result<T, DataError> {
    let mut errors = Vec::new();
    for name in names {
        let path = inside(folder.join(name));
        if !path.is_file() {
            continue;
        }
        match read(&path, remedy).and_then(|bytes| parse(&path, bytes)) {
            Ok(value) => return Ok(value),
            Err(error) => errors.push(error),
        }
    }
    match (errors.len(), errors.pop()) {
        (1, Some(error)) => Err(error),
        (_, Some(last)) => {
            errors.push(last);
            Err(Defect::Each(errors).at(folder))
        }
        (_, None) => {
            let path = names
                .first()
                .map_or(folder.to_owned(), |name| folder.join(name));
            let names = names.get(1..).unwrap_or_default().to_vec();
            Err(Defect::Missing { remedy, names }.at(&path))
        }
    }
}

/// The file of the same name in `path`, if `path` is a folder.
pub(super) fn inside(path: PathBuf) -> PathBuf {
    match path.file_name() {
        Some(name) if path.is_dir() => path.join(name),
        _ => path,
    }
}
