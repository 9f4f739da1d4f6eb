//! A folder of images, a sub-folder a class.

use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::prelude::*;

use super::streamed::Source;
use super::{DataError, Defect, Images, Packer, Sizing, Streamed};
use crate::picture::{PictureError, decode};

const REMEDY: &str = "a folder with a sub-folder for each class, named for it, is expected";

/// Reads all images of a folder, a sub-folder a class, and brings them to `shape`: height, width, depth.
/// [`Folder`] has the settings, and says what is read.
///
/// ```text
/// photos/cat/1.png         let photos = data::folder("photos", [32, 32, 3])?;
/// photos/cat/tom.jpeg      photos.class_names() is ["cat", "dog"]
/// photos/dog/rex.png       photos.label(2) is 1
/// ```
///
/// # Errors
///
/// As [`Folder::read`].
pub fn folder(path: impl Into<PathBuf>, shape: [usize; 3]) -> Result<Images, DataError> {
    Folder::new(path, shape).read()
}

/// How a folder of images is read.
///
/// * A class is a sub-folder, and called as it is. The order is that of the bytes of their names: `10` comes
///   before `2`, and `Z` before `a`. [`classes`](Self::classes) says another.
/// * Every file of a sub-folder, and of those in it, is an image, in the order of their paths: PNG, JPEG, GIF
///   (the first frame), WebP, BMP, PNM, by what is in them and not by their names. Names that begin with a
///   dot, `Thumbs.db` and `desktop.ini` are not looked at, nor are files beside the sub-folders.
/// * An image of another size is [stretched](Sizing::Stretch), unless [`sizing`](Self::sizing) says
///   otherwise; one that was taken upside down, and says so, is turned.
/// * A depth of 1 is gray, of 3 red, green, blue, of 2 and 4 the same with alpha. Without alpha, what is
///   transparent has the colour that the file gives it.
///
/// All cores read. What takes more than a second says on standard error how far it is.
///
/// ```no_run
/// # use convnet_core as convnet;
/// use convnet::data::{Folder, Samples, Sizing};
///
/// // Damaged files are left out, and listed.
/// let (photos, broken) = Folder::new("photos", [32, 32, 3]).sizing(Sizing::Crop).read_sound()?;
/// for error in broken {
///     eprintln!("{error}");
/// }
/// println!("{} images of {:?}", photos.len(), photos.class_names());
/// # Ok::<(), convnet::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    shape: [usize; 3],
    sizing: Sizing,
    classes: Option<Vec<String>>,
    silent: bool,
}

