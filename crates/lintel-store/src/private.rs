//! Files that only the owner may read: the store holds attribution and key hashes.
//!
//! Invariant: every file of the store is made through this module, mode 0600, in a directory of mode 0700.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes `dir` and its parents; a directory that exists is closed to others.
pub(crate) fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    std::fs::set_permissions(dir, Permissions::from_mode(0o700))
}

/// Options that create a file of mode 0600, for reading and writing.
pub(crate) fn file_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    options
}

/// Opens or creates `path` and closes it to others, also when it was there before.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let file = file_options().open(path).map_err(in_words)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Says of a directory in a file's place what to do about it.
pub(crate) fn in_words(error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::IsADirectory {
        return error;
    }
    let why = "a directory is in its place: move it away and start again";
    io::Error::new(io::ErrorKind::IsADirectory, why)
}
