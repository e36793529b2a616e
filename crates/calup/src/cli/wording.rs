//! `calup wording`: what is written for each trigger, and what a person's own template makes of an example.

use clap::Args;
use domain::booking::{Answer, Attendee, Booking, Party, Place};
use domain::chain;
use domain::change::{Change, Kind, Person};
use domain::event::Trigger;
use domain::note::Note;
use domain::profile::Profile;
use domain::template::Values;
use domain::wording::{self, Telling, Text};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::print;
use crate::config::Config;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Such as BOOKING_CREATED; without one, all are listed.
    trigger: Option<String>,
    /// A template to try, in place of the one that is set.
    #[arg(long, requires = "trigger")]
    text: Option<String>,
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, config: &Config) -> Result<(), String> {
    let Some(name) = &arguments.trigger else {
        list(&config.profile, arguments.json);
        return Ok(());
    };
    let trigger = Trigger::named(&name.to_uppercase())
        .filter(|t| Trigger::FOLLOWED.contains(t))
        .unwrap_or_else(|| {
            super::wrong_usage(&format!(
                "`{name}` is not a trigger with a comment; `calup wording` lists them"
            ))
        });
    let all = example(&trigger);
    let (change, fold) = (&all[all.len() - 1], chain::fold(&all));
    let usual = wording::comment(change, &fold, Telling::default());
    let source = arguments
        .text
        .as_ref()
        .or_else(|| config.profile.texts.get(trigger.name()));
    let made = match source {
        Some(source) => wording::by_template(source, &usual, change, &fold, Telling::default())
            .map_err(|why| format!("the template for {} cannot be used: {why}", trigger.name()))?,
        None => usual.clone(),
    };
    let values = wording::values(&usual, change, &fold);
    if arguments.json {
        print(
            &json!({ "trigger": trigger.name(), "comment": made.plain(), "values": values })
                .to_string(),
        );
    } else {
        print(&shown(&trigger, &made, &values));
    }
    Ok(())
}

fn list(profile: &Profile, as_json: bool) {
    let all = Trigger::FOLLOWED.map(|trigger| {
        let parts = profile.parts(&trigger);
        let on = [
            (parts.status, "status"),
            (parts.block, "block"),
            (parts.comment, "comment"),
        ];
        let on: Vec<&str> = on
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, name)| *name)
            .collect();
        let own = profile.texts.contains_key(trigger.name());
        (trigger, on, own)
    });
    if as_json {
        let rows: Vec<Value> = all
            .iter()
            .map(|(t, on, own)| json!({ "trigger": t.name(), "on": on, "own_wording": own }))
            .collect();
        print(&Value::from(rows).to_string());
        return;
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["trigger", "writes", "wording"]);
    for (trigger, on, own) in &all {
        let writes = if on.is_empty() {
            "off".to_owned()
        } else {
            on.join(", ")
        };
        table.add_row([
            trigger.name(),
            &writes,
            if *own { "your own" } else { "calup's" },
        ]);
    }
    print(&format!(
        "{table}\n\nCALUP_ON_<TRIGGER> changes what is written, CALUP_TEXT_<TRIGGER> how.\n`calup wording BOOKING_CREATED` shows an example and what a template can name."
    ));
}

fn shown(trigger: &Trigger, made: &Text, values: &Values) -> String {
    use std::fmt::Write as _;
    let mut out = format!("{}\n\n", trigger.name());
    for line in made.plain().lines() {
        let _ = writeln!(out, "  | {line}");
    }
    out.push_str("\nA template can name, here with the example's values:\n\n");
    let values = serde_json::to_value(values).unwrap_or_default();
    for (name, value) in values.as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.lines().next().unwrap_or("(empty here)").to_owned(),
            Value::Array(_) => "a list of {label, value}".to_owned(),
            other => other.to_string(),
        };
        let _ = writeln!(out, "  {name:<12} {text}");
    }
    out
}

