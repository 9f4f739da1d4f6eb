//! Images in a file that stays on the disk: a set larger than memory.
//!
//! ```text
//! "convnet1"   where the index begins, its length, its checksum
//! records      pixel values [height][width][depth], all of one size, one after the other
//! index        JSON: shape, names of the classes; a label and a checksum for each record
//! ```
//!
//! Numbers are little-endian; a checksum is a CRC-32. Labels and checksums are kept in memory, eight bytes an
//! image.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::Crc;
use serde::{Deserialize, Serialize};

use super::file::{self, Reader, Shards};
use super::streamed::Source;
use super::{DataError, Defect, Images, Samples, Sizing};

/// Packed files.
#[derive(Debug)]
pub(super) struct PackedFiles {
    header: Header,
    files: Shards,
    /// Label and checksum of each image.
    index: Vec<(u32, u32)>,
}

/// What the index begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    shape: [usize; 3],
    classes: usize,
    names: Vec<String>,
    sizing: String,
}

const MAGIC: &[u8; 8] = b"convnet1";
/// Before the first record.
const START: usize = 8 + 8 + 8 + 4;
const REMEDY: &str = "a file is expected that `convnet pack` or `data::Packer` has written";

impl PackedFiles {
    pub(super) fn open<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Self, DataError> {
        let mut all: Option<(Header, Shards)> = None;
        let mut index = Vec::new();
        for path in paths {
            let path = path.as_ref();
            let (header, file, records) = read_index(path)?;
            let (first, files) = all.get_or_insert_with(|| {
                let record = header.shape.iter().product();
                (header.clone(), Shards::new(START, record))
            });
            if *first != header {
                let reason = format!("it is of {header:?}, and the first file of {first:?}");
                return Err(Defect::Packed { reason }.at(path));
            }
            files.push(path, file, records.len());
            index.extend(records);
        }
        let all = all.filter(|_| !index.is_empty());
        let (header, files) = all.ok_or(Defect::Empty)?;
        Ok(Self {
            header,
            files,
            index,
        })
    }
}

impl Source for PackedFiles {
    fn len(&self) -> usize {
        self.index.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.header.shape
    }

    fn classes(&self) -> usize {
        self.header.classes
    }

    fn names(&self) -> &[String] {
        &self.header.names
    }

    fn sizing(&self) -> Sizing {
        Sizing::of_name(&self.header.sizing).unwrap_or_default()
    }

    fn label(&self, index: usize) -> usize {
        self.index[index].0 as usize
    }

    fn pixels(&self, index: usize) -> Result<Vec<u8>, DataError> {
        let mut record = vec![0; self.files.record()];
        let (path, number) = self.files.read(index, &mut record)?;
        let (expected, found) = (self.index[index].1, checksum(&record));
        if expected != found {
            let reason = format!(
                "image {number} has the checksum #{found:08x}, and had #{expected:08x} when it was written"
            );
            return Err(Defect::Packed { reason }.at(path));
        }
        Ok(record)
    }
}

/// Writes a packed file, image by image: of any number, for none of them is kept.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::data::{DataError, Packer, Samples, Streamed};
///
/// # let path = std::env::temp_dir().join(format!("convnet-packer-doc-{}", std::process::id()));
/// let mut packer = Packer::new(&path, [2, 2, 1])?;
/// for label in 0..10 {
///     packer.push(&[25 * label as u8; 4], label)?;
/// }
/// packer.finish(10, &[])?;
/// assert_eq!(Streamed::packed([&path])?.len(), 10);
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), DataError>(())
/// ```
#[derive(Debug)]
pub struct Packer {
    path: PathBuf,
    /// What becomes the file when it is whole.
    aside: PathBuf,
    out: BufWriter<File>,
    shape: [usize; 3],
    sizing: Sizing,
    index: Vec<(u32, u32)>,
}

impl Packer {
    /// Begins a file of images of `shape`: height, width, depth. What is at `path` stays until
    /// [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// If no file can be written there.
    pub fn new(path: impl AsRef<Path>, shape: [usize; 3]) -> Result<Self, DataError> {
        let path = path.as_ref().to_owned();
        let aside = path.with_extension("tmp");
        let begin = || -> io::Result<BufWriter<File>> {
            let mut out = BufWriter::new(File::create(&aside)?);
            out.write_all(&[0; START])?;
            Ok(out)
        };
        Ok(Self {
            out: begin().map_err(|error| Defect::Io(error).at(&aside))?,
            path,
            aside,
            shape,
            sizing: Sizing::default(),
            index: Vec::new(),
        })
    }

    #[cfg(feature = "image")]
    pub(super) fn sized(self, sizing: Sizing) -> Self {
        Self { sizing, ..self }
    }

    /// Adds an image, `[height][width][depth]`.
    ///
    /// # Errors
    ///
    /// [`Defect::Pixels`] if it is of another size; if it cannot be written.
    pub fn push(&mut self, pixels: &[u8], label: usize) -> Result<(), DataError> {
        let (shape, found) = (self.shape, pixels.len());
        if found == 0 || found != shape.iter().product::<usize>() {
            return Err(Defect::Pixels { shape, found }.at(&self.path));
        }
        let index = self.index.len();
        let classes = u32::MAX as usize;
        let label = u32::try_from(label).map_err(|_| {
            let label = Defect::Label {
                index,
                label,
                classes,
            };
            label.at(&self.path)
        })?;
        let written = self.out.write_all(pixels);
        written.map_err(|error| Defect::Io(error).at(&self.aside))?;
        self.index.push((label, checksum(pixels)));
        Ok(())
    }

