//! Files that are there whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Links that lead to links lead nowhere, from so many on.
const MOST_LINKS: usize = 40;

/// Writes `path` so that whoever looks, even after a crash at any moment, finds the old file or
/// the new one: written beside it, brought to the disk, then renamed.
///
/// The name beside is always the same, so that nothing piles up when a process is killed again and
/// again; two processes must not write the same `path` at once. A symbolic link stays: what it leads to
/// is replaced. What is no plain file, a folder or a device, is left alone.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let path = &target(path)?;
    let aside = aside(path);
    let done = create(&aside, write).and_then(|()| fs::rename(&aside, path));
    if done.is_err() {
        // What failed first is the news.
        let _ = fs::remove_file(&aside);
    }
    done?;
    sync_folder(path)
}

/// Whether [`replace`] could write `path` now, but for the room that is left.
#[cfg(feature = "train")]
pub(crate) fn probe(path: &Path) -> io::Result<()> {
    let aside = aside(&target(path)?);
    File::create(&aside)?;
    fs::remove_file(&aside)
}

/// The plain file that `path` leads to, which need not be there yet.
fn target(path: &Path) -> io::Result<PathBuf> {
    let refuse = |what| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let found = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match path.file_name() {
                    Some(_) => Ok(path),
                    None => refuse("this is the name of no file"),
                };
            }
            found => found?.file_type(),
        };
        if found.is_file() {
            return Ok(path);
        } else if found.is_dir() {
            return refuse("this is a folder, and no plain file");
        } else if !found.is_symlink() {
            return refuse("this is a device or a pipe, and no plain file");
        }
        // A link is read from the folder in which it lies.
        let to = fs::read_link(&path)?;
        path.pop();
        path.push(to);
    }
    refuse("this is a link that leads round and round")
}

fn create(
    aside: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(aside)?);
    write(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()
}

fn aside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".tmp");
    name.into()
}

/// The new name itself is in the folder, which Unix brings to the disk when asked.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder() -> PathBuf {
        let folder =
            std::env::temp_dir().join(std::format!("convnet-replace-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn links_stay_and_what_is_no_file_is_left_alone() {
        let folder = folder();
        let put =
            |name: &str, bytes: &[u8]| replace(&folder.join(name), |out| out.write_all(bytes));
        fs::create_dir(folder.join("there")).unwrap();
        symlink("there/file", folder.join("link")).unwrap();
        symlink("link", folder.join("second")).unwrap();
        for (name, bytes) in [("link", b"1"), ("second", b"2"), ("there/file", b"3")] {
            put(name, bytes).unwrap();
            assert_eq!(fs::read(folder.join("there/file")).unwrap(), bytes);
            for link in ["link", "second"] {
                assert!(
                    fs::symlink_metadata(folder.join(link))
                        .unwrap()
                        .is_symlink()
                );
            }
        }
        symlink("round", folder.join("round")).unwrap();
        symlink("/dev/full", folder.join("device")).unwrap();
        for (name, words) in [
            ("there", "folder"),
            ("round", "round"),
            ("device", "device"),
        ] {
            let error = put(name, b"4").unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(replace(Path::new(""), |_| Ok(())).is_err());
        assert!(replace(Path::new("/"), |_| Ok(())).is_err());
        let names = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        assert_eq!(names.count(), 5, "nothing is left beside");
        fs::remove_dir_all(folder).unwrap();
    }
}
