//! What a reading does to what is known of its booking: which of its changes are new, which say again what came
//! before, and which teach something. Nothing is read or written here.

use domain::change::{Change, Kind, for_seats, is_known};

/// A change that came before, of the same booking.
pub struct Known {
    pub id: String,
    pub delivery_id: String,
    pub change: Change,
}

/// To be carried out in this order.
pub enum Deed {
    /// `key` is not yet blinded.
    Add {
        id: String,
        key: String,
        change: Box<Change>,
    },
    PlanAgain {
        id: String,
    },
    /// It knows more now, and is planned anew.
    Enrich {
        id: String,
        better: Box<Change>,
    },
}

pub enum Came {
    /// At least one change is this delivery's.
    New,
    /// All came before; the delivery that brought the first of them.
    With(String),
}

pub struct Taken {
    pub came: Came,
    pub deeds: Vec<Deed>,
}

pub fn take(delivery_id: &str, changes: Vec<Change>, mut known: Vec<Known>) -> Taken {
    let mut deeds = Vec::new();
    let mut made: Vec<String> = Vec::new();
    let mut has_own = false;
    let mut known_from = None;
    let mut seen: Vec<Change> = known.iter().map(|k| k.change.clone()).collect();
    let mut keys: Vec<String> = seen.iter().map(Change::base_key).collect();
    let changes: Vec<Change> = changes
        .into_iter()
        .flat_map(|c| for_seats(c, &seen))
        .collect();
    for change in changes {
        let key = change.base_key();
        // Read again after a replay: what it brought then is still its own.
        let own = known
            .iter()
            .zip(&keys)
            .find(|(k, known_key)| **known_key == key && k.delivery_id == delivery_id)
            .map(|(k, _)| k);
        if let Some(own) = own {
            has_own = true;
            if !made.contains(&own.id) {
                deeds.push(Deed::PlanAgain { id: own.id.clone() });
            }
        } else if let Some(first) = same(&change, &known, &seen) {
            has_own |= first.delivery_id == delivery_id;
            known_from.get_or_insert_with(|| first.delivery_id.clone());
            deeds.extend(enriched(&first.change, &change).map(|better| Deed::Enrich {
                id: first.id.clone(),
                better: Box::new(better),
            }));
        } else {
            // Those of the same key: a value that came back.
            let before = keys.iter().filter(|k| **k == key).count();
            let id = crate::new_id();
            made.push(id.clone());
            seen.push(change.clone());
            keys.push(key.clone());
            known.push(Known {
                id: id.clone(),
                delivery_id: delivery_id.to_owned(),
                change: change.clone(),
            });
            deeds.push(Deed::Add {
                id,
                key: if before == 0 {
                    key
                } else {
                    format!("{key}#{}", before + 1)
                },
                change: Box::new(change),
            });
            has_own = true;
        }
    }
    let came = if has_own {
        Came::New
    } else {
        Came::With(known_from.unwrap_or_default())
    };
    Taken { came, deeds }
}

/// The known change that `change` says again; `seen` are theirs.
fn same<'a>(change: &Change, known: &'a [Known], seen: &[Change]) -> Option<&'a Known> {
    if !is_known(change, seen) {
        return None;
    }
    let alike = |k: &&Known| is_known(change, std::slice::from_ref(&k.change));
    let near = |k: &&Known| k.change.created_at.duration_since(change.created_at).abs();
    known
        .iter()
        .filter(alike)
        .min_by_key(near)
        .or(known.first())
}

/// A booking known without what it replaced (from a listing, or as CREATED) learns it.
fn enriched(known: &Change, change: &Change) -> Option<Change> {
    let from = &change.booking;
    if known.kind != Kind::Booked
        || known.booking.reschedule_uid.is_some()
        || from.reschedule_uid.is_none()
    {
        return None;
    }
    let mut better = known.clone();
    let to = &mut better.booking;
    to.reschedule_uid.clone_from(&from.reschedule_uid);
    to.reschedule_start = from.reschedule_start.or(to.reschedule_start);
    to.reschedule_end = from.reschedule_end.or(to.reschedule_end);
    to.rescheduled_by = from.rescheduled_by.clone().or(to.rescheduled_by.take());
    to.reschedule_reason = from
        .reschedule_reason
        .clone()
        .or(to.reschedule_reason.take());
    Some(better)
}
