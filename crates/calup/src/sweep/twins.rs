//! Two leads that one create made: whether people have worked on one, and what is to be carried from it to the other.
//! Pure.

use std::time::Duration;

use domain::effect::Effect;
use domain::fence::{self, Fenced};
use domain::lead::{Lead, NewLead, Posted, Write};
use domain::profile::Profile;
use domain::text::essence;
use jiff::{SignedDuration, Timestamp};
use store::rows::Register;

use crate::lookup::{OWN_TOUCH, is_made_in};

pub struct Twin {
    pub lead: Lead,
    pub comments: Vec<Posted>,
    /// What calup did to it.
    pub register: Register,
    pub last_sent: Option<Timestamp>,
    /// The same of its status and description only.
    pub last_written: Option<Timestamp>,
}

/// What another attempt than the one that is taken to have made it said otherwise.
#[derive(Default, Clone, Copy)]
pub struct Another<'a> {
    pub description: Option<&'a str>,
    pub status: Option<&'a str>,
}

impl<'a> Another<'a> {
    pub fn of(create: &'a Effect) -> Self {
        Self {
            description: create.pre_image.as_deref(),
            status: create.status_before.as_deref(),
        }
    }
}

/// What people have done to it since it was made as `sent`, or by `another` attempt; a call of ours ends within `grace`.
pub fn touched(
    twin: &Twin,
    sent: &NewLead,
    another: Another<'_>,
    profile: &Profile,
    grace: Duration,
) -> Option<&'static str> {
    let lead = &twin.lead;
    let is = |status: Option<&str>| {
        status.is_some_and(|s| s.to_lowercase() == lead.status.to_lowercase())
    };
    if twin.register.worked_on {
        return Some("its status was moved, before a meeting moved it on");
    }
    if lead.list_id != profile.inbound_list_id {
        return Some("it was moved to another list");
    }
    if lead.name.trim() != sent.name.trim() {
        return Some("it was renamed");
    }
    if ends(&lead.description) != ends(&sent.description) {
        return Some("its description was edited");
    }
    // An earlier attempt yet may have sent another text and status than those known: whatever stands there as it was
    // made, nobody has edited.
    if !is_as_made(lead, profile) {
        let around = around_block(&lead.description);
        let mut known = [Some(sent.description.as_str()), another.description].into_iter();
        if !known.any(|d| d.is_some_and(|d| around_block(d) == around)) {
            return Some("its description was edited");
        }
        let mut set = [&sent.status, &twin.register.status_set].into_iter();
        let is_ours = set.any(|status| is(status.as_deref())) || is(another.status);
        if sent.status.is_some() && !is_ours {
            return Some("its status was moved");
        }
    }
    if twin.comments.iter().any(|c| !c.ours || c.taken_up) {
        return Some("there are comments on it");
    }
    let grace = SignedDuration::try_from(grace).unwrap_or_default();
    let own = [lead.created_at]
        .into_iter()
        .chain(twin.comments.iter().map(|c| c.at))
        .chain(twin.last_sent.map(|at| at + grace))
        .max();
    if own.is_some_and(|own| lead.updated_at > own + OWN_TOUCH) {
        return Some("it was edited");
    }
    None
}

fn is_as_made(lead: &Lead, profile: &Profile) -> bool {
    lead.updated_at <= lead.created_at + OWN_TOUCH
        && is_made_in(&lead.status, lead.status_kind, profile)
}

/// Whether what the younger shows was written, or made, after what the older shows; `known` is the one that calup took
/// for its own, the last attempt's.
fn is_newer(younger: &Twin, older: &Twin, known: Option<&str>) -> bool {
    match (younger.last_written, older.last_written) {
        (None, None) => known == Some(younger.lead.id.as_str()),
        (younger, older) => younger > older,
    }
}

/// Whether the older shows what calup moved the younger to, since an earlier look carried it over and was cut short.
pub fn shows_status_of(older: &Twin, younger: &Twin, known: Option<&str>) -> bool {
    let set = younger.register.status_set.as_ref();
    is_newer(younger, older, known)
        && set.is_some_and(|set| set.to_lowercase() == older.lead.status.to_lowercase())
}

