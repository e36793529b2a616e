//! Where the block goes: into the description, or into a comment while the description is better left alone.

use super::{Plan, plain};
use crate::chain::{self, Fold};
use crate::change::{Change, Kind};
use crate::facts::Memory;
use crate::fence::{self, Fenced};
use crate::lead::{Lead, RichText};
use crate::note::Note;
use crate::text::essence;
use crate::wording;

pub fn changes_block(change: &Change, fold: &Fold) -> bool {
    match change.kind {
        Kind::Booked | Kind::Cancelled => true,
        Kind::Requested | Kind::Rejected => {
            fold.slot_of(change).is_some_and(chain::Slot::is_meeting)
        }
        Kind::Note => change.note.as_ref().is_some_and(Note::is_shown),
    }
}

pub enum Block {
    Stays,
    Into(String),
    Comment(RichText),
}

pub fn block(lead: &Lead, memory: &Memory, fold: &Fold, plan: &mut Plan) -> Block {
    let Some(text) = wording::block(fold) else {
        return Block::Stays;
    };
    let desired = text.markdown();
    let outside = match fence::find(&lead.description) {
        Fenced::Absent if memory.block_removed || memory.block_written => {
            plan.reasons
                .push("a person took the block out of the description: it stays out".into());
            plan.block_removed = true;
            return Block::Stays;
        }
        Fenced::Absent => Some(lead.description.clone()),
        Fenced::Present { block, .. } if essence(block) == essence(&desired) => {
            return Block::Stays;
        }
        Fenced::Present { before, after, .. } => Some(format!("{before}\n{after}")),
        Fenced::Broken => None,
    };
    let hint = if outside.is_some() {
        "nothing needs to be done; remove what is in the way to get the block back into the description"
    } else {
        "nothing needs to be done; mend the fence lines to get the block back into the description, or remove them all to \
         have it gone for good"
    };
    let why = match outside {
        None => "one of calup's two fence lines is missing or doubled",
        Some(_) if lead.description_is_plain => {
            "only its plain text could be read, without links and formatting"
        }
        Some(text) if !fence::survives(&text) => {
            "it holds something that may not survive being written back (a table, a mention, an embed …)"
        }
        Some(_) => match fence::replace(&lead.description, &desired) {
            Some(description) => return Block::Into(description),
            None => "the block would not fit",
        },
    };
    plan.reasons.push(format!(
        "the description is left alone: {why}; the block lives in a comment"
    ));
    plan.notices.push((
        format!("block-in-comment:{}", lead.id),
        format!("the description of lead {} is left alone: {why}; its meetings are kept in one comment instead", lead.id),
        hint.into(),
    ));
    let rich = text.rich(None);
    if memory.block_comment_text.as_deref() == Some(plain(&rich).as_str()) {
        return Block::Stays;
    }
    Block::Comment(rich)
}