impl Folder {
    /// The folder at `path`, whose images are brought to `shape`: height, width, depth.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, shape: [usize; 3]) -> Self {
        Self {
            path: path.into(),
            shape,
            sizing: Sizing::default(),
            classes: None,
            silent: false,
        }
    }

    /// What is done with images of another size.
    #[must_use]
    pub fn sizing(mut self, sizing: Sizing) -> Self {
        self.sizing = sizing;
        self
    }

    /// Says which classes there are, in which order: those of a training set, for a test set in a folder of
    /// its own. A class may then be without images, and a sub-folder that is none of them is an error.
    #[must_use]
    pub fn classes(mut self, names: &[String]) -> Self {
        self.classes = Some(names.to_vec());
        self
    }

    /// Shows nothing.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Reads all images.
    ///
    /// # Errors
    ///
    /// A [`DataError`]: [`Defect::Broken`] names every file that is no image, or none of the size that was
    /// insisted on; [`Defect::Missing`], [`Defect::NoClass`], [`Defect::OtherClass`]; [`Defect::Empty`] with
    /// the sub-folder in which there is no image.
    pub fn read(&self) -> Result<Images, DataError> {
        match self.read_sound()? {
            (images, broken) if broken.is_empty() => Ok(images),
            (_, broken) => Err(Defect::Broken(broken).at(&self.path)),
        }
    }

    /// Reads all images that can be read, and says what is wrong with each of the others.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); [`Defect::Broken`] only if no image can be read.
    pub fn read_sound(&self) -> Result<(Images, Vec<DataError>), DataError> {
        let (names, files) = self.files()?;
        let [height, width, depth] = self.shape;
        let progress = Progress::new(self, files.len());
        let read: Vec<_> = files
            .par_iter()
            .map(|(_, file)| {
                let pixels = self.pixels(file);
                progress.one_more();
                pixels
            })
            .collect();
        drop(progress);

        let mut pixels = Vec::with_capacity(height * width * depth * files.len());
        let (mut labels, mut broken) = (Vec::with_capacity(files.len()), Vec::new());
        for ((label, _), read) in files.iter().zip(read) {
            match read {
                Ok(image) => {
                    pixels.extend(image);
                    labels.push(*label);
                }
                Err(error) => broken.push(error),
            }
        }
        if labels.is_empty() && !broken.is_empty() {
            return Err(Defect::Broken(broken).at(&self.path));
        }
        let images = Images::new(self.shape, names.len(), pixels, labels)
            .and_then(|images| images.named(names))
            .map_err(|error| error.at(&self.path))?;
        Ok((images.sized(self.sizing), broken))
    }

    /// Writes all images to a packed file, for [`Streamed::packed`] to read: a folder larger than memory
    /// becomes a set. Returns how many there are.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and if the file cannot be written; there is none then.
    pub fn pack(&self, path: impl AsRef<Path>) -> Result<usize, DataError> {
        match self.pack_some(path.as_ref(), false)? {
            (images, broken) if broken.is_empty() => Ok(images),
            (_, broken) => Err(Defect::Broken(broken).at(&self.path)),
        }
    }

    /// The same of all images that can be read, and what is wrong with each of the others.
    ///
    /// # Errors
    ///
    /// As [`read_sound`](Self::read_sound), and if the file cannot be written.
    pub fn pack_sound(&self, path: impl AsRef<Path>) -> Result<(usize, Vec<DataError>), DataError> {
        self.pack_some(path.as_ref(), true)
    }

    fn pack_some(&self, path: &Path, sound: bool) -> Result<(usize, Vec<DataError>), DataError> {
        let (names, files) = self.files()?;
        let progress = Progress::new(self, files.len());
        let mut packer = Packer::new(path, self.shape)?.sized(self.sizing);
        let mut broken = Vec::new();
        for files in files.chunks(FILES_AT_ONCE) {
            let read: Vec<_> = files
                .par_iter()
                .map(|(_, file)| {
                    let pixels = self.pixels(file);
                    progress.one_more();
                    pixels
                })
                .collect();
            for ((label, _), read) in files.iter().zip(read) {
                match read {
                    Ok(pixels) => packer.push(&pixels, *label)?,
                    Err(error) => broken.push(error),
                }
            }
        }
        drop(progress);
        if !broken.is_empty() && (!sound || broken.len() == files.len()) {
            packer.discard();
            return Err(Defect::Broken(broken).at(&self.path));
        }
        let images = packer.finish(names.len(), &names)?;
        Ok((images, broken))
    }

    /// A set whose images stay in their files, each of which is decoded whenever it is looked at:
    /// [`ahead`](Streamed::ahead) of that, if asked for. A broken file stops a training, and is named then.
    ///
    /// ```no_run
    /// # use convnet_core as convnet;
    /// use convnet::data::{Folder, Samples, Sizing};
    ///
    /// // Two threads decode, 256 images are ready at most.
    /// let photos = Folder::new("photos", [224, 224, 3]).sizing(Sizing::Crop).stream()?.ahead(2, 256);
    /// let training = photos.random_crops(0.5).random_flips();
    /// # Ok::<(), convnet::data::DataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), but for what is in the files.
    pub fn stream(&self) -> Result<Streamed, DataError> {
        let (names, files) = self.files()?;
        self.streamed(names, files)
    }

    /// The same of all images that can be read, and what is wrong with each of the others: each is decoded once, to
    /// know that, and none is kept.
    ///
    /// # Errors
    ///
    /// As [`read_sound`](Self::read_sound).
    pub fn stream_sound(&self) -> Result<(Streamed, Vec<DataError>), DataError> {
        let (names, mut files) = self.files()?;
        let progress = Progress::new(self, files.len());
        let look = |(_, file): &Labelled| {
            let error = self.pixels(file).err();
            progress.one_more();
            error
        };
        let mut errors: Vec<Option<DataError>> = files.par_iter().map(look).collect();
        drop(progress);
        let mut sound = errors.iter().map(Option::is_none);
        files.retain(|_| sound.next() == Some(true));
        let broken: Vec<DataError> = errors.drain(..).flatten().collect();
        if files.is_empty() && !broken.is_empty() {
            return Err(Defect::Broken(broken).at(&self.path));
        }
        Ok((self.streamed(names, files)?, broken))
    }

    fn streamed(&self, names: Vec<String>, files: Vec<Labelled>) -> Result<Streamed, DataError> {
        if files.is_empty() || self.shape.contains(&0) {
            return Err(Defect::Empty.at(&self.path));
        }
        Ok(Streamed::new(Files {
            folder: self.clone(),
            names,
            files,
        }))
    }

    fn pixels(&self, file: &Path) -> Result<Vec<u8>, DataError> {
        let bytes = fs::read(file).map_err(|error| Defect::Io(error).at(file))?;
        decode(&bytes, self.shape, self.sizing).map_err(|error| Defect::Picture(error).at(file))
    }

    /// The classes, and the files with their labels.
    fn files(&self) -> Result<(Vec<String>, Vec<Labelled>), DataError> {
        let depth = self.shape[2];
        if !(1..=4).contains(&depth) {
            return Err(Defect::Picture(PictureError::Depth { depth }).at(&self.path));
        }
        let names = self.names()?;
        let mut files = Vec::new();
        for (label, name) in names.iter().enumerate() {
            let (class, before) = (self.path.join(name), files.len());
            // A class that was asked for may have no folder.
            if self.classes.is_none() || class.is_dir() {
                list(&class, &mut |file| files.push((label, file)))?;
            }
            if self.classes.is_none() && files.len() == before {
                return Err(Defect::Empty.at(&class));
            }
        }
        Ok((names, files))
    }

    /// The classes, in their order.
    fn names(&self) -> Result<Vec<String>, DataError> {
        let mut there = Vec::new();
        for path in entries(&self.path)? {
            if path.is_dir() {
                there.push(name(&path));
            }
        }
        match &self.classes {
            None if there.is_empty() => Err(Defect::NoClass.at(&self.path)),
            None => Ok(there),
            Some(classes) => match there.iter().find(|name| !classes.contains(name)) {
                None => Ok(classes.clone()),
                Some(other) => Err(Defect::OtherClass {
                    expected: classes.clone(),
                }
                .at(&self.path.join(other))),
            },
        }
    }
}