/// What calup wrote to the younger last: its status and its block, where people left those of the older alone.
pub fn carried(
    older: &Twin,
    younger: &Twin,
    sent: &NewLead,
    profile: &Profile,
    known: Option<&str>,
) -> Write {
    if !is_newer(younger, older, known) {
        return Write::default();
    }
    let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let is = |status: &Option<String>, of: &Twin| {
        let status = status.as_ref();
        status.is_some_and(|s| same(s, &of.lead.status))
    };
    // An earlier attempt may have made the older in another status of calup's than the last sent.
    let is_moved = !same(&older.lead.status, &younger.lead.status)
        && is(&younger.register.status_set, younger)
        && (is(&sent.status, older)
            || is(&older.register.status_set, older)
            || profile.sets(&older.lead.status)
            || is_as_made(&older.lead, profile));
    let status = is_moved.then(|| younger.lead.status.clone());
    let blocks = (
        fence::find(&older.lead.description),
        fence::find(&younger.lead.description),
    );
    let description = match blocks {
        (
            Fenced::Present {
                before,
                block: old,
                after,
            },
            Fenced::Present { block: new, .. },
        ) if essence(old) != essence(new)
            && !older.lead.description_is_plain
            && fence::survives(&format!("{before}\n{after}")) =>
        {
            fence::replace(&older.lead.description, new)
        }
        _ => None,
    };
    Write {
        status,
        description,
        email: None,
    }
}

/// What stands above the block, and last: where people write, and the same whichever attempt made it.
fn ends(description: &str) -> (String, String) {
    let above = match fence::find(description) {
        Fenced::Present { before, .. } => essence(before),
        Fenced::Absent | Fenced::Broken => String::new(),
    };
    let last = description.trim_end().lines().next_back();
    (above, essence(last.unwrap_or_default()))
}

