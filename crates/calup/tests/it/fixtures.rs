//! Every recorded delivery, sent as it was recorded, ends as it should; and again, it changes nothing.

use std::fmt::Write as _;

use serde_json::Value;

use crate::world::{Setup, World};

/// A recording: headers and body as they came, and whether its own secret signed it.
struct Recording {
    name: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    secret: String,
    signature_valid: bool,
}

fn recordings(folder: &str) -> Vec<Recording> {
    let path = format!("{}/../../fixtures/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(&path)
        .expect(&path)
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| {
            let recorded: Value =
                serde_json::from_slice(&std::fs::read(path).expect("read")).expect("JSON");
            let kept = [
                "content-type",
                "x-cal-signature-256",
                "x-cal-webhook-version",
                "user-agent",
            ];
            let headers = recorded["headers"].as_object().expect("headers");
            Recording {
                name: path
                    .file_stem()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned(),
                headers: headers
                    .iter()
                    .filter(|(name, _)| kept.contains(&name.to_lowercase().as_str()))
                    .map(|(name, value)| {
                        (name.clone(), value.as_str().unwrap_or_default().to_owned())
                    })
                    .collect(),
                body: recorded["body"]
                    .as_str()
                    .expect("a body")
                    .as_bytes()
                    .to_vec(),
                secret: recorded["secret"].as_str().unwrap_or_default().to_owned(),
                signature_valid: recorded["signature_valid"].as_bool().unwrap_or(true),
            }
        })
        .collect()
}

async fn world_for(recordings: &[Recording]) -> World {
    let mut secrets: Vec<&str> = recordings
        .iter()
        .filter(|r| r.signature_valid)
        .map(|r| r.secret.as_str())
        .collect();
    secrets.sort_unstable();
    secrets.dedup();
    World::with(Setup {
        env: vec![("CALCOM_WEBHOOK_SECRET", secrets.join(","))],
        ..Setup::default()
    })
    .await
}

async fn send(world: &World, recording: &Recording) -> u16 {
    let sent = sim::http::send("POST", &world.hook(), &recording.headers, &recording.body).await;
    sent.expect("calup answers").status
}

/// Sends all of them in order, each after the one before has ended; gives `name → status (reason)` lines.
async fn play(world: &World, recordings: &[Recording]) -> String {
    let mut out = String::new();
    for recording in recordings {
        let answer = send(world, recording).await;
        if !recording.signature_valid {
            assert_eq!(answer, 401, "{}", recording.name);
            let _ = writeln!(out, "{} → refused", recording.name);
            continue;
        }
        assert_eq!(answer, 200, "{}", recording.name);
        world.settle().await;
        let (status, reason) = world.last().await;
        let reason = reason.split(',').next().unwrap_or_default();
        let reason = reason.split(" came with").next().unwrap_or_default();
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!(" ({reason})")
        };
        let _ = writeln!(out, "{} → {status}{reason}", recording.name);
    }
    out
}

/// Who has become a lead, with the status and how much was said.
fn leads_of(world: &World) -> String {
    let mut out = String::new();
    for lead in world.clickup.live_tasks() {
        let email = lead.email.as_deref().unwrap_or("–");
        let _ = writeln!(out, "{email} | {} | {}", lead.status, lead.comments.len());
    }
    out
}

async fn plays(folder: &str, expected: &str, leads: &str) {
    let recordings = recordings(folder);
    let world = world_for(&recordings).await;
    let played = play(&world, &recordings).await;
    assert_eq!(played.trim(), expected.trim(), "{played}");
    let seen = leads_of(&world);
    assert_eq!(seen.trim(), leads.trim(), "{seen}");
    // Once more, and as the worker may find them after a restart: all at once.
    let (before, leads) = (world.clickup.mutations(), world.clickup.live_tasks());
    for recording in recordings.iter().filter(|r| r.signature_valid) {
        assert_eq!(send(&world, recording).await, 200);
    }
    let counts = world.settle().await;
    assert_eq!(
        world.clickup.mutations(),
        before,
        "a second run changes nothing"
    );
    assert_eq!(world.clickup.live_tasks(), leads);
    assert_eq!(counts["dead"], 0, "{counts}");
}

#[tokio::test]
async fn the_composed_deliveries_end_as_they_should() {
    plays("cal-deliveries", COMPOSED, COMPOSED_LEADS).await;
}

#[tokio::test]
async fn the_deliveries_of_a_real_server_end_as_they_should() {
    plays("cal-live", LIVE, LIVE_LEADS).await;
}

