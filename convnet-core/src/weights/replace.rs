//! Files that are there whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes `path` so that whoever looks, even after a crash at any moment, finds the old file or
/// the new one: written beside it, brought to the disk, then renamed.
///
/// The name beside is always the same, so that nothing piles up when a process is killed again and
/// again; two processes must not write the same `path` at once.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let aside = aside(path);
    let done = create(&aside, write).and_then(|()| fs::rename(&aside, path));
    if done.is_err() {
        // What failed first is the news.
        let _ = fs::remove_file(&aside);
    }
    done?;
    sync_folder(path)
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
