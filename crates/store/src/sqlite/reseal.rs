//! Going through what is sealed, for a new master key.

use rusqlite::types::ToSql;
use rusqlite::{Connection, params_from_iter};

use super::cells::all;
use crate::Result;
use crate::reseal::{Column, Row, here};
use crate::rows::{Place, Resealed};
use crate::statements::statements;
use crate::vault::{CHECK, Vault};

statements! {
    FORGET = "DELETE FROM secret WHERE substr(name, 1, length(?1)) = ?1 AND name <> ?2";
}

pub fn some(db: &Connection, vault: &Vault, from: Option<Place>, limit: usize) -> Result<Resealed> {
    let Some(here) = here(from) else {
        return Ok(Resealed::default());
    };
    let column = here.column;
    let asked = params_from_iter(&here.after);
    let rows = all(
        &mut db.prepare_cached(&next(column, limit))?,
        asked,
        |row| {
            let texts = (0..column.row.len()).map(|at| row.get(at));
            Ok(Row {
                row: texts.collect::<rusqlite::Result<_>>()?,
                sealed: row.get(column.row.len())?,
            })
        },
    )?;
    let (anew, resealed) = here.anew(vault, rows, limit)?;
    let mut set = db.prepare_cached(&set(column))?;
    for one in &anew {
        let row = one.row.iter().map(|text| text as &dyn ToSql);
        let values = row.chain([&one.sealed as &dyn ToSql, &one.before]);
        set.execute(params_from_iter(values))?;
    }
    Ok(resealed)
}

fn next(column: Column, limit: usize) -> String {
    let Column { table, name, row } = column;
    let from = match table {
        "delivery_body" => {
            "(SELECT d.id, b.headers, b.body FROM delivery d JOIN delivery_body b ON b.n = d.body_row)"
        }
        "change_body" => "(SELECT c.id, b.body FROM change c JOIN change_body b ON b.n = c.n)",
        _ => table,
    };
    let (columns, marks) = (row.join(", "), marks(row.len(), ", "));
    format!(
        "SELECT {columns}, {name} FROM {from} WHERE {name} IS NOT NULL AND ({columns}) > ({marks})
         ORDER BY {columns} LIMIT {limit}"
    )
}

/// Only what is still as it was read.
fn set(column: Column) -> String {
    let Column { table, name, row } = column;
    let is_it = match table {
        "delivery_body" => "n = (SELECT body_row FROM delivery WHERE id = ?1)".to_owned(),
        "change_body" => "n = (SELECT n FROM change WHERE id = ?1)".to_owned(),
        _ => {
            let each = row.iter().enumerate();
            let each: Vec<String> = each.map(|(at, it)| format!("{it} = ?{}", at + 1)).collect();
            each.join(" AND ")
        }
    };
    let (sealed, before) = (row.len() + 1, row.len() + 2);
    format!("UPDATE {table} SET {name} = ?{sealed} WHERE {is_it} AND {name} = ?{before}")
}

fn marks(count: usize, between: &str) -> String {
    let all: Vec<String> = (1..=count).map(|at| format!("?{at}")).collect();
    all.join(between)
}

pub fn forget_older_keys(db: &Connection, vault: &Vault) -> Result<()> {
    let newest = vault.check();
    db.prepare_cached(FORGET)?
        .execute([CHECK, newest.as_str()])?;
    Ok(())
}
