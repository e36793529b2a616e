//! Bodies that mean nothing, and bodies broken on purpose.

use serde_json::{Value, json};
use vendors::cal::webhook::{self, Unreadable};

use super::{created, payload, recording, recordings};

fn unreadable(body: &[u8]) -> Unreadable {
    webhook::parse(body).expect_err("it was read")
}

#[test]
fn a_reason_says_what_is_wrong_and_what_to_do() {
    let deep = "[".repeat(200);
    let table: &[(&[u8], &str, &str)] = &[
        (b"", "the body is empty", "look at Cal.com"),
        (b" \r\n\t", "the body is blank", "look at Cal.com"),
        (b"\xef\xbb\xbf", "the body is blank", "look at Cal.com"),
        (b"false", "the body is the literal `false`", "remove the custom payload template"),
        (b" false\n", "the body is the literal `false`", "remove the custom payload template"),
        (b"null", "the literal `null`", "remove the custom payload template"),
        (b"true", "the literal `true`", "remove the custom payload template"),
        (b"17", "a number", "remove the custom payload template"),
        (b"\"x\"", "a JSON text", "remove the custom payload template"),
        (b"[1]", "a JSON list", "remove the custom payload template"),
        (b"event=BOOKING_CREATED&uid=x", "text and no JSON", "remove the custom payload template"),
        (b"{&quot;a&quot;:1}", "HTML-escaped", "remove the custom payload template"),
        (b"Hello O&#x27;Brien", "HTML-escaped", "remove the custom payload template"),
        (b"{\"a\": \"b\" \"c\"}", "broken JSON", "remove the custom payload template"),
        (b"{\"triggerEvent\":\"PING\"} trailing", "broken JSON", "remove the custom payload template"),
        (b"{\"triggerEvent\":\"BOOK", "ends too early", "limit on bodies"),
        (b"{\"title\":\"O&#39;Brien\",", "ends too early", "limit on bodies"),
        (deep.as_bytes(), "128 levels", "look at Cal.com"),
        (b"{}", "an empty JSON object", "nothing to do"),
        (b"{\"content\":\"x\"}", "no triggerEvent", "remove the custom payload template"),
        (b"{\"triggerEvent\":null}", "no triggerEvent", "remove the custom payload template"),
        (b"{\"triggerEvent\":7}", "triggerEvent is no text", "remove the custom payload template"),
        (b"{\"triggerEvent\":\"\"}", "triggerEvent is no text", "remove the custom payload template"),
        (b"{\"triggerEvent\":[\"PING\"]}", "triggerEvent is no text", "remove the custom payload template"),
        (b"{\"title\":\"x\",\"startTime\":\"x\",\"organizer\":{\"name\":\"x\"},\"uid\":\"bk_1\"}", "Zapier", "make a webhook"),
    ];
    for (body, what, next) in table {
        let reason = unreadable(body).reason;
        assert!(reason.contains(what) && reason.contains(next), "{reason}");
    }
}

#[test]
fn a_booking_without_its_essentials_is_unreadable_under_its_own_name() {
    let with = |key: &str, value: Value| {
        let mut payload = payload(json!({}));
        payload[key] = value;
        payload
    };
    let absurd = "x".repeat(201);
    let table = [
        (json!(null), "no payload", None),
        (json!("text"), "no JSON object", None),
        (json!([]), "no JSON object", None),
        (json!({}), "no usable uid", None),
        (with("uid", json!(null)), "no usable uid", None),
        (with("uid", json!(" ")), "no usable uid", None),
        (with("uid", json!({})), "no usable uid", None),
        (with("uid", json!(absurd)), "no usable uid", None),
        (with("startTime", json!(null)), "startTime", Some("bk_1")),
        (
            with("startTime", json!("2026-09-10T14:00:00")),
            "startTime",
            Some("bk_1"),
        ),
        (with("startTime", json!("soon")), "startTime", Some("bk_1")),
        (with("startTime", json!(5)), "startTime", Some("bk_1")),
        (with("endTime", json!("")), "endTime", Some("bk_1")),
        (
            with("endTime", json!("2026-13-40T99:00:00Z")),
            "endTime",
            Some("bk_1"),
        ),
    ];
    for (payload, what, uid) in table {
        let unreadable = unreadable(&created(&payload));
        assert!(
            unreadable.reason.contains(what),
            "{payload}: {}",
            unreadable.reason
        );
        assert_eq!(
            unreadable.trigger.as_deref(),
            Some("BOOKING_CREATED"),
            "{payload}"
        );
        assert_eq!(unreadable.uid.as_deref(), uid, "{payload}");
    }
}

#[test]
fn a_recording_cut_anywhere_is_unreadable_and_never_a_panic() {
    for name in recordings() {
        let body = recording(&name).body;
        for end in (0..body.len()).step_by(97.max(body.len() / 100)) {
            assert!(webhook::parse(&body[..end]).is_err(), "{name} cut at {end}");
        }
    }
}

/// The body; one of absurd length is cut, since many variations of each are read.
fn small_recording(name: &str) -> Vec<u8> {
    let mut body = recording(name).body;
    body.truncate(10_000);
    body
}

/// A small deterministic generator: the same bytes break the same way everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn broken_bytes_never_panic() {
    const PIECES: [&[u8]; 14] = [
        b"\\ud83d",
        b"\\",
        b"\"",
        b"{",
        b"}",
        b"[",
        b"null",
        b"0",
        b"\xff",
        b"\0",
        b"\xe2\x80",
        b",",
        b"\xef\xbb\xbf",
        b":",
    ];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for name in recordings() {
        let body = small_recording(&name);
        for _ in 0..60 {
            let mut broken = body.clone();
            for _ in 0..=dice.below(3) {
                let at = dice.below(broken.len());
                match dice.below(3) {
                    0 => broken[at] ^= 1 << dice.below(8),
                    1 => drop(
                        broken.splice(at..at, PIECES[dice.below(PIECES.len())].iter().copied()),
                    ),
                    _ => drop(broken.drain(at..broken.len().min(at + 9))),
                }
            }
            // Read or unreadable: only a panic would be wrong.
            let _either = webhook::parse(&broken);
        }
    }
}

#[test]
fn values_of_wrong_types_never_panic_and_never_lose_the_booking() {
    let odd = [
        json!(null),
        json!(true),
        json!(-1.5),
        json!(""),
        json!("\u{0}\u{202e}x"),
        json!([[], {}]),
        json!({ "value": [] }),
    ];
    // Each key meets each value in one recording or another.
    let mut odd = odd.iter().cycle();
    for name in recordings() {
        let body = small_recording(&name);
        let body: Value = match serde_json::from_slice(&body) {
            Ok(Value::Object(body)) if body.contains_key("payload") => Value::Object(body),
            Ok(_) | Err(_) => continue,
        };
        let keys: Vec<String> = body["payload"]
            .as_object()
            .expect("a payload")
            .keys()
            .cloned()
            .collect();
        for key in keys {
            let value = odd.next().expect("a cycle has no end");
            let mut changed = body.clone();
            changed["payload"][&key] = value.clone();
            let read = webhook::parse(changed.to_string().as_bytes());
            let is_essential =
                ["uid", "bookingUid", "startTime", "endTime"].contains(&key.as_str());
            assert!(read.is_ok() || is_essential, "{name}: {key} = {value}");
        }
    }
}
