//! What is told beside a booking's own course: who did not come, what was paid, where to look.

use domain::event::Trigger;
use domain::note::Note;

use super::json::Json;
use super::place;

/// Of formats of a transcript (a delivery lists four), and of people who did not come.
const LINKS_MAX: usize = 10;

/// `None` for a trigger that tells of a booking's own course, or of none.
pub fn note(trigger: &Trigger, told: &Json) -> Option<Note> {
    let text = |key: &str| told.at(key).text().unwrap_or_default();
    Some(match trigger {
        // Each attendee says for itself; what says nothing was marked.
        Trigger::NoShowUpdated => Note::NoShow { is: true },
        Trigger::HostsNoShow => Note::HostNoShow {
            host: text("hostEmail"),
        },
        Trigger::GuestsNoShow => Note::GuestsNoShow {
            absent: absent(told),
        },
        Trigger::PaymentInitiated | Trigger::Paid => Note::Payment {
            is_paid: *trigger == Trigger::Paid,
            amount: told.at("price").integer(),
            currency: text("currency"),
            id: payment(told),
        },
        Trigger::LocationUpdated => Note::Location {
            before: place::shown(told.at("previousLocation")),
        },
        Trigger::RecordingReady => Note::Recording {
            link: text("downloadLink"),
        },
        Trigger::TranscriptReady => Note::Transcript {
            links: transcripts(told.at("downloadLinks").at("transcription")),
        },
        Trigger::Reassigned => Note::Reassigned,
        Trigger::MeetingStarted => Note::Meeting { is_over: false },
        Trigger::MeetingEnded => Note::Meeting { is_over: true },
        Trigger::Created
        | Trigger::Rescheduled
        | Trigger::Cancelled
        | Trigger::Requested
        | Trigger::Rejected
        | Trigger::FormSubmitted
        | Trigger::FormSubmittedNoEvent
        | Trigger::FormFallback
        | Trigger::Ping
        | Trigger::Other(_) => return None,
    })
}

/// Those of whom the delivery says that they did not come. Guests and attendees carry the mark each; a list of guests
/// without marks is the list of those who are missing.
fn absent(told: &Json) -> Vec<String> {
    let name = |json: &Json| json.at("email").text().or_else(|| json.at("name").text());
    let guests = told.at("guests").items();
    let listed = || guests.iter().chain(told.at("attendees").items());
    let is_marked = listed().any(|p| !p.at("noShow").is_null());
    let missing: Vec<&Json> = if is_marked {
        listed().filter(|p| p.at("noShow").is_true()).collect()
    } else {
        guests.iter().collect()
    };
    let mut names: Vec<String> = Vec::new();
    for name in missing.into_iter().filter_map(name).take(LINKS_MAX) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// `paymentId`; once paid, the payment's own metadata may name it.
fn payment(told: &Json) -> String {
    let id = told.at("paymentId").text();
    id.or_else(|| told.at("metadata").at("externalId").text())
        .unwrap_or_default()
}

fn transcripts(files: &Json) -> Vec<(String, String)> {
    let files = files.items().iter().take(LINKS_MAX);
    files
        .filter_map(|f| {
            Some((
                f.at("format").text().unwrap_or_default(),
                f.at("link").text()?,
            ))
        })
        .collect()
}