const COMPOSED: &str = "
01-ping-test-trigger → ignored (ping)
02-booking-created-cal-video → done
03-booking-created-redelivery-identical → duplicate (the same change)
05-booking-rescheduled-by-attendee → done
07-booking-cancelled-by-attendee → done
08-booking-created-google-meet-guests-metadata → done
09-booking-rescheduled-by-host → done
12-booking-created-static-link-location → done
13-booking-cancelled-host-requested-reschedule → done
14-booking-created-phone-only-attendee → done
15-booking-created-phone-and-email → done
18-booking-created-unicode-injection → done
19-booking-created-huge-notes → done
20-booking-created-custom-questions → done
21-booking-created-self-booking → skipped (self-booking)
22-booking-created-no-attendees → skipped (no attendee)
24-booking-created-seat-1 → done
25-booking-created-seat-2-same-uid → done
26-booking-cancelled-one-seat-only → done
28-booking-created-recurring-1-of-3 → done
29-booking-created-recurring-2-of-3 → done
30-booking-created-recurring-3-of-3 → done
32-booking-created-team-round-robin → done
34-booking-requested → skipped (not confirmed)
35-booking-created-after-confirmation → done
37-booking-payment-initiated → ignored (BOOKING_PAYMENT_INITIATED)
39-booking-no-show-marked → ignored (BOOKING_NO_SHOW_UPDATED)
41-after-hosts-cal-video-no-show → ignored (AFTER_HOSTS_CAL_VIDEO_NO_SHOW)
43-meeting-started-flat → ignored (MEETING_STARTED)
44-meeting-ended-flat → ignored (MEETING_ENDED)
46-recording-ready → ignored (RECORDING_READY)
47-recording-transcription-generated → ignored (RECORDING_TRANSCRIPTION_GENERATED)
49-form-submitted-root-level-fields → ignored (FORM_SUBMITTED)
51-instant-meeting → ignored (INSTANT_MEETING)
52-delegation-credential-error → ignored (DELEGATION_CREDENTIAL_ERROR)
56-custom-template-json → quarantined (the body has no triggerEvent)
59-custom-template-form-urlencoded → quarantined (the body is text and no JSON)
61-json-body-with-form-content-type → duplicate (the same change)
63-no-secret-configured → refused
64-wrong-secret → refused
66-unknown-trigger → ignored (BOOKING_SOMETHING_NEW)
67-booking-cancelled-new-producer-consumer-path → done
68-hosted-2026-07-27-booking-created → done
69-hosted-2026-07-27-booking-location-updated → ignored (BOOKING_LOCATION_UPDATED)
71-hosted-2026-07-27-booking-cancelled → done
72-hosted-2026-07-27-booking-requested → skipped (not confirmed)
75-hosted-2026-07-27-seated-created-seat-1 → done
76-hosted-2026-07-27-seated-created-seat-2-same-uid → done
78-hosted-2026-07-27-recurring-created-1 → done
81-hosted-routing-form-fallback-hit → ignored (ROUTING_FORM_FALLBACK_HIT)
82-old-self-hosted-no-version-header → done
84-hosted-2026-07-27-phone-only → done
";

const LIVE: &str = "
01-booking-created → done
02-duplicate-subscriptions-created-1 → done
03-duplicate-subscriptions-created-2 → duplicate (the same change)
04-duplicate-subscriptions-created-3 → duplicate (the same change)
05-rescheduled-once-by-attendee → done
06-rescheduled-twice-by-host → done
07-cancelled-after-two-reschedules → done
08-created-plain → done
09-cancelled-by-host → done
10-created-plain-2 → done
11-rescheduled-without-rescheduledBy → done
12-requested → skipped (not confirmed)
13-confirmed → done
14-confirmed-then-moved-by-attendee → done
15-moved-then-confirmed → done
16-requested-2 → skipped (not confirmed)
17-rejected → skipped (not confirmed)
18-requested-3 → skipped (not confirmed)
19-cancelled-while-pending → skipped (unknown booking)
20-seated-created-seat-1 → done
21-seated-created-seat-2 → done
22-seated-created-seat-3 → done
23-seated-one-seat-cancelled → done
24-seated-one-seat-rescheduled → done
25-seated-whole-cancelled-by-host → done
26-recurring-created-1 → done
27-recurring-created-2 → done
28-recurring-created-3 → done
29-recurring-one-rescheduled → done
30-recurring-one-cancelled → done
31-recurring-cancel-subsequent → done
32-recurring-created-2-1 → done
33-recurring-created-2-2 → done
34-recurring-created-2-3 → done
35-recurring-cancel-series-uid → done
";

const COMPOSED_LEADS: &str = "
priya.raman@northwindfoods.example | meeting cancelled | 4
J.Weidemann@KRONBERG-LOGISTIK.example | meeting booked | 1
carla.mendes@solviva.example | meeting booked | 1
– | meeting booked | 0
grace@oconnell.example | meeting booked | 0
用户@例え.example | meeting booked | 0
vera@longform.example | meeting booked | 0
dana.whitfield@acme-orchards.example | meeting booked | 0
ingrid@fjordtech.example | meeting cancelled | 1
mateus@pradomoveis.example | meeting booked | 0
femi@adeyemi-studio.example | meeting booked | 2
yuki@matsuda-foods.example | meeting booked | 0
helene@baumgart.example | meeting booked | 0
tova@lindqvist.example | meeting cancelled | 1
mirela@kostova.example | meeting booked | 0
owen@adair.example | meeting booked | 0
paulo@quintela.example | meeting booked | 0
– | meeting booked | 0
";

const LIVE_LEADS: &str = "
mira@okaforhomes.example | meeting booked | 4
jonas@weberbau.example | meeting cancelled | 1
lea@brandt.example | meeting booked | 1
sana@qureshi.example | meeting booked | 2
ana@duarte.example | meeting cancelled | 1
ben@achebe.example | meeting cancelled | 1
cleo@marin.example | meeting booked | 1
dario@conti.example | meeting booked | 5
elin@strand.example | meeting cancelled | 3
";
