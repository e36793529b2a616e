//! What a reading does to what is known of its booking: which of its changes are new, which say again what came
//! before, and which teach something. Nothing is read or written here.

use domain::change::{Change, for_seats, known_as};

use crate::rows::Link;

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
        renamed: Option<Renamed>,
    },
}

/// A seat is called by its reference once that is known, and what its meeting was linked to stays so.
pub struct Renamed {
    pub before: String,
    pub now: String,
}

impl Renamed {
    /// What to add to those of either name.
    pub fn links(&self, mut links: Vec<Link>) -> Vec<Link> {
        if links.iter().any(|link| link.token == self.now) {
            return Vec::new();
        }
        for link in &mut links {
            link.token.clone_from(&self.now);
        }
        links
    }
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

pub fn take(delivery_id: &str, changes: Vec<Change>, known: Vec<Known>) -> Taken {
    let mut deeds = Vec::new();
    let mut made: Vec<String> = Vec::new();
    let mut has_own = false;
    let mut known_from = None;
    let (mut ids, mut seen): (Vec<(String, String)>, Vec<Change>) = known
        .into_iter()
        .map(|k| ((k.id, k.delivery_id), k.change))
        .unzip();
    let changes: Vec<Change> = changes
        .into_iter()
        .flat_map(|c| for_seats(c, &seen))
        .collect();
    for change in changes {
        let key = change.base_key();
        // Read again after a replay: what it brought then is still its own.
        let own = (0..seen.len()).find(|&i| ids[i].1 == delivery_id && seen[i].base_key() == key);
        if let Some(at) = own.or_else(|| known_as(&change, &seen)) {
            let (id, first) = ids[at].clone();
            let is_own = first == delivery_id;
            has_own |= is_own;
            if !is_own {
                known_from.get_or_insert(first);
            }
            if let Some(better) = seen[at].enriched_by(&change).filter(|_| own.is_none()) {
                deeds.push(Deed::Enrich {
                    id,
                    renamed: renamed(&seen[at], &better),
                    better: Box::new(better.clone()),
                });
                seen[at] = better;
            } else if is_own && !made.contains(&id) {
                deeds.push(Deed::PlanAgain { id });
            }
        } else {
            // Those of the same key: a value that came back.
            let before = seen.iter().filter(|k| may_have_key(k, &key)).count();
            let id = crate::new_id();
            made.push(id.clone());
            ids.push((id.clone(), delivery_id.to_owned()));
            seen.push(change.clone());
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

/// A key is kept for good: a seat that was known by its person alone at first has one that names the person.
fn may_have_key(known: &Change, key: &str) -> bool {
    known.base_key() == key || known.key_by_person() == key
}

fn renamed(known: &Change, better: &Change) -> Option<Renamed> {
    let seat = better.seat.as_ref().filter(|_| known.seat.is_none())?;
    let uid = &known.booking.uid;
    Some(Renamed {
        before: format!("chain:{uid}/{}", known.identity()),
        now: format!("chain:{uid}/{seat}"),
    })
}
