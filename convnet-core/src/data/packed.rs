//! Images in a file that stays on the disk: a set larger than memory.
//!
//! ```text
//! "convnet1"   where the index begins, its length, its checksum
//! records      pixel values [height][width][depth], all of one size, one after the other
//! index        JSON: shape, names of the classes; a label and a checksum for each record
//! ```
//!
//! Numbers are little-endian; a checksum is a CRC-32. Labels and checksums are kept in memory, eight bytes an
//! image, and of the images what is being looked at: one record a thread.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use flate2::Crc;
use serde::{Deserialize, Serialize};

use super::{DataError, Defect, Images, Normalisation, Samples, Sizing};
use crate::Real;

/// A set of images in packed files: what [`Images`] is in memory, on the disk.
///
/// `convnet pack FOLDER` makes such a file of a folder of images, [`Folder::pack`](super::Folder::pack) and
/// [`Packer`] do in a program. Each image is read when it is looked at, by the thread that trains on it; of many
/// machines each reads those of its part of a batch only. How much memory that takes does not depend on how many
/// images there are, but for eight bytes an image, and eight for the order of an epoch.
///
/// Where a disk reads one image here and one there slowly, [`shuffled_within`](Self::shuffled_within) keeps
/// what is read near together.
///
/// A record that cannot be read, or is not what was written, stops a training with a
/// [`DataError`] that names the file and the image.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::data::{DataError, Images, Packed, Samples};
///
/// # let path = std::env::temp_dir().join(format!("convnet-packed-doc-{}", std::process::id()));
/// let images = Images::new([1, 2, 1], 2, vec![0, 255, 255, 0], vec![0, 1])?.named(["night", "day"])?;
/// images.pack(&path)?;
/// let packed = Packed::open([&path])?;
/// let mut image = [0.0_f32; 2];
/// packed.image(1, &mut image);
/// assert_eq!((packed.label(1), image, packed.class_names()), (1, [1.0, 0.0], images.class_names()));
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), DataError>(())
/// ```
#[derive(Debug)]
pub struct Packed {
    header: Header,
    files: Vec<Records>,
    /// Label and checksum of each image.
    index: Vec<(u32, u32)>,
    window: usize,
    normalisation: Normalisation,
    values: Vec<[f64; 256]>,
    fault: Mutex<Option<DataError>>,
}

/// One of the files.
#[derive(Debug)]
struct Records {
    path: PathBuf,
    file: Reader,
    /// Which image of the set is its first.
    first: usize,
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

impl Packed {
    /// The images of all files, in this order.
    ///
    /// # Errors
    ///
    /// A [`DataError`] that names the file: [`Defect::Missing`], [`Defect::Packed`] if it is none, was cut short
    /// or damaged in its index, or has other shapes or classes than the first; [`Defect::Empty`].
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Self, DataError> {
        let mut all: Option<Header> = None;
        let (mut files, mut index) = (Vec::new(), Vec::new());
        for path in paths {
            let path = path.as_ref();
            let (header, file, records) = read_index(path)?;
            let first = all.get_or_insert_with(|| header.clone());
            if *first != header {
                let reason = format!("it is of {header:?}, and the first file of {first:?}");
                return Err(Defect::Packed { reason }.at(path));
            }
            files.push(Records {
                path: path.to_owned(),
                file,
                first: index.len(),
            });
            index.extend(records);
        }
        let header = all.filter(|_| !index.is_empty()).ok_or(Defect::Empty)?;
        let normalisation = Normalisation::divide(255.0, header.shape[2]);
        Ok(Self {
            values: normalisation.values().collect(),
            normalisation,
            header,
            files,
            index,
            window: 0,
            fault: Mutex::default(),
        })
    }

    /// Shuffles in two steps: blocks of a sixteenth of `images` images, which lie side by side, then the images
    /// of each window of so many. A disk then reads in larger pieces than one image. The order depends on the
    /// trainer's seed, as always.
    #[must_use]
    pub fn shuffled_within(mut self, images: usize) -> Self {
        self.window = images;
        self
    }

    /// Mean and standard deviation of each depth slice over all images, as [`Images::statistics`]: the files are
    /// read once.
    ///
    /// # Errors
    ///
    /// If a record cannot be read, or is not what was written.
    pub fn statistics(&self) -> Result<Normalisation, DataError> {
        let depth = self.header.shape[2];
        let (mut sums, mut record) = (vec![[0u64; 2]; depth], Vec::new());
        for index in 0..self.index.len() {
            self.read(index, &mut record)?;
            for column in record.chunks_exact(depth) {
                for (sum, &p) in sums.iter_mut().zip(column) {
                    *sum = [sum[0] + u64::from(p), sum[1] + u64::from(p) * u64::from(p)];
                }
            }
        }
        let count = (self.index.len() * record.len() / depth) as f64;
        let mean: Vec<f64> = sums.iter().map(|sum| sum[0] as f64 / count).collect();
        let variance = sums
            .iter()
            .zip(&mean)
            .map(|(sum, m)| sum[1] as f64 / count - m * m);
        let deviation = variance
            .map(|v| if v > 0.0 { v.sqrt() } else { 1.0 })
            .collect();
        Ok(Normalisation { mean, deviation })
    }

