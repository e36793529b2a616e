//! A block goes into any description and out again, and what people wrote around it stays byte for byte.
//!
//! Input: a description, U+001E, and the fields of a booking ([`crate::wording`]).

use domain::chain;
use domain::fence::{self, DESCRIPTION_BYTES_MAX, Fenced};
use domain::text::essence;
use sim::clickup::{Rerender, rerender};

use crate::wording;

const OTHER: &str = "**Next meeting:** Another one";

pub fn holds(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (description, fields) = text.split_once('\u{1e}').unwrap_or((&text, ""));
    let block = block(fields);
    is_replaced(description, &block);
    for how in [Rerender::default(), Rerender::nastiest()] {
        survives(&rerender(description, &how), &block, &how);
    }
}

fn block(fields: &str) -> String {
    let changes = wording::changes(fields);
    changes
        .first()
        .and_then(|change| {
            let fold = chain::fold_of([change], change);
            domain::wording::block(&fold).map(|text| text.markdown())
        })
        .unwrap_or_else(|| "**Meeting held:** Intro call".to_owned())
}

fn is_replaced(description: &str, block: &str) {
    let found = fence::find(description);
    let (before, after) = match found {
        // Nobody writes into these.
        Fenced::Broken => return,
        Fenced::Absent if description.trim().is_empty() => ("", ""),
        Fenced::Absent => ("", description),
        Fenced::Present {
            before,
            block,
            after,
        } => {
            assert!(description.len() >= before.len() + block.len() + after.len());
            assert!(description.starts_with(before) && description.ends_with(after));
            assert!(description[before.len()..].contains(block));
            (before, after)
        }
    };
    let Some(written) = fence::replace(description, block) else {
        assert!(description.len() + fence::enclose(block).len() + 2 > DESCRIPTION_BYTES_MAX);
        return;
    };
    assert!(written.len() <= DESCRIPTION_BYTES_MAX);
    assert!(written.starts_with(before) && written.ends_with(after));
    let ours = &written[before.len()..written.len() - after.len()];
    assert_eq!(ours.trim(), fence::enclose(block));
    match fence::find(&written) {
        Fenced::Present { block: found, .. } => assert_eq!(found.trim(), block.trim()),
        Fenced::Absent | Fenced::Broken => panic!("no block in {written}"),
    }
    assert_eq!(fence::replace(&written, block).as_ref(), Some(&written));
    if let Some(other) = fence::replace(&written, OTHER) {
        assert_eq!(fence::replace(&other, block), Some(written));
    }
}

/// As the editor prints it, written into and printed again: block and surroundings say what they said.
fn survives(description: &str, block: &str, how: &Rerender) {
    let outside = match fence::find(description) {
        Fenced::Broken => return,
        Fenced::Absent => description.to_owned(),
        Fenced::Present { before, after, .. } => format!("{before}\n{after}"),
    };
    if !fence::survives(&outside) {
        return;
    }
    let Some(written) = fence::replace(description, block) else {
        return;
    };
    let shown = rerender(&written, how);
    wording::holds_block(&shown, block);
    if let Fenced::Present { before, after, .. } = fence::find(&shown) {
        assert_eq!(
            essence(&format!("{before}\n{after}")),
            essence(&outside),
            "around the block in {shown}"
        );
    }
}
