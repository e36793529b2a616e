//! Where a meeting takes place: a link to join by, or words that name the place. `videoCallData` is deliberately
//! not read, since the addresses in it carry credentials.

use domain::booking::Place;
use domain::text;
use url::Url;

use super::answers;
use super::json::{Json, TEXT_CHARS_MAX};
use super::secrets::HIDDEN;

const LINK_BYTES_MAX: usize = 2_048;
const INTEGRATION: &str = "integrations:";

pub fn place(payload: &Json) -> Place {
    let location = location(payload.at("location"));
    let video = payload.at("metadata").at("videoCallUrl").text();
    let join_link = [video.as_deref(), location.as_deref()]
        .into_iter()
        .flatten()
        .find_map(link);
    let option = payload.at("responses").at("location").at("value");
    let text = location
        .filter(|l| link(l).is_none())
        .and_then(|l| words(&l, answers::printable(option.at("optionValue"))));
    Place { join_link, text }
}

/// A place that is not the booking's own any more: its link, or words for it.
pub fn shown(json: &Json) -> Option<String> {
    let text = location(json)?;
    link(&text).or_else(|| words(&text, None))
}

/// A text, or an object around one as in the API.
fn location(location: &Json) -> Option<String> {
    const KEYS: [&str; 8] = [
        "link",
        "optionValue",
        "address",
        "phone",
        "location",
        "value",
        "integration",
        "type",
    ];
    location
        .text()
        .or_else(|| KEYS.iter().find_map(|key| location.at(key).text()))
}

/// An address that a browser may open without giving a name and password away.
fn link(text: &str) -> Option<String> {
    let is_clean = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if !is_clean || text.len() > LINK_BYTES_MAX || text.contains(HIDDEN) || !is_web_address(text) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_open = url.username().is_empty() && url.password().is_none();
    if !is_open || url.host_str().is_none_or(str::is_empty) {
        return None;
    }
    // As sent where that is plain; else in the spelling that means the same to every reader.
    let is_plain = text
        .bytes()
        .all(|b| b.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&b));
    Some(if is_plain { text } else { url.as_str() }.to_owned())
}

fn is_web_address(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// Cal.com's tokens for kinds of places, in words; anything else is an address or a phone number as it stands.
/// What the booker chose or typed with a token says more than the token.
fn words(location: &str, option: Option<String>) -> Option<String> {
    let token = match location {
        "inPerson" => "In person",
        "attendeeInPerson" => "In person, at the attendee's place",
        "phone" | "userPhone" => "Phone call",
        "conferencing" => "Video call",
        "somewhereElse" => "Somewhere else",
        "link" => "",
        _ => {
            let name = location
                .get(..INTEGRATION.len())
                .filter(|start| start.eq_ignore_ascii_case(INTEGRATION))
                .map(|_| integration(&location[INTEGRATION.len()..]));
            return match name {
                Some(name) => Some(name).filter(|n| !n.is_empty()),
                None => safe(location),
            };
        }
    };
    option
        .and_then(|o| safe(&o))
        .or_else(|| (!token.is_empty()).then(|| token.to_owned()))
}

/// Nothing where it is an address with a name and password in it.
fn safe(text: &str) -> Option<String> {
    let authority = text.split_once("://").map_or("", |(_, rest)| {
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    });
    (!authority.contains('@')).then(|| text::cut(text, TEXT_CHARS_MAX))
}

/// `office365_video` and alike: <https://github.com/calcom/cal.com/tree/main/packages/app-store>.
fn integration(name: &str) -> String {
    match name {
        "daily" => "Cal Video".to_owned(),
        "google:meet" => "Google Meet".to_owned(),
        "zoom" => "Zoom".to_owned(),
        "office365_video" => "Microsoft Teams".to_owned(),
        "facetime_video" => "FaceTime".to_owned(),
        "whatsapp_video" => "WhatsApp".to_owned(),
        _ => {
            let name = name
                .trim_end_matches("_video")
                .trim_end_matches("_conferencing");
            let words = name
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(capitalised);
            text::cut(&words.collect::<Vec<_>>().join(" "), TEXT_CHARS_MAX)
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
