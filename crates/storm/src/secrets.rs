//! I16: what must not stand in the clear in the database's files.

use std::path::Path;

use crate::story::SECRET;
use crate::world::World;
use crate::{mortal, set};

/// In every delivery's body, and nowhere else.
const OF_A_BODY: &str = "triggerEvent";

pub fn check(world: &World, database: &Path) {
    let canaries = [SECRET, set::TOKEN, mortal::MASTER_KEY, OF_A_BODY];
    for suffix in ["", "-wal"] {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        // Without a log there is nothing in it.
        let held = std::fs::read(name).unwrap_or_default();
        for canary in canaries {
            if holds(&held, canary.as_bytes()) {
                world.violated(
                    "I16",
                    format!("`{canary}` stands in the database in the clear"),
                );
            }
        }
    }
}

fn holds(text: &[u8], wanted: &[u8]) -> bool {
    let first = wanted[0];
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        rest = &rest[at..];
        if rest.starts_with(wanted) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}
