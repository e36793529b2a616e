//! Whether what we rely on is whole: Postgres checks its own pages, and tells of indexes that it could not finish.

use super::cells::cell;
use super::connection::Db;
use crate::Result;
use crate::statements::statements;

statements! {
    BROKEN_INDEXES = "SELECT c.relname::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace LIMIT 5";
}

pub async fn damage(db: &Db) -> Result<Vec<String>> {
    let rows = db.all(BROKEN_INDEXES, &[]).await?;
    rows.iter()
        .map(|row| {
            let name: &str = cell(row, "name")?;
            Ok(format!("the index {name} is not valid; REINDEX it"))
        })
        .collect()
}