    /// The same images, read through `normalisation`.
    ///
    /// # Errors
    ///
    /// As [`Images::normalised`].
    pub fn normalised(mut self, normalisation: &Normalisation) -> Result<Self, DataError> {
        let depth = self.header.shape[2];
        if !normalisation.fits(depth) {
            let found = normalisation.clone();
            return Err(Defect::Normalisation { depth, found }.into());
        }
        self.values = normalisation.values().collect();
        self.normalisation = normalisation.clone();
        Ok(self)
    }

    /// Through what the pixel values are read.
    #[must_use]
    pub fn normalisation(&self) -> &Normalisation {
        &self.normalisation
    }

    /// How image files of another size were brought to this one.
    #[must_use]
    pub fn sizing(&self) -> Sizing {
        Sizing::of_name(&self.header.sizing).unwrap_or_default()
    }

    /// Reads every record, and compares it with its checksum.
    ///
    /// # Errors
    ///
    /// The first that cannot be read, or is not what was written.
    pub fn verify(&self) -> Result<(), DataError> {
        let mut record = Vec::new();
        (0..self.index.len()).try_for_each(|index| self.read(index, &mut record))
    }

    /// The pixel values of image `index`.
    fn read(&self, index: usize, record: &mut Vec<u8>) -> Result<(), DataError> {
        let size: usize = self.header.shape.iter().product();
        let at = self.files.partition_point(|file| file.first <= index);
        let file = &self.files[at.saturating_sub(1)];
        record.resize(size, 0);
        let offset = START as u64 + (index - file.first) as u64 * size as u64;
        let read = file.file.read(record, offset);
        read.map_err(|error| Defect::Io(error).at(&file.path))?;
        let (expected, found) = (self.index[index].1, checksum(record));
        if expected != found {
            let reason = format!(
                "image {} has the checksum #{found:08x}, and had #{expected:08x} when it was written",
                index - file.first
            );
            return Err(Defect::Packed { reason }.at(&file.path));
        }
        Ok(())
    }
}

impl Samples for Packed {
    fn len(&self) -> usize {
        self.index.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.header.shape
    }

    fn classes(&self) -> usize {
        self.header.classes
    }

    fn class_names(&self) -> &[String] {
        &self.header.names
    }

    fn label(&self, index: usize) -> usize {
        self.index[index].0 as usize
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        let mut record = Vec::new();
        if let Err(error) = self.read(index, &mut record) {
            // Nobody learns from what is no number, and whoever meets it asks why.
            image.fill(T::nan());
            let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
            fault.get_or_insert(error);
            return;
        }
        let depth = self.header.shape[2];
        for (to, column) in image
            .chunks_exact_mut(depth)
            .zip(record.chunks_exact(depth))
        {
            for ((to, &p), values) in to.iter_mut().zip(column).zip(&self.values) {
                *to = T::of(values[usize::from(p)]);
            }
        }
    }

    fn window(&self) -> usize {
        self.window
    }

    fn fault(&self) -> Option<DataError> {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.take()
    }
}

/// Writes a packed file, image by image: of any number, for none of them is kept.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::data::{DataError, Packed, Packer, Samples};
///
/// # let path = std::env::temp_dir().join(format!("convnet-packer-doc-{}", std::process::id()));
/// let mut packer = Packer::new(&path, [2, 2, 1])?;
/// for label in 0..10 {
///     packer.push(&[25 * label as u8; 4], label)?;
/// }
/// packer.finish(10, &[])?;
/// assert_eq!(Packed::open([&path])?.len(), 10);
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
        let wrong = self
            .index
            .iter()
            .position(|(label, _)| *label as usize >= classes);
        if let Some(index) = wrong {
            let label = self.index[index].0 as usize;
            return Err(Defect::Label {
                index,
                label,
                classes,
            });
        }
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
    /// Writes all images to a packed file, as they were given: [`Packed`] reads it. The normalisation is not kept.
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
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Defect::Missing {
            remedy: REMEDY,
            names: Vec::new(),
        }
        .at(path),
        _ => Defect::Io(error).at(path),
    };
    let packed = |reason: &str| {
        let reason = reason.to_owned();
        Defect::Packed { reason }.at(path)
    };
    let file = File::open(path).map_err(io)?;
    let len = file.metadata().map_err(io)?.len();
    let file = Reader::new(file);
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

/// A file that many threads read, each where it likes.
#[derive(Debug)]
struct Reader {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: Mutex<File>,
}

impl Reader {
    #[cfg(unix)]
    fn new(file: File) -> Self {
        Self { file }
    }

    #[cfg(unix)]
    fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, offset)
    }

    #[cfg(not(unix))]
    fn new(file: File) -> Self {
        Self {
            file: Mutex::new(file),
        }
    }

    #[cfg(not(unix))]
    fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        io::Read::read_exact(&mut *file, bytes)
    }
}
