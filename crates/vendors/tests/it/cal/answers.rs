//! What the booker told the host.

use domain::booking::Answer;
use serde_json::{Value, json};

use super::{booking, event, recording};

fn answers(more: Value) -> Vec<(String, String)> {
    let answers = booking(more).answers;
    answers.into_iter().map(|a| (a.label, a.value)).collect()
}

fn pair(label: &str, value: &str) -> (String, String) {
    (label.to_owned(), value.to_owned())
}

fn answer(label: &str, slug: &str, value: &str) -> Answer {
    Answer {
        label: label.to_owned(),
        slug: slug.to_owned(),
        value: value.to_owned(),
    }
}

#[test]
fn custom_answers_are_read_in_the_order_sent() {
    let recorded = recording("cal-deliveries/20-booking-created-custom-questions");
    assert_eq!(
        event(&recorded.body).booking.answers,
        [
            answer("Company", "company", "Acme Orchards & Sons"),
            answer("Team size", "team-size", "11-50"),
            answer("Topics", "topics", "Pricing, Onboarding"),
            answer("I agree to be contacted", "consent", "yes"),
            answer("Budget (EUR)", "budget", "12500"),
        ]
    );
}

#[test]
fn responses_add_what_the_custom_answers_lack_but_no_system_fields() {
    let read = answers(json!({
        "userFieldsResponses": { "z": { "label": "Zeta", "value": "first" } },
        "responses": {
            "name": { "label": "your_name", "value": "Ada" },
            "email": { "label": "email_address", "value": "ada@example.com" },
            "attendeePhoneNumber": { "label": "phone_number", "value": "+4912345" },
            "smsReminderNumber": { "label": "number_text_notifications", "value": "+4912345" },
            "location": { "label": "location", "value": { "value": "phone", "optionValue": "+4912345" } },
            "title": { "label": "what_is_this_meeting_about", "value": "Us" },
            "notes": { "label": "additional_notes", "value": "Hello" },
            "guests": { "label": "additional_guests", "value": ["bob@example.com"] },
            "rescheduleReason": { "label": "reason_for_reschedule", "value": "Ill" },
            "z": { "label": "Zeta", "value": "second" },
            "a": { "label": "Alpha", "value": "third" },
        },
    }));
    assert_eq!(read, [pair("Zeta", "first"), pair("Alpha", "third")]);
}

#[test]
fn a_value_of_any_shape_is_printable_or_left_out() {
    let table = [
        (json!("text"), Some("text")),
        (json!("  text \n"), Some("text")),
        (json!(12.5), Some("12.5")),
        (json!(true), Some("yes")),
        (json!(false), Some("no")),
        (json!(["a", 2, true, null, ""]), Some("a, 2, yes")),
        (
            json!({ "firstName": "Ada", "lastName": "King" }),
            Some("Ada King"),
        ),
        (json!({ "firstName": "Ada", "lastName": "" }), Some("Ada")),
        (
            json!({ "value": "phone", "optionValue": "+49" }),
            Some("+49"),
        ),
        (
            json!({ "value": "inPerson", "optionValue": "" }),
            Some("inPerson"),
        ),
        (json!([{ "label": "51-200", "id": "x" }]), Some("51-200")),
        (
            json!({ "a": [{ "b": "deep" }, []], "c": 1 }),
            Some("deep, 1"),
        ),
        (json!("a\u{0}b"), Some("ab")),
        (json!(null), None),
        (json!(""), None),
        (json!(" \t"), None),
        (json!([]), None),
        (json!({}), None),
        (json!([null, ["", {}]]), None),
    ];
    for (value, printed) in table {
        let field = json!({ "q": { "label": "Question", "value": value, "isHidden": false } });
        let expected: Vec<_> = printed.map(|p| pair("Question", p)).into_iter().collect();
        assert_eq!(
            answers(json!({ "userFieldsResponses": field })),
            expected,
            "{value}"
        );
        let expected: Vec<_> = printed.map(|p| pair("q", p)).into_iter().collect();
        let plain = json!({ "userFieldsResponses": { "q": value } });
        // Without `{label, value}` around it, `{label}` alone cannot be told from an unanswered field.
        assert_eq!(answers(plain), expected, "{value} without a label");
    }
}

#[test]
fn hidden_and_unanswered_questions_are_left_out() {
    let read = answers(json!({ "userFieldsResponses": {
        "a": { "label": "A", "value": "x", "isHidden": true },
        "b": { "label": "B", "value": "x", "isHidden": "true" },
        "c": { "label": "C", "isHidden": false },
        "d": { "label": "D", "value": null },
        "e": null,
    } }));
    assert_eq!(read, []);
}

#[test]
fn a_label_is_readable_or_the_slug() {
    let read = answers(json!({ "userFieldsResponses": {
        "a": { "label": "phone_number", "value": "x" },
        "b": { "label": "", "value": "x" },
        "c": { "label": null, "value": "x" },
        "d": { "value": "x" },
        "e": { "label": { "en": "E" }, "value": "x" },
        "f": { "label": " Own_words ", "value": "x" },
    } }));
    let labels: Vec<String> = read.into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["Phone number", "b", "c", "d", "e", "Own_words"]);
}

#[test]
fn older_shapes_count_only_where_the_newer_ones_hold_nothing() {
    let metadata = json!({ "responses": { "name": "Ada", "company": { "label": "Company", "value": "Acme" }, "size": 7 } });
    let custom = json!({ "Company": "Old Acme" });
    assert_eq!(
        answers(json!({ "metadata": metadata, "customInputs": custom })),
        [pair("Company", "Acme"), pair("size", "7")]
    );
    assert_eq!(
        answers(json!({ "metadata": {}, "customInputs": custom })),
        [pair("Company", "Old Acme")]
    );
    let newer = json!({ "q": { "label": "Q", "value": "x" } });
    assert_eq!(
        answers(json!({ "responses": newer, "metadata": metadata, "customInputs": custom })),
        [pair("Q", "x")]
    );
}

#[test]
fn answers_and_texts_have_limits() {
    let many: serde_json::Map<String, Value> =
        (0..200).map(|n| (format!("q{n:03}"), json!("x"))).collect();
    assert_eq!(
        booking(json!({ "userFieldsResponses": many }))
            .answers
            .len(),
        50
    );
    let long = booking(
        json!({ "responses": { "q": "ä".repeat(200_000) }, "additionalNotes": "ö".repeat(200_000) }),
    );
    assert_eq!(long.answers[0].value.chars().count(), 10_000);
    assert_eq!(long.notes.map(|n| n.chars().count()), Some(10_000));
}

#[test]
fn notes_are_the_bookers_and_never_the_hosts_description() {
    let table = [
        (
            json!({ "additionalNotes": "a", "responses": { "notes": { "value": "b" } } }),
            Some("a"),
        ),
        (
            json!({ "additionalNotes": " ", "responses": { "notes": { "value": "b" } } }),
            Some("b"),
        ),
        (
            json!({ "additionalNotes": null, "responses": { "notes": "b" } }),
            Some("b"),
        ),
        (json!({ "description": "host's text" }), None),
    ];
    for (more, notes) in table {
        assert_eq!(booking(more.clone()).notes.as_deref(), notes, "{more}");
    }
}
