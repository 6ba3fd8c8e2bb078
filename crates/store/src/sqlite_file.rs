//! The file of a SQLite database: made whole or not at all, held by one server, and refused when it is no database of ours.
//!
//! A server holds the file itself, by a lock on what lies behind its name, so that no other name and no deleted side file lets a second
//! one in. The lock (`flock`) has nothing to do with SQLite's own, except for this: when a process closes any handle to a file, the system
//! drops all of SQLite's locks on it. So the handle is closed after SQLite's connections, and a handle that was refused stays open until
//! the process ends.

use std::fs::{File, TryLockError};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{OpenError, StoreError};

/// `kaic`: stands in the header of every file that we make.
const APPLICATION: i64 = 0x6b61_6963;

/// Files begun by this process, so that each has a name of its own.
static DRAFTS: AtomicU32 = AtomicU32::new(0);

/// Symbolic links that are followed to a file that is not there yet.
const LINKS: usize = 16;

/// Makes an empty database where there is no file. A file without content is refused: we never leave one behind, so somebody lost what was
/// in it.
pub(crate) fn make(path: &Path) -> Result<(), OpenError> {
    match std::fs::metadata(path) {
        Ok(found) if found.len() == 0 => Err(OpenError::Empty(path.display().to_string())),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => make_at(&behind_links(path)),
        Err(error) => Err(failed(path, &error)),
    }
}

/// Writes the database under another name first, so that whoever is interrupted leaves no half of it under its own.
fn make_at(path: &Path) -> Result<(), OpenError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(path, &error))?;
    let mut draft = path.as_os_str().to_owned();
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    draft.push(format!(".new-{}-{number}", std::process::id()));
    let draft = PathBuf::from(draft);
    let made = write_empty(&draft).and_then(|()| {
        // Unlike a renaming, a second name never takes the place of a file that somebody else has just made.
        match std::fs::hard_link(&draft, path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            // A file system without second names.
            Err(_) => std::fs::rename(&draft, path),
        }
    });
    // It is gone already if it was renamed, and does no harm if it stays.
    let _ = std::fs::remove_file(&draft);
    made.and_then(|()| File::open(folder)?.sync_all()).map_err(|error| failed(path, &error))
}

fn write_empty(draft: &Path) -> Result<(), Error> {
    File::options().write(true).create_new(true).mode(0o600).open(draft)?;
    let connection =
        Connection::open_with_flags(draft, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(Error::other)?;
    connection.pragma_update(None, "application_id", APPLICATION).map_err(Error::other)
}

/// Where a file is to be made that a chain of symbolic links names.
fn behind_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = std::fs::read_link(&path) else { break };
        path = path.parent().map(|folder| folder.join(&target)).unwrap_or(target);
    }
    path
}

/// Holds the file as long as the handle lives; the system lets go of it however the process ends.
pub(crate) fn hold(path: &Path) -> Result<File, OpenError> {
    let file = File::options().read(true).write(true).open(path).map_err(|error| failed(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(refused) => {
            std::mem::forget(file);
            Err(match refused {
                TryLockError::WouldBlock => OpenError::InUse(path.display().to_string()),
                TryLockError::Error(error) => failed(path, &error),
            })
        }
    }
}

/// Looks whether the file is a database, and one of ours: we made it, or it has the table that only ours have.
pub(crate) fn recognize(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let number = |sql: &str| connection.query_row(sql, (), |row| row.get::<_, i64>(0));
    let found = number("PRAGMA application_id").and_then(|application| {
        let tables = number("SELECT count(*) FROM sqlite_schema WHERE name = 'migrations'")?;
        Ok(application == APPLICATION || tables > 0)
    });
    match found {
        Ok(true) => Ok(()),
        Ok(false) => Err(OpenError::Foreign(path.display().to_string())),
        Err(error) => Err(refused(path, error)),
    }
}

/// Why SQLite did not open a file.
pub(crate) fn refused(path: &Path, error: rusqlite::Error) -> OpenError {
    let path = path.display().to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            OpenError::Damaged { path, why: error.to_string() }
        }
        _ => OpenError::File { path, why: StoreError::from(error).to_string() },
    }
}

fn failed(path: &Path, error: &Error) -> OpenError {
    OpenError::File { path: path.display().to_string(), why: error.to_string() }
}
