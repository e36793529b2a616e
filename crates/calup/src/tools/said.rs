//! How results show what others wrote. A model must not take it for instructions, so it stands apart, under a key that
//! says whose words they are (the chat's instructions explain it), and without links: not every program that shows what a
//! model says removes them.

use domain::booking::Attendee;
use domain::links::Links;
use domain::text;
use domain::when;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use vendors::cal::api::{Booking, EventType, Status};

use super::answers;

const CHARS_MAX: usize = 600;
const ADDRESS_CHARS_MAX: usize = 254;
const WORD_CHARS_MAX: usize = 64;
/// No word is taken for one.
const KEY_CHARS_MIN: usize = 16;
const OTHERS: &str = "written_by_others";

/// Words of an attendee's, or of whoever wrote in the CRM.
pub fn theirs(words: &str) -> Value {
    json!({ OTHERS: cleaned(&text::one_line(words, CHARS_MAX)) })
}

fn cleaned(words: &str) -> String {
    without_keys(&Links::none().cleaned(words))
}

/// Whoever pasted a key meant it for people.
fn without_keys(words: &str) -> String {
    const BEGIN: [&str; 9] = [
        "cal_", "calup_", "pk_", "sk-", "sk_", "xapp-", "xoxb-", "xoxp-", "ghp_",
    ];
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let mut out = String::new();
    for word in words.split_inclusive(|c| !is_part(c)) {
        let own = word.trim_end_matches(|c| !is_part(c));
        if own.len() >= KEY_CHARS_MIN && BEGIN.iter().any(|begin| own.starts_with(begin)) {
            out.push_str("(key removed)");
            out.push_str(&word[own.len()..]);
        } else {
            out.push_str(word);
        }
    }
    out
}

/// Several lines of such words, but for the last line of a lead that calup made: it names a booking's uid, which opens the
/// booking to anybody.
pub fn their_lines(words: &str, max: usize) -> Value {
    let mut lines = text::lines(words, max);
    lines.retain(|line| !line.to_lowercase().contains("cal.com booking"));
    json!({ OTHERS: cleaned(&lines.join("\n")) })
}

/// An e-mail address that is plain enough to be nothing else.
pub fn address(email: &str) -> Value {
    if is_address(email) {
        email.into()
    } else {
        theirs(email)
    }
}

pub fn is_address(email: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
    let parts = email.split_once('@');
    email.chars().count() <= ADDRESS_CHARS_MAX
        && parts.is_some_and(|(mailbox, host)| {
            let is_host = |c: char| c.is_alphanumeric() || ".-".contains(c);
            !mailbox.is_empty()
                && mailbox.chars().all(plain)
                && host.contains('.')
                && host.chars().all(is_host)
        })
}

/// A name of a question, which whoever books may make up.
fn word(name: &str) -> Value {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if name.len() <= WORD_CHARS_MAX && name.chars().all(plain) {
        name.into()
    } else {
        theirs(name)
    }
}

/// With others' words shortened until all of it fits; `None` where that does not help.
pub fn within(mut result: Value, chars_max: usize) -> Option<Value> {
    for words_max in [CHARS_MAX, 200, 60, 20] {
        if result.to_string().chars().count() <= chars_max {
            return Some(result);
        }
        shorten(&mut result, words_max);
    }
    (result.to_string().chars().count() <= chars_max).then_some(result)
}

fn shorten(value: &mut Value, words_max: usize) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(words) if key == OTHERS => *words = text::cut(words, words_max),
                    other => shorten(other, words_max),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|it| shorten(it, words_max)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// With the offset of that zone: what is given back to a tool means the same instant.
pub fn at(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

/// As a person would say it: models are bad at weekdays.
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    when::moment(at, zone_name(zone))
}

pub fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

/// The five that are closest to one that was wanted, in their order.
pub fn nearest(mut times: Vec<Timestamp>, wanted: &[Timestamp], zone: &TimeZone) -> Vec<String> {
    let far = |time: &Timestamp| wanted.iter().map(|w| time.duration_since(*w).abs()).min();
    times.sort_by_key(far);
    times.truncate(5);
    times.sort_unstable();
    times.into_iter().map(|time| at(time, zone)).collect()
}

pub fn event_type(it: &EventType) -> Value {
    let mut shown = json!({
        "id": it.id, "slug": it.slug, "title": it.title, "minutes": it.minutes, "booking_url": it.booking_url,
    });
    let description = it.description.trim();
    if !description.is_empty() {
        shown["description"] = text::one_line(description, CHARS_MAX).into();
    }
    let questions = answers::questions(it);
    if !questions.is_empty() {
        shown["questions"] = questions.into();
    }
    if !it.minutes_to_choose.is_empty() {
        shown["minutes_to_choose"] = it.minutes_to_choose.clone().into();
    }
    for (name, is_so) in [
        ("hidden", it.hidden),
        ("needs_confirmation", it.needs_confirmation),
    ] {
        if is_so {
            shown[name] = true.into();
        }
    }
    if let Some(occurrences) = it.occurrences {
        shown["books_a_series_of"] = occurrences.into();
    }
    if let Some(seats) = it.seats_per_slot {
        shown["seats_per_slot"] = seats.into();
    }
    if let Some((price, currency)) = &it.price {
        shown["price"] = json!({ "minor_units": price, "currency": currency });
    }
    shown
}

pub fn attendee(it: &Attendee) -> Value {
    let zone = TimeZone::get(&it.time_zone).ok();
    json!({
        "name": theirs(&it.name),
        "email": (!it.email.is_empty()).then(|| address(&it.email)),
        "time_zone": zone.as_ref().map(zone_name),
    })
}

pub fn booking(it: &Booking, zone: &TimeZone) -> Value {
    let attendees: Vec<Value> = it.attendees.iter().take(10).map(attendee).collect();
    let mut shown = json!({
        "booking_id": it.id, "title": theirs(&it.title), "status": status(&it.status),
        "start": at(it.start, zone), "end": at(it.end, zone), "when": when::span(it.start, it.end, zone_name(zone)),
        "attendees": attendees,
    });
    if let Some(slug) = &it.event_type_slug {
        shown["event_type_slug"] = slug.as_str().into();
    }
    if let Some(notes) = &it.notes {
        shown["notes"] = theirs(notes);
    }
    if let Some(reason) = it.cancellation_reason.as_ref().filter(|_| !it.stands()) {
        shown["cancellation_reason"] = theirs(reason);
    }
    if it.moved_to.is_some() {
        shown["moved"] = true.into();
    }
    let answers: Vec<Value> = it
        .answers
        .iter()
        .take(20)
        .map(|answer| json!({ "question": word(&answer.slug), "answer": theirs(&answer.value) }))
        .collect();
    if !answers.is_empty() {
        shown["answers"] = answers.into();
    }
    shown
}

fn status(status: &Status) -> &str {
    match status {
        Status::Accepted => "accepted",
        Status::Pending => "pending",
        Status::Cancelled => "cancelled",
        Status::Rejected => "rejected",
        Status::Other(word) => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_somebody_pasted_reaches_no_model() {
        assert_eq!(
            theirs("use cal_live_0123456789abcdef, please; or xoxb-1234567890-abc."),
            json!({ OTHERS: "use (key removed), please; or (key removed)." })
        );
        let plain = "cal_live is what the sk-learn people said";
        assert_eq!(theirs(plain), json!({ OTHERS: plain }));
    }
}