    /// Ends the file, of so many classes, with their names or none. Returns how many images it has.
    ///
    /// # Errors
    ///
    /// [`Defect::Empty`], [`Defect::Label`], [`Defect::Names`]; if it cannot be written. There is no file then.
    pub fn finish(mut self, classes: usize, names: &[String]) -> Result<usize, DataError> {
        let done = self.end(classes, names);
        if done.is_err() {
            // What is wrong is said; that it could not be removed either is not worth a word.
            let _ = fs::remove_file(&self.aside);
        }
        done.map_err(|defect| defect.at(&self.path))
    }

    /// Leaves nothing behind.
    #[cfg(feature = "image")]
    pub(super) fn discard(self) {
        let _ = fs::remove_file(&self.aside);
    }

    fn end(&mut self, classes: usize, names: &[String]) -> Result<usize, Defect> {
        if self.index.is_empty() {
            return Err(Defect::Empty);
        }
        if !names.is_empty() && names.len() != classes {
            let names = names.len();
            return Err(Defect::Names { names, classes });
        }
        let labels = self.index.iter().map(|(label, _)| *label as usize);
        Defect::check_labels(labels, classes)?;
        let header = Header {
            shape: self.shape,
            classes,
            names: names.to_vec(),
            sizing: self.sizing.name().to_owned(),
        };
        let json = serde_json::to_vec(&header)
            .map_err(|error| Defect::Io(io::Error::other(error.to_string())))?;
        let mut index = (json.len() as u64).to_le_bytes().to_vec();
        index.extend(json);
        for (label, checksum) in &self.index {
            index.extend(label.to_le_bytes());
            index.extend(checksum.to_le_bytes());
        }
        let mut write = || -> io::Result<()> {
            let size: usize = self.shape.iter().product();
            let at = START as u64 + self.index.len() as u64 * size as u64;
            self.out.write_all(&index)?;
            self.out.seek(SeekFrom::Start(0))?;
            self.out.write_all(MAGIC)?;
            self.out.write_all(&at.to_le_bytes())?;
            self.out.write_all(&(index.len() as u64).to_le_bytes())?;
            self.out.write_all(&checksum(&index).to_le_bytes())?;
            self.out.flush()?;
            self.out.get_ref().sync_all()?;
            fs::rename(&self.aside, &self.path)
        };
        write().map_err(Defect::Io)?;
        Ok(self.index.len())
    }
}

impl Images {
    /// Writes all images to a packed file, as they were given: [`Streamed::packed`](super::Streamed::packed) reads it. The normalisation is not kept.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn pack(&self, path: impl AsRef<Path>) -> Result<usize, DataError> {
        let mut packer = Packer::new(path, self.shape())?;
        packer.sizing = self.sizing();
        (0..self.len()).try_for_each(|index| packer.push(self.pixels(index), self.label(index)))?;
        packer.finish(self.classes(), self.class_names())
    }
}

/// Header, file and labels with checksums.
#[expect(clippy::type_complexity, reason = "taken apart where it is called")]
fn read_index(path: &Path) -> Result<(Header, Reader, Vec<(u32, u32)>), DataError> {
    let io = |error: io::Error| Defect::Io(error).at(path);
    let packed = |reason: &str| {
        let reason = reason.to_owned();
        Defect::Packed { reason }.at(path)
    };
    let (file, len) = file::open(path, REMEDY)?;
    let mut start = [0; START];
    if len < START as u64 {
        return Err(packed("it is too short for one"));
    }
    file.read(&mut start, 0).map_err(io)?;
    let number = |at: usize| u64::from_le_bytes(*start[at..].first_chunk().unwrap_or(&[0; 8]));
    let (at, size) = (number(8), number(16));
    if !start.starts_with(MAGIC) {
        return Err(packed("it does not begin as one"));
    }
    if at.checked_add(size) != Some(len) {
        return Err(packed("it was cut short, or something was added to it"));
    }
    let mut index = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
    file.read(&mut index, at).map_err(io)?;
    let noted = u32::from_le_bytes(*start[24..].first_chunk().unwrap_or(&[0; 4]));
    // What is behind it could not be fuzzed otherwise.
    if checksum(&index) != noted && !cfg!(fuzzing) {
        return Err(packed("its index is damaged"));
    }
    let (json, records) = index
        .split_first_chunk::<8>()
        .and_then(|(len, rest)| {
            rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)
        })
        .ok_or_else(|| packed("its index is damaged"))?;
    let header: Header =
        serde_json::from_slice(json).map_err(|error| packed(&error.to_string()))?;
    let (records, rest) = records.as_chunks::<8>();
    let number = |bytes: &[u8; 8], at: usize| {
        u32::from_le_bytes(*bytes[at..].first_chunk().unwrap_or(&[0; 4]))
    };
    let records: Vec<(u32, u32)> = records
        .iter()
        .map(|it| (number(it, 0), number(it, 4)))
        .collect();
    let pixels = header
        .shape
        .iter()
        .try_fold(1u64, |size, &side| size.checked_mul(side as u64));
    let all = pixels.and_then(|size| size.checked_mul(records.len() as u64));
    let sound = rest.is_empty()
        && pixels != Some(0)
        && all.and_then(|all| all.checked_add(START as u64)) == Some(at)
        && (header.names.is_empty() || header.names.len() == header.classes)
        && records
            .iter()
            .all(|(label, _)| (*label as usize) < header.classes);
    match sound {
        true => Ok((header, file, records)),
        false => Err(packed("what it says of itself cannot be")),
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
