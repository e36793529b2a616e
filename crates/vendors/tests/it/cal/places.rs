//! Where a meeting takes place.

use domain::booking::Place;
use serde_json::{Value, json};

use super::booking;

fn place(more: Value) -> (Option<String>, Option<String>) {
    let Place { join_link, text } = booking(more).place;
    (join_link, text)
}

fn link(link: &str) -> (Option<String>, Option<String>) {
    (Some(link.to_owned()), None)
}

fn words(text: &str) -> (Option<String>, Option<String>) {
    (None, Some(text.to_owned()))
}

#[test]
fn the_join_link_is_the_video_address_before_the_location() {
    let (video, other) = (
        "https://app.cal.com/video/a",
        "https://meet.example.com/nora",
    );
    let both = json!({ "metadata": { "videoCallUrl": video }, "location": other });
    assert_eq!(place(both), link(video));
    let empty = json!({ "metadata": { "videoCallUrl": "" }, "location": other });
    assert_eq!(place(empty), link(other));
    let token = json!({ "metadata": { "videoCallUrl": video }, "location": "integrations:daily" });
    assert_eq!(
        place(token),
        (Some(video.to_owned()), Some("Cal Video".to_owned()))
    );
    assert_eq!(
        place(json!({ "videoCallData": { "url": other } })),
        (None, None)
    );
}

#[test]
fn a_location_that_is_no_link_is_told_in_words() {
    let table = [
        ("integrations:daily", words("Cal Video")),
        ("integrations:google:meet", words("Google Meet")),
        ("integrations:zoom", words("Zoom")),
        ("integrations:office365_video", words("Microsoft Teams")),
        ("integrations:webex_video", words("Webex")),
        ("integrations:jitsi", words("Jitsi")),
        ("integrations:", (None, None)),
        ("inPerson", words("In person")),
        (
            "attendeeInPerson",
            words("In person, at the attendee's place"),
        ),
        ("phone", words("Phone call")),
        ("conferencing", words("Video call")),
        ("somewhereElse", words("Somewhere else")),
        ("link", (None, None)),
        ("", (None, None)),
        ("+48512345678", words("+48512345678")),
        (
            "Strandvägen 7, Stockholm",
            words("Strandvägen 7, Stockholm"),
        ),
    ];
    for (location, expected) in table {
        assert_eq!(
            place(json!({ "location": location })),
            expected,
            "{location}"
        );
    }
    assert_eq!(place(json!({ "location": null })), (None, None));
    assert_eq!(place(json!({ "location": 7 })), words("7"));
}

#[test]
fn only_an_open_web_address_is_a_join_link() {
    let table = [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.com/a",
        "https:example.com",
        "https://",
        "https:///x y",
        "https://meet.example.com/a b",
        "https://meet.example.com/a\nb",
        "https://meet.example.com/\u{7}",
        "meet.example.com/nora",
        "see https://meet.example.com/nora",
    ];
    for location in table {
        let (join, _) = place(json!({ "location": location }));
        assert_eq!(join, None, "{location:?}");
    }
    let long = format!("https://meet.example.com/{}", "a".repeat(3_000));
    assert_eq!(place(json!({ "location": long })).0, None);
}

#[test]
fn an_address_with_a_name_and_password_is_shown_to_nobody() {
    for location in [
        "https://nora:pass@meet.example.com/x",
        "https://nora@meet.example.com/",
        "HTTPS://nora:pa ss@meet.example.com",
        "sip://nora:pass@example.com",
    ] {
        assert_eq!(
            place(json!({ "location": location })),
            (None, None),
            "{location}"
        );
    }
    let at_in_path = "https://meet.example.com/@nora?x=a@b";
    assert_eq!(place(json!({ "location": at_in_path })), link(at_in_path));
}

#[test]
fn a_join_link_stays_as_sent_unless_it_needs_escaping() {
    let zoom = "https://zoom.us/j/99911122233?pwd=abc";
    assert_eq!(place(json!({ "location": zoom })), link(zoom));
    let bare = "http://meet.example.com";
    assert_eq!(
        place(json!({ "location": format!("  {bare} ") })),
        link(bare)
    );
    let odd = place(json!({ "location": "https://meet.example.com/<b>\"ä" }));
    assert_eq!(odd, link("https://meet.example.com/%3Cb%3E%22%C3%A4"));
}

#[test]
fn a_location_may_be_an_object() {
    let room = "https://meet.example.com/nora";
    assert_eq!(
        place(json!({ "location": { "type": "link", "link": room } })),
        link(room)
    );
    assert_eq!(
        place(json!({ "location": { "type": "address", "address": "Kungsgatan 1" } })),
        words("Kungsgatan 1")
    );
    assert_eq!(
        place(json!({ "location": { "value": "integrations:daily", "optionValue": "" } })),
        words("Cal Video")
    );
}

#[test]
fn what_the_booker_typed_with_a_token_says_more_than_the_token() {
    let responses = json!({ "location": { "label": "location", "value": { "value": "phone", "optionValue": "+4689012" } } });
    assert_eq!(
        place(json!({ "location": "phone", "responses": responses })),
        words("+4689012")
    );
    assert_eq!(
        place(json!({ "location": "integrations:daily", "responses": responses })),
        words("Cal Video")
    );
}
