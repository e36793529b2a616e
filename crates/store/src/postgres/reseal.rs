//! Going through what is sealed, for a new master key.

use std::sync::LazyLock;

use super::cells::cell;
use super::connection::{Db, Param};
use crate::Result;
use crate::reseal::{Column, Row, columns, here};
use crate::rows::{Place, Resealed};
use crate::statements::statements;
use crate::vault::{CHECK, Vault};

statements! {
    FORGET = "DELETE FROM secret WHERE starts_with(name, $1) AND name <> $2";
}

struct Sql {
    next: String,
    set: String,
}

/// In the order of the columns.
static SQL: LazyLock<Vec<Sql>> = LazyLock::new(|| columns().into_iter().map(sql).collect());

fn sql(Column { table, name, row }: Column) -> Sql {
    let columns = row.join(", ");
    let marks: Vec<String> = (1..=row.len()).map(|at| format!("${at}")).collect();
    let each = row.iter().zip(&marks);
    let is_it: Vec<String> = each.map(|(it, mark)| format!("{it} = {mark}")).collect();
    let (marks, is_it) = (marks.join(", "), is_it.join(" AND "));
    let (sealed, before) = (row.len() + 1, row.len() + 2);
    Sql {
        next: format!(
            "SELECT {columns}, {name} AS sealed_value FROM {table}
             WHERE {name} IS NOT NULL AND ({columns}) > ({marks}) ORDER BY {columns} LIMIT ${sealed}"
        ),
        // Only what is still as it was read.
        set: format!(
            "UPDATE {table} SET {name} = ${sealed} WHERE {is_it} AND {name} = ${before}"
        ),
    }
}

pub async fn some(db: &Db, vault: &Vault, from: Option<Place>, limit: usize) -> Result<Resealed> {
    let Some(here) = here(from) else {
        return Ok(Resealed::default());
    };
    let (column, sql) = (here.column, &SQL[here.at]);
    let most = limit as i64;
    let mut asked: Vec<Param<'_>> = Vec::new();
    asked.extend(here.after.iter().map(|text| text as Param<'_>));
    asked.push(&most);
    let mut rows = Vec::new();
    for row in db.all(&sql.next, &asked).await? {
        let texts = column.row.iter().map(|name| cell(&row, name));
        rows.push(Row {
            row: texts.collect::<Result<_>>()?,
            sealed: cell(&row, "sealed_value")?,
        });
    }
    let (anew, resealed) = here.anew(vault, rows, limit)?;
    for one in &anew {
        let mut values: Vec<Param<'_>> = Vec::new();
        values.extend(one.row.iter().map(|text| text as Param<'_>));
        values.extend([&one.sealed as Param<'_>, &one.before]);
        db.execute(&sql.set, &values).await?;
    }
    Ok(resealed)
}

pub async fn forget_older_keys(db: &Db, vault: &Vault) -> Result<()> {
    db.execute(FORGET, &[&CHECK, &vault.check()]).await?;
    Ok(())
}