/// A folder whose images stay in their files.
#[derive(Debug)]
struct Files {
    folder: Folder,
    names: Vec<String>,
    files: Vec<Labelled>,
}

impl Source for Files {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.folder.shape
    }

    fn classes(&self) -> usize {
        self.names.len()
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn sizing(&self) -> Sizing {
        self.folder.sizing
    }

    fn label(&self, index: usize) -> usize {
        self.files[index].0
    }

    fn pixels(&self, index: usize) -> Result<Vec<u8>, DataError> {
        self.folder.pixels(&self.files[index].1)
    }
}

/// A file with its label.
type Labelled = (usize, PathBuf);

/// Whose pixels are in memory before they are written.
const FILES_AT_ONCE: usize = 256;

/// Hands every file below `folder` to `found`, in the order of their paths.
fn list(folder: &Path, found: &mut impl FnMut(PathBuf)) -> Result<(), DataError> {
    for path in entries(folder)? {
        // Not through links, which may lead round in a circle: what such a one leads to is no image.
        if path.is_dir() && !path.is_symlink() {
            list(&path, found)?;
        } else {
            found(path);
        }
    }
    Ok(())
}

/// What is in `folder`, in the order of the names; without what systems leave there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let blame = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Defect::Missing {
            remedy: REMEDY,
            names: Vec::new(),
        }
        .at(folder),
        _ => Defect::Io(error).at(folder),
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(blame)? {
        let path = entry.map_err(blame)?.path();
        let name = name(&path);
        if !(name.starts_with('.') || ["Thumbs.db", "desktop.ini"].contains(&&*name)) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// How far reading is, on standard error.
struct Progress {
    bar: ProgressBar,
    silent: bool,
    lines: bool,
    title: String,
    files: usize,
    done: AtomicUsize,
    begun: Instant,
}

/// What is read sooner is not worth a word.
const SOON: Duration = Duration::from_secs(1);

impl Progress {
    fn new(folder: &Folder, files: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} images") {
            bar.set_style(style);
        }
        let title = format!("reading {}", folder.path.display());
        bar.set_prefix(title.clone());
        Self {
            bar,
            silent: folder.silent,
            lines: !stderr().is_terminal(),
            title,
            files,
            done: AtomicUsize::new(0),
            begun: Instant::now(),
        }
    }

    /// A file was read, on any thread.
    fn one_more(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.silent || self.begun.elapsed() < SOON {
            return;
        }
        if !self.lines {
            if self.bar.is_hidden() {
                self.bar.set_draw_target(ProgressDrawTarget::stderr());
            }
            self.bar.set_position(done as u64);
        } else if done * 10 / self.files > (done - 1) * 10 / self.files {
            eprintln!("{}: {done} of {} images", self.title, self.files);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
