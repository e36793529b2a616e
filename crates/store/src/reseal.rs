//! Everything that is sealed, column by column, and what becomes of a row's value under a new master key. How rows are read
//! and written is the backend's concern.

use crate::rows::{Place, Resealed, SECRETS};
use crate::vault::Vault;
use crate::{Error, Result};

/// A sealed column, and what tells its rows, in the order of an index: all of it text.
#[derive(Clone, Copy)]
pub struct Column {
    pub table: &'static str,
    pub name: &'static str,
    pub row: &'static [&'static str],
}

const fn column(table: &'static str, name: &'static str, row: &'static [&'static str]) -> Column {
    Column { table, name, row }
}

const COLUMNS: [Column; 15] = [
    column("secret", "sealed", &["name"]),
    column("delivery_body", "headers", &["id"]),
    column("delivery_body", "body", &["id"]),
    column("change_body", "body", &["id"]),
    column("change", "why", &["id"]),
    column("effect", "desired", &["profile", "change_key", "key"]),
    column("effect", "pre_image", &["profile", "change_key", "key"]),
    column("link", "body", &["profile", "token"]),
    column("register", "block_comment_text", &["profile", "lead"]),
    column("indexed_lead", "body", &["profile", "lead"]),
    column("question", "body", &["id"]),
    column("question", "given", &["id"]),
    column("alias", "body", &["profile", "email"]),
    column("hook", "body", &["profile", "id"]),
    column("paper", "body", &["profile", "kind", "id"]),
];

pub fn columns() -> Vec<Column> {
    let secrets = SECRETS.map(|name| column("profiles", name, &["name"]));
    COLUMNS.into_iter().chain(secrets).collect()
}

/// From where the next rows are to be looked at.
pub struct Here {
    pub at: usize,
    pub column: Column,
    /// Texts that come before the first row's.
    pub after: Vec<String>,
}

/// `None`: there is nothing more.
pub fn here(from: Option<Place>) -> Option<Here> {
    let Place { column: at, row } = from.unwrap_or(Place {
        column: 0,
        row: Vec::new(),
    });
    let column = *columns().get(at)?;
    let after = if row.is_empty() {
        vec![String::new(); column.row.len()]
    } else {
        row
    };
    Some(Here { at, column, after })
}

pub struct Row {
    pub row: Vec<String>,
    pub sealed: Vec<u8>,
}

/// What an older key had sealed, opened and sealed with the newest one.
pub struct Anew {
    pub row: Vec<String>,
    pub before: Vec<u8>,
    pub sealed: Vec<u8>,
}

impl Here {
    /// Of the rows that were found, `limit` at most.
    pub fn anew(
        &self,
        vault: &Vault,
        rows: Vec<Row>,
        limit: usize,
    ) -> Result<(Vec<Anew>, Resealed)> {
        let last = rows.last().filter(|_| rows.len() == limit);
        let next = match last {
            Some(last) => Some(Place {
                column: self.at,
                row: last.row.clone(),
            }),
            None => Some(Place {
                column: self.at + 1,
                row: Vec::new(),
            }),
        };
        let mut resealed = Resealed {
            next: next.filter(|place| place.column < columns().len()),
            ..Resealed::default()
        };
        let mut all = Vec::new();
        for Row { row, sealed } in rows {
            if vault.is_newest(&sealed) {
                continue;
            }
            let Column { table, name, .. } = self.column;
            let place = place(table, &row);
            match vault.open(table, name, &place, &sealed) {
                Ok(plain) => {
                    resealed.count += 1;
                    all.push(Anew {
                        sealed: vault.seal(table, name, &place, &plain),
                        before: sealed,
                        row,
                    });
                }
                Err(Error::Other(why)) => {
                    tracing::warn!(%why, "a sealed value stays as it is");
                    resealed.unopened += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok((all, resealed))
    }
}

/// To which a value is sealed.
fn place(table: &str, row: &[String]) -> String {
    match (table, row) {
        ("effect", [profile, _, key]) => format!("{profile}/{key}"),
        _ => row.join("/"),
    }
}
