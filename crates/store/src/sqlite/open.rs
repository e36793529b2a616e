//! Opening a database file: every way in which it can be the wrong file, on the wrong disk or under the
//! wrong key ends in a sentence that says what to do.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::inline::{Hand, Inline};
use super::readers::Readers;
use super::writer::Writer;
use super::{schema, secrets};
use crate::sealed::{self, Keys};
use crate::vault::Vault;
use crate::{Error, Result};

const READERS: usize = 2;
/// Another process (the command line) may be writing; a webhook must not wait longer for it.
const BUSY: Duration = Duration::from_secs(1);
/// Another process may be making or migrating the same file.
const BUSY_OPENING: Duration = Duration::from_secs(15);
const BUSY_PAUSE: Duration = Duration::from_millis(10);
const STATEMENTS_KEPT: usize = 128;
const HEADER: &[u8; 16] = b"SQLite format 3\0";

const SETTINGS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -8000;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA journal_size_limit = 67108864;";

pub struct Opened {
    pub writer: Hand,
    pub readers: Readers,
    pub glances: Readers,
    pub vault: Vault,
}

/// `sqlite://path`, `sqlite:path` or a plain path.
pub fn path_of(url: &str) -> Result<PathBuf> {
    let path = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"))
        .unwrap_or(url);
    let path = path.split('?').next().unwrap_or_default();
    if path.contains("://") || path.is_empty() || path == ":memory:" {
        // The address may hold a password: only its kind is told.
        let kind = url
            .split("://")
            .next()
            .filter(|_| url.contains("://"))
            .unwrap_or("this");
        return Err(Error::Unusable(format!(
            "a database address of the kind `{kind}` cannot be used; give a file, such as sqlite:///var/lib/calup/calup.db, or \
             a server, postgres://…"
        )));
    }
    Ok(PathBuf::from(path))
}

/// `<path><suffix>`, beside the database.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub fn open(path: &Path, master_keys: Option<&str>) -> Result<Opened> {
    open_by(path, master_keys, READERS, |db| {
        Writer::start(db, connect(path)?).map(Hand::Thread)
    })
}

pub fn inline(path: &Path, master_keys: Option<&str>) -> Result<Opened> {
    open_by(path, master_keys, 1, |db| Inline::on(db).map(Hand::Inline))
}

fn open_by(
    path: &Path,
    master_keys: Option<&str>,
    readers: usize,
    writer: impl FnOnce(Connection) -> Result<Hand>,
) -> Result<Opened> {
    let file = path.display().to_string();
    check_file(path, &file)?;
    let opened = || -> Result<Opened> {
        let db = connect(path)?;
        db.busy_timeout(BUSY_OPENING)?;
        if db.is_readonly("main")? {
            return Err(Error::Unwritable("it is read-only".into()));
        }
        if write_ahead(&db)? != "wal" {
            return Err(Error::Unwritable(
                "its disk does not allow a write-ahead log".into(),
            ));
        }
        schema::migrate(&db, &file)?;
        let (keys, origin) = keys(&db, path, master_keys)?;
        let vault = secrets::unlock(&db, keys, &file, &origin)?;
        db.busy_timeout(BUSY)?;
        let readers = (0..readers).map(|_| reader(path)).collect::<Result<_>>()?;
        Ok(Opened {
            writer: writer(db)?,
            readers: Readers::new(readers),
            glances: Readers::new(vec![reader(path)?]),
            vault,
        })
    };
    opened().map_err(|error| match error {
        Error::Unwritable(why) => Error::Unusable(format!(
            "{file} cannot be written ({why}); check that its disk is neither full nor read-only, that this \
             user may write there, and that no other program holds it"
        )),
        Error::Other(why) => Error::Unusable(format!(
            "{file} cannot be used ({why}); restore a backup, or name another file"
        )),
        error @ (Error::Unusable(_) | Error::Superseded) => error,
    })
}

