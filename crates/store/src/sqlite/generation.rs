//! Whether the database is the one that the last process left, or an older copy of it. A random id stands in the
//! database and in `<path>.generation` beside it, and both are renewed together: a copy that is put back holds an
//! earlier one.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{notes, open};
use crate::{Error, Result};

const NAME: &str = "generation";

pub fn file_beside(path: &Path) -> PathBuf {
    open::beside(path, ".generation")
}

/// Says whether the database is another one than was left here. One that never had a generation is not.
pub fn is_another(db: &Connection, file: &Path) -> Result<bool> {
    let own = notes::meta(db, NAME)?;
    let beside = match fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(unusable(file, &error)),
    };
    Ok(match (own, beside) {
        (None, None) => false,
        (Some(own), Some(beside)) => !beside.lines().any(|line| line.trim() == own),
        // Its file was left behind, or it is from before it had one.
        (Some(_), None) | (None, Some(_)) => true,
    })
}

/// Before the database gets its new id the file names both, so that a crash in between is no mismatch.
pub fn announce(db: &Connection, file: &Path, next: &str) -> Result<()> {
    let own = notes::meta(db, NAME)?.unwrap_or_default();
    write(file, &format!("{own}\n{next}\n")).map_err(|e| unusable(file, &e))
}

pub fn set(db: &Connection, next: &str) -> Result<()> {
    notes::set_meta(db, NAME, next)
}

/// What the database held before is a copy from now on.
pub fn forget_the_last(file: &Path, next: &str) -> Result<()> {
    write(file, &format!("{next}\n")).map_err(|e| unusable(file, &e))
}

/// Whole or not at all.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let draft = open::beside(file, ".new");
    let mut new = open::private()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&draft)?;
    new.write_all(text.as_bytes())?;
    new.sync_all()?;
    fs::rename(&draft, file)
}

fn unusable(file: &Path, error: &std::io::Error) -> Error {
    let file = file.display();
    Error::Unusable(format!(
        "{file} cannot be used ({error}); let this user read and write it, and check that the disk is not full"
    ))
}
