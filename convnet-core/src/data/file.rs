//! Files, plain or gzipped.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
#[cfg(not(unix))]
use std::sync::{Mutex, PoisonError};

use flate2::read::MultiGzDecoder;

use super::{DataError, Defect};

/// What a gzip file begins with.
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The bytes of a file; of what is packed in it, if it is a gzip file.
pub(super) fn read(path: &Path, remedy: &'static str) -> Result<Vec<u8>, DataError> {
    let bytes = fs::read(path).map_err(|error| blame(error, path, remedy))?;
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    match MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain) {
        Ok(_) => Ok(plain),
        Err(error) => Err(Defect::Io(error).at(path)),
    }
}

/// A file to read here and there, and its length.
pub(super) fn open(path: &Path, remedy: &'static str) -> Result<(Reader, u64), DataError> {
    let open = || {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok((Reader::new(file), len))
    };
    open().map_err(|error| blame(error, path, remedy))
}

fn blame(error: io::Error, path: &Path, remedy: &'static str) -> DataError {
    match error.kind() {
        io::ErrorKind::NotFound => Defect::Missing {
            remedy,
            names: Vec::new(),
        }
        .at(path),
        _ => Defect::Io(error).at(path),
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

/// Files of records of one size, which begin at one place in each.
#[derive(Debug)]
pub(super) struct Shards {
    files: Vec<Shard>,
    /// In bytes.
    start: usize,
    /// In bytes.
    record: usize,
    records: usize,
}

#[derive(Debug)]
struct Shard {
    path: PathBuf,
    file: Reader,
    /// Which record of all is its first.
    first: usize,
}

impl Shards {
    pub(super) fn new(start: usize, record: usize) -> Self {
        Self {
            files: Vec::new(),
            start,
            record,
            records: 0,
        }
    }

    pub(super) fn push(&mut self, path: &Path, file: Reader, records: usize) {
        self.files.push(Shard {
            path: path.to_owned(),
            file,
            first: self.records,
        });
        self.records += records;
    }

    /// Bytes of a record.
    pub(super) fn record(&self) -> usize {
        self.record
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records
    }

    /// The first bytes of a record, as many as there is room for; where it stands: a file, and the number there.
    pub(super) fn read(&self, index: usize, bytes: &mut [u8]) -> Result<(&Path, usize), DataError> {
        let at = self.files.partition_point(|file| file.first <= index);
        let shard = &self.files[at.saturating_sub(1)];
        let number = index - shard.first;
        let offset = self.start as u64 + number as u64 * self.record as u64;
        let read = shard.file.read(bytes, offset);
        read.map_err(|error| Defect::Io(error).at(&shard.path))?;
        Ok((&shard.path, number))
    }
}

/// A file that many threads read, each where it likes.
#[derive(Debug)]
pub(super) struct Reader {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: Mutex<File>,
}

impl Reader {
    #[cfg(unix)]
    pub(super) fn new(file: File) -> Self {
        Self { file }
    }

    #[cfg(unix)]
    pub(super) fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, offset)
    }

    #[cfg(not(unix))]
    pub(super) fn new(file: File) -> Self {
        Self {
            file: Mutex::new(file),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        io::Seek::seek(&mut *file, io::SeekFrom::Start(offset))?;
        io::Read::read_exact(&mut *file, bytes)
    }
}