fn around_block(description: &str) -> String {
    match fence::find(description) {
        Fenced::Present { before, after, .. } => essence(&format!("{before}\n{after}")),
        Fenced::Absent | Fenced::Broken => essence(description),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::lead::StatusKind;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("in range")
    }

    fn profile() -> Profile {
        Profile {
            inbound_list_id: "inbound".into(),
            ..Profile::default()
        }
    }

    fn sent() -> NewLead {
        NewLead {
            name: "Ada Byrd".into(),
            description: format!(
                "{}\n\nAda booked.\n\nCal.com booking bk · m",
                fence::enclose("Monday")
            ),
            status: Some("Meeting Booked".into()),
            email: Some("ada@byrd.example".into()),
            phone: None,
            answers: Vec::new(),
            with_fields: true,
            plain_type: false,
        }
    }

    fn twin(id: &str, made: i64) -> Twin {
        let sent = sent();
        Twin {
            lead: Lead {
                id: id.into(),
                list_id: "inbound".into(),
                list_name: "Inbound".into(),
                name: sent.name,
                status: "meeting booked".into(),
                status_kind: StatusKind::Custom,
                description: sent.description,
                description_is_plain: false,
                emails: Vec::new(),
                created_at: at(made),
                updated_at: at(made),
                url: None,
                ours: true,
            },
            comments: Vec::new(),
            register: Register::default(),
            last_sent: None,
            last_written: None,
        }
    }

    fn comment(id: &str, text: &str, second: i64) -> Posted {
        Posted {
            id: id.into(),
            text: text.into(),
            at: at(second),
            ours: true,
            taken_up: false,
        }
    }

    fn why(twin: &Twin) -> Option<&'static str> {
        touched(
            twin,
            &sent(),
            Another::default(),
            &profile(),
            Duration::from_secs(2),
        )
    }

    #[test]
    fn what_only_calup_did_is_not_the_work_of_people() {
        assert_eq!(why(&twin("b", 5)), None);
        let mut used = twin("b", 5);
        used.lead.status = "meeting cancelled".into();
        used.register.status_set = Some("Meeting Cancelled".into());
        used.lead.description = fence::replace(&used.lead.description, "Tuesday").expect("fits");
        used.comments = vec![comment("c", "cancelled", 60)];
        used.lead.updated_at = at(62);
        used.last_sent = Some(at(60));
        assert_eq!(why(&used), None);
    }

    #[test]
    fn whatever_people_do_to_it_is_noticed() {
        type Change = fn(&mut Twin);
        let changes: [(Change, &str); 8] = [
            (
                |t| t.lead.list_id = "brokers".into(),
                "it was moved to another list",
            ),
            (|t| t.lead.name = "Ada Byrd (copy)".into(), "it was renamed"),
            (
                |t| {
                    t.lead.description.push_str(" Call her.");
                    t.lead.updated_at = at(9);
                },
                "its description was edited",
            ),
            (
                |t| {
                    t.lead.status = "won".into();
                    t.lead.updated_at = at(9);
                },
                "its status was moved",
            ),
            (
                |t| {
                    t.comments.push(Posted {
                        ours: false,
                        ..comment("c", "called", 6)
                    });
                },
                "there are comments on it",
            ),
            (
                |t| {
                    t.comments.push(Posted {
                        taken_up: true,
                        ..comment("c", "booked", 6)
                    });
                },
                "there are comments on it",
            ),
            (|t| t.lead.updated_at = at(9), "it was edited"),
            (
                |t| {
                    t.last_sent = Some(at(60));
                    t.lead.updated_at = at(70);
                },
                "it was edited",
            ),
        ];
        for (change, expected) in changes {
            let mut twin = twin("b", 5);
            change(&mut twin);
            assert_eq!(why(&twin), Some(expected));
        }
    }

    #[test]
    fn what_calup_wrote_to_the_younger_is_carried_over_and_what_people_wrote_to_the_older_stays() {
        let older = twin("a", 0);
        let mut younger = twin("b", 5);
        let known = Some("b");
        assert_eq!(
            carried(&older, &younger, &sent(), &profile(), known),
            Write::default()
        );

        younger.lead.status = "meeting cancelled".into();
        younger.register.status_set = Some("meeting cancelled".into());
        younger.lead.description =
            fence::replace(&younger.lead.description, "Tuesday").expect("fits");
        let write = carried(&older, &younger, &sent(), &profile(), known);
        assert_eq!(write.status.as_deref(), Some("meeting cancelled"));
        assert_eq!(
            essence(&write.description.expect("the block")),
            essence(&younger.lead.description)
        );

        let mut edited = twin("a", 0);
        edited.lead.status = "negotiating".into();
        edited.lead.description.push_str("\nCall her.");
        edited.lead.updated_at = at(30);
        let write = carried(&edited, &younger, &sent(), &profile(), known);
        assert_eq!(write.status, None);
        let description = write.description.expect("the block");
        assert!(description.contains("Tuesday") && description.contains("Call her."));
    }

    #[test]
    fn what_the_older_shows_since_is_not_undone_by_what_came_late() {
        let mut older = twin("a", 0);
        older.lead.description = fence::replace(&older.lead.description, "Tuesday").expect("fits");
        older.register.status_set = Some("meeting booked".into());
        older.last_written = Some(at(60));
        // It shows Monday, as the first attempt sent it.
        let late = twin("b", 70);
        let write = carried(&older, &late, &sent(), &profile(), Some("a"));
        assert_eq!(write, Write::default());

        // A comment says nothing of the block.
        let mut told = twin("a", 0);
        told.lead.description = older.lead.description.clone();
        let mut late = twin("b", 70);
        late.last_sent = Some(at(90));
        let write = carried(&told, &late, &sent(), &profile(), Some("a"));
        assert_eq!(write, Write::default());

        let mut used = twin("b", 70);
        used.lead.description = fence::replace(&used.lead.description, "Friday").expect("fits");
        used.last_written = Some(at(90));
        let write = carried(&older, &used, &sent(), &profile(), Some("a"));
        assert!(write.description.expect("the block").contains("Friday"));
        older.last_written = Some(at(120));
        assert_eq!(
            carried(&older, &used, &sent(), &profile(), Some("a")),
            Write::default()
        );
    }

    #[test]
    fn a_first_attempt_that_comes_late_in_another_status_of_calup_s_shows_what_the_meeting_came_to()
    {
        let mut cancelled = sent();
        cancelled.status = Some("meeting cancelled".into());
        // Moved to another list meanwhile.
        let mut older = twin("a", 0);
        older.lead.updated_at = at(120);
        let mut younger = twin("b", 70);
        younger.lead.status = "meeting cancelled".into();
        younger.register.status_set = Some("meeting cancelled".into());
        younger.last_written = Some(at(70));
        let carry = |older: &Twin| carried(older, &younger, &cancelled, &profile(), Some("b"));
        assert_eq!(carry(&older).status.as_deref(), Some("meeting cancelled"));

        older.lead.status = "negotiating".into();
        older.lead.status_kind = StatusKind::Custom;
        assert_eq!(carry(&older).status, None);
    }

    #[test]
    fn a_first_attempt_that_comes_late_with_other_words_was_edited_by_nobody() {
        let mut late = twin("b", 5);
        late.lead.description = late.lead.description.replace("Ada booked.", "Ada asked.");
        late.lead.status = "to do".into();
        late.lead.status_kind = StatusKind::Open;
        assert_eq!(why(&late), None);
        late.lead.updated_at = at(30);
        late.last_sent = Some(at(30));
        assert_eq!(why(&late), Some("its description was edited"));
        let (sent, grace) = (sent(), Duration::from_secs(2));
        late.lead.status = "meeting booked".into();
        let description = sent.description.replace("Ada booked.", "Ada asked.");
        let another = Another {
            description: Some(&description),
            status: Some("meeting requested"),
        };
        let known = |late: &Twin| touched(late, &sent, another, &profile(), grace);
        assert_eq!(known(&late), None);
        late.lead.status = "meeting requested".into();
        assert_eq!(known(&late), None);
        late.lead.status = "negotiating".into();
        assert_eq!(known(&late), Some("its status was moved"));

        let mut quick = twin("b", 5);
        quick.lead.status = "won".into();
        quick.lead.status_kind = StatusKind::Closed;
        assert_eq!(why(&quick), Some("its status was moved"));
    }
}