/// Somebody who books, and last what the trigger is about, as a delivery would tell it.
fn example(trigger: &Trigger) -> Vec<Change> {
    let at = |text: &str| text.parse::<Timestamp>().expect("a time of the example");
    let person = Person {
        name: "Priya Raman".into(),
        email: Some("priya@example.com".into()),
        phone: Some("+1 555 0100".into()),
        time_zone: "America/New_York".into(),
    };
    let start = at("2026-09-10T14:00:00Z");
    let booking = Booking {
        title: "Intro call between Nora Lindqvist and Priya Raman".into(),
        event_title: Some("Intro call".into()),
        start,
        end: start + SignedDuration::from_mins(30),
        organizer: Party {
            name: "Nora Lindqvist".into(),
            email: "nora@example.com".into(),
            time_zone: "Europe/Stockholm".into(),
        },
        attendees: vec![Attendee {
            name: person.name.clone(),
            email: "priya@example.com".into(),
            ..Attendee::default()
        }],
        answers: vec![Answer {
            label: "Company".into(),
            slug: "company".into(),
            value: "Northwind".into(),
        }],
        notes: Some("Looking forward to it.".into()),
        place: Place {
            join_link: Some("https://app.cal.com/video/example".into()),
            text: None,
        },
        ..Booking::bare("example1")
    };
    let booked = Change {
        kind: Kind::Booked,
        trigger: Trigger::Created,
        person,
        seat: None,
        seated: false,
        created_at: at("2026-09-01T09:00:00Z"),
        received_at: at("2026-09-01T09:00:30Z"),
        booking,
        guests: vec!["omar@example.com".into()],
        note: None,
    };
    let mut change = Change {
        kind: Kind::of(trigger).unwrap_or(Kind::Note),
        trigger: trigger.clone(),
        created_at: at("2026-09-02T09:00:00Z"),
        received_at: at("2026-09-02T09:00:30Z"),
        ..booked.clone()
    };
    tell(&mut change);
    match trigger {
        Trigger::Created => vec![change],
        Trigger::FormSubmitted | Trigger::FormSubmittedNoEvent | Trigger::FormFallback => {
            vec![form(change)]
        }
        _ => vec![booked, change],
    }
}

/// A form names no host, no time and no guests.
fn form(change: Change) -> Change {
    Change {
        guests: Vec::new(),
        note: Some(Note::Form),
        booking: Booking {
            title: "Talk to sales".into(),
            answers: change.booking.answers,
            ..Booking::bare("example1")
        },
        ..change
    }
}

/// What only this trigger tells.
fn tell(change: &mut Change) {
    let booking = &mut change.booking;
    let link = "https://app.cal.com/recording/example".to_owned();
    change.note = match change.trigger {
        Trigger::Rescheduled => {
            booking.reschedule_uid = Some(std::mem::replace(&mut booking.uid, "example2".into()));
            booking.start += SignedDuration::from_hours(24);
            booking.end += SignedDuration::from_hours(24);
            booking.rescheduled_by = Some("priya@example.com".into());
            booking.reschedule_reason = Some("A conflict.".into());
            None
        }
        Trigger::Cancelled => {
            booking.cancelled_by = Some("priya@example.com".into());
            booking.cancellation_reason = Some("No longer needed.".into());
            None
        }
        Trigger::Rejected => {
            booking.rejection_reason = Some("Fully booked.".into());
            None
        }
        Trigger::NoShowUpdated => {
            // Addresses are all that is sent.
            change.person.name.clear();
            change.person.phone = None;
            Some(Note::NoShow { is: true })
        }
        Trigger::HostsNoShow => Some(Note::HostNoShow {
            host: booking.organizer.email.clone(),
        }),
        Trigger::GuestsNoShow => Some(Note::GuestsNoShow {
            absent: vec!["priya@example.com".into()],
        }),
        Trigger::PaymentInitiated | Trigger::Paid => Some(Note::Payment {
            is_paid: change.trigger == Trigger::Paid,
            amount: Some(15_000),
            currency: "eur".into(),
            id: "1".into(),
        }),
        Trigger::LocationUpdated => {
            let before = booking
                .place
                .join_link
                .replace("https://meet.example/new".into());
            Some(Note::Location { before })
        }
        Trigger::RecordingReady => Some(Note::Recording { link }),
        Trigger::TranscriptReady => Some(Note::Transcript {
            links: vec![("txt".into(), link)],
        }),
        Trigger::Reassigned => {
            booking.organizer.name = "Omar Haddad".into();
            Some(Note::Reassigned)
        }
        Trigger::MeetingStarted => Some(Note::Meeting { is_over: false }),
        Trigger::MeetingEnded => Some(Note::Meeting { is_over: true }),
        Trigger::FormSubmitted
        | Trigger::FormSubmittedNoEvent
        | Trigger::FormFallback
        | Trigger::Created
        | Trigger::Requested
        | Trigger::Ping
        | Trigger::Other(_) => None,
    };
}
