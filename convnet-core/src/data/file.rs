//! Files, plain or gzipped.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::{DataError, Defect};

/// The bytes of a file; of what is packed in it, if it is a gzip file.
pub(super) fn read(path: &Path, remedy: &'static str) -> Result<Vec<u8>, DataError> {
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Defect::Missing { remedy }.at(path),
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

/// The first of `names` that is in `folder`; the first name if none is.
pub(super) fn find(folder: &Path, names: &[String]) -> PathBuf {
    let paths = names.iter().map(|name| folder.join(name));
    let mut there = paths.clone().filter(|path| path.exists());
    there
        .next()
        .or_else(|| paths.clone().next())
        .unwrap_or_default()
}
