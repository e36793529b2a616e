//! What a new lead's text says when it may be somebody's second one.

use super::Text;
use crate::question::{Asking, Candidate};
use crate::text::{self, NAME_CHARS_MAX};

pub fn unsure(asking: &Asking) -> Option<Text> {
    let mut out = Text::default();
    match asking {
        Asking::Unanswered(candidates) => {
            out.heading(
                "Perhaps a second lead",
                "nobody said in time whose this booker's is",
            );
            for candidate in candidates {
                resembling(&mut out, candidate);
            }
        }
        Asking::NotCompared => out.heading(
            "Perhaps a second lead",
            "names could not be compared in time, because the leads were not all read yet",
        ),
        Asking::Forwarded(candidate) => {
            out.heading(
                "Booked through a link",
                "that was made for somebody else and passed on",
            );
            resembling(&mut out, candidate);
        }
        Asking::Settled | Asking::Ask(_) | Asking::Open | Asking::CalledOff | Asking::NotALead => {
            return None;
        }
    }
    Some(out)
}

fn resembling(out: &mut Text, candidate: &Candidate) {
    let name = text::one_line(&candidate.name, NAME_CHARS_MAX);
    let label = format!(
        "{name} ({})",
        text::one_line(&candidate.list, NAME_CHARS_MAX)
    );
    match &candidate.url {
        Some(url) => out.link(&label, url),
        None => out.item(&label, candidate.why.clone()),
    }
}