fn check_file(path: &Path, file: &str) -> Result<()> {
    let unusable = |said: String| Err(Error::Unusable(said));
    if let Some(folder) = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty() && !p.is_dir())
    {
        let folder = folder.display();
        return unusable(format!(
            "{file} cannot be opened: there is no folder {folder}; make it, or name another file"
        ));
    }
    if path.is_dir() {
        return unusable(format!(
            "{file} is a folder; name a file in it, such as {file}/calup.db"
        ));
    }
    let mut header = Vec::new();
    match fs::File::open(path) {
        Ok(open) => {
            if let Err(error) = open.take(HEADER.len() as u64).read_to_end(&mut header) {
                return unusable(format!("{file} cannot be read ({error}); check its disk"));
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Err(error) = private().write(true).create_new(true).open(path)
                && error.kind() != ErrorKind::AlreadyExists
            {
                return unusable(format!(
                    "{file} cannot be made ({error}); let this user write there, or name another file"
                ));
            }
        }
        Err(error) => {
            return unusable(format!(
                "{file} cannot be read ({error}); let this user read and write it"
            ));
        }
    }
    if !header.is_empty() && header != HEADER {
        return unusable(format!(
            "{file} is not a calup database but some other file; name another one, calup makes it"
        ));
    }
    Ok(())
}

fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    // A statement is planned once, not anew for other values (a partial index makes SQLite think about that).
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    db.execute_batch(SETTINGS)?;
    Ok(db)
}

/// The journal mode after asking for a write-ahead log. Where two ask at once, SQLite tells one of them "busy" at once,
/// lest they wait for each other, whatever timeout is set.
fn write_ahead(db: &Connection) -> rusqlite::Result<String> {
    let asked = Instant::now();
    loop {
        match db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && asked.elapsed() < BUSY_OPENING =>
            {
                std::thread::sleep(BUSY_PAUSE);
            }
            mode => return mode,
        }
    }
}

/// Not opened read-only: the last connection to close copies the log into the file.
fn reader(path: &Path) -> Result<Connection> {
    let db = connect(path)?;
    db.execute_batch("PRAGMA cache_size = -1000; PRAGMA query_only = ON;")?;
    Ok(db)
}

/// The keys given, else those of the file beside the database, which is made for a new one.
fn keys(db: &Connection, path: &Path, given: Option<&str>) -> Result<(Keys, String)> {
    if let Some(given) = given.filter(|keys| !keys.trim().is_empty()) {
        let origin = "CALUP_MASTER_KEY";
        return Ok((Keys::parse(given, origin)?, origin.to_owned()));
    }
    let key_file = beside(path, ".key");
    let origin = key_file.display().to_string();
    if !key_file.exists() {
        // Another process may have made both meanwhile, the key first.
        if secrets::is_sealed(db)? && !key_file.exists() {
            let file = path.display();
            return Err(Error::Unusable(format!(
                "{file} is sealed, but its key is not here: bring {origin} back, or set CALUP_MASTER_KEY"
            )));
        }
        make_key_file(&key_file).map_err(|e| {
            Error::Unusable(format!(
                "{origin} cannot be made ({e}); set CALUP_MASTER_KEY instead"
            ))
        })?;
    }
    let text = fs::read_to_string(&key_file).map_err(|e| {
        Error::Unusable(format!(
            "{origin} cannot be read ({e}); let this user read it"
        ))
    })?;
    Ok((Keys::parse(&text, &origin)?, origin))
}

/// Whole or not at all, and never over one that another process has just made.
fn make_key_file(path: &Path) -> std::io::Result<()> {
    let draft = beside(path, &format!(".{}", crate::new_id()));
    let mut file = private().write(true).create_new(true).open(&draft)?;
    let linked = writeln!(file, "{}", sealed::generate())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        Err(_) | Ok(()) => {}
    }
    // The name must survive a power cut as surely as what will be sealed with the key.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// For this user only, where the system knows such a thing.
pub fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
