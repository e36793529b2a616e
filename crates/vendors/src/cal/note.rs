//! What is told beside a booking's own course: who did not come, what was paid, where to look.

use domain::event::Trigger;
use domain::note::Note;

use super::json::Json;

/// Formats of a transcript; a delivery lists four.
const LINKS_MAX: usize = 10;

pub fn note(trigger: &Trigger, told: &Json) -> Note {
    let text = |key: &str| told.at(key).text().unwrap_or_default();
    match trigger {
        Trigger::HostsNoShow => Note::HostNoShow {
            host: text("hostEmail"),
        },
        Trigger::GuestsNoShow => Note::GuestsNoShow,
        Trigger::PaymentInitiated | Trigger::Paid => Note::Payment {
            is_paid: *trigger == Trigger::Paid,
            amount: told.at("price").integer(),
            currency: text("currency"),
            id: payment(told),
        },
        Trigger::LocationUpdated => Note::Location {
            before: told.at("previousLocation").text(),
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
        // Each attendee says for itself; what says nothing was marked.
        Trigger::NoShowUpdated
        | Trigger::Created
        | Trigger::Rescheduled
        | Trigger::Cancelled
        | Trigger::Requested
        | Trigger::Rejected
        | Trigger::FormSubmitted
        | Trigger::FormSubmittedNoEvent
        | Trigger::FormFallback
        | Trigger::Ping
        | Trigger::Other(_) => Note::NoShow { is: true },
    }
}

/// `paymentId`; once paid, the payment's own metadata names it.
fn payment(told: &Json) -> String {
    let metadata = told.at("metadata");
    [
        told.at("paymentId"),
        metadata.at("identifier"),
        metadata.at("externalId"),
    ]
    .into_iter()
    .find_map(Json::text)
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
