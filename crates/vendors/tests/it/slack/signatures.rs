//! Which interactions are Slack's.

use jiff::{SignedDuration, Timestamp};
use sim::slack::{Click, Signing};
use vendors::slack::interaction::{Rejected, SIGNATURE_HEADER, TIMESTAMP_HEADER, sign, verify};

use super::{ROBIN, client, fixture, question, workspace};

const SECRET: &[u8] = b"shh";
const AT: &str = "1795388560";

fn now() -> Timestamp {
    Timestamp::from_second(1_795_388_560).expect("a time")
}

#[test]
fn the_recorded_interaction_verifies() {
    let recorded = fixture("interaction.block_actions.button.json");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let headers = &recorded["http"]["headers"];
    let secret = text(&recorded["signing_secret"]);
    let body = text(&recorded["http"]["raw_body"]);
    let (at, signature) = (
        text(&headers["X-Slack-Request-Timestamp"]),
        text(&headers["X-Slack-Signature"]),
    );
    let verified = verify(secret.as_bytes(), &at, &signature, body.as_bytes(), now());
    assert_eq!(verified, Ok(()));
    let other = body.replacen("block_actions", "block_action", 1);
    let verified = verify(secret.as_bytes(), &at, &signature, other.as_bytes(), now());
    assert_eq!(verified, Err(Rejected::Forged));
}

#[test]
fn only_the_exact_form_and_the_right_secret_verify() {
    use Rejected::{Forged, Malformed};
    let good = sign(SECRET, AT, b"x");
    let upper = good.to_uppercase().replace("V0", "v0");
    let other = sign(b"other", AT, b"x");
    for (at, signature, is) in [
        (AT, good.as_str(), Ok(())),
        (AT, &other, Err(Forged)),
        ("1795388561", &good, Err(Forged)),
        (AT, &upper, Err(Malformed)),
        (AT, &good[..good.len() - 1], Err(Malformed)),
        (AT, &good[3..], Err(Malformed)),
        (AT, &format!("{good} "), Err(Malformed)),
        (AT, "", Err(Malformed)),
        (AT, "v0=", Err(Malformed)),
        (AT, "v1=00", Err(Malformed)),
        ("", &good, Err(Malformed)),
        ("+1795388560", &good, Err(Malformed)),
        (" 1795388560", &good, Err(Malformed)),
        ("1795388560.0", &good, Err(Malformed)),
        ("99999999999999999999", &good, Err(Malformed)),
        ("9223372036854775807", &good, Err(Rejected::Stale)),
    ] {
        assert_eq!(
            verify(SECRET, at, signature, b"x", now()),
            is,
            "{at} {signature}"
        );
    }
    let empty = sign(b"", AT, b"x");
    assert_eq!(verify(b"", AT, &empty, b"x", now()), Err(Forged));
}

#[test]
fn five_minutes_either_way_are_the_window() {
    let good = sign(SECRET, AT, b"x");
    for (seconds, is) in [
        (-301, false),
        (-300, true),
        (0, true),
        (300, true),
        (301, false),
    ] {
        let now = now() + SignedDuration::from_secs(seconds);
        let verified = verify(SECRET, AT, &good, b"x", now);
        assert_eq!(verified.is_ok(), is, "{seconds}: {verified:?}");
    }
}

#[tokio::test]
async fn the_stand_in_s_clicks_verify_when_they_should() {
    let sim = workspace().await;
    let ts = client(&sim)
        .post(&question("Ada", "m"))
        .await
        .expect("it is posted");
    for (signing, is) in [
        (Signing::Right, Ok(())),
        (Signing::Old(299), Ok(())),
        (Signing::Old(310), Err(Rejected::Stale)),
        (Signing::Old(-310), Err(Rejected::Stale)),
        (Signing::Forged, Err(Rejected::Forged)),
        (Signing::Missing, Err(Rejected::Malformed)),
    ] {
        let signed = sim.signed(&Click::new(ROBIN, &ts, "calup_new").signing(signing));
        let header = |name: &str| {
            let mut headers = signed.headers.iter();
            let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map_or("", |(_, value)| value.as_str())
        };
        let verified = verify(
            sim.signing_secret().as_bytes(),
            header(TIMESTAMP_HEADER),
            header(SIGNATURE_HEADER),
            &signed.body,
            Timestamp::now(),
        );
        assert_eq!(verified, is, "{signing:?}");
    }
}
