//! Every recorded exchange: what the client makes of the answer to what it would ask.

use std::fmt::Debug;

use domain::booking::{Answer, Attendee, Party, Place};
use domain::outcome::Failure;
use jiff::civil::{date, time};
use serde_json::{Value, json};
use sim::cal::api::Server;
use sim::{Fault, Match};
use vendors::cal::api::{
    Booker, Booking, Cal, Cancel, Exception, Hours, Move, NewBooking, NewWebhook, Slot,
    SlotsWanted, Status, Wanted, WebhookChange, Window,
};

use super::{account, at, classed, client, fixture, roomy};

/// What nobody here asks for: making event types, webhooks of one of them, marking people absent, adding guests, changing a
/// place, asking to re-pick, a webhook by its id.
const NOT_ASKED: [&str; 7] = [
    "POST /v2/event-types",
    "/webhooks",
    "/mark-absent",
    "/guests",
    "/location",
    "/request-reschedule",
    "GET /v2/webhooks/",
];

struct Exchange {
    name: String,
    method: String,
    path: String,
    request: Value,
    status: u16,
    body: String,
}

fn exchanges(folder: &str) -> Vec<Exchange> {
    let path = format!("{}/../../fixtures/{folder}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(path).expect("the exchanges");
    let mut names: Vec<String> = files
        .map(|file| file.expect("a file").file_name().into_string())
        .map(|name| name.expect("a name"))
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let it = fixture(&format!("{folder}/{name}"));
            let text = |key: &str| it["request"][key].as_str().expect("a text").to_owned();
            let body = match &it["response"]["body"] {
                Value::String(text) => text.clone(),
                json => json.to_string(),
            };
            let status = it["response"]["status"].as_u64().expect("a status");
            Exchange {
                method: text("method"),
                path: text("path").split('?').next().expect("a path").to_owned(),
                request: it["request"]["body"].clone(),
                status: u16::try_from(status).expect("a status"),
                body,
                name,
            }
        })
        .collect()
}

/// What the client gives for an answer: its uids, ids or starts, as they stand in the answer too.
type Given = Result<Vec<String>, Failure>;

fn uids(bookings: Result<Vec<Booking>, Failure>) -> Given {
    bookings.map(|all| all.into_iter().map(|it| it.uid).collect())
}

async fn ask(cal: &Cal, exchange: &Exchange) -> Option<Given> {
    let Exchange {
        method,
        path,
        request,
        ..
    } = exchange;
    let line = format!("{method} {path}");
    let event_type_webhooks = path.contains("/event-types/") && path.contains("/webhooks");
    let is_asked = |it: &&str| match *it {
        "/webhooks" => event_type_webhooks,
        exact @ "POST /v2/event-types" => line == exact,
        part => line.contains(part),
    };
    if NOT_ASKED.iter().any(is_asked) {
        return None;
    }
    let text = |key: &str| request[key].as_str().map(str::to_owned);
    let start = || at(&text("start").unwrap_or("2026-12-01T10:00:00Z".to_owned()));
    let one = |it: Result<Booking, Failure>| it.map(|it| vec![it.uid]);
    let parts: Vec<&str> = path.trim_start_matches("/v2/").split('/').collect();
    Some(match (method.as_str(), parts.as_slice()) {
        ("GET", ["me"]) => cal.me().await.map(|it| vec![it.id.to_string()]),
        ("GET", ["event-types"]) => {
            let listed = cal.event_types().await;
            listed.map(|all| all.iter().map(|it| it.id.to_string()).collect())
        }
        ("GET", ["event-types", id]) => {
            let read = cal.event_type(id.parse().expect("an id")).await;
            read.map(|it| vec![it.id.to_string()])
        }
        ("POST", ["event-types", _, "private-links"]) => {
            let made = cal.one_off_link(6_900_101, "intro-call").await;
            made.map(|it| vec![it.id])
        }
        ("GET", ["slots", ..]) => {
            let wanted = SlotsWanted {
                event_type_id: 1,
                window: Window {
                    from: at("2026-01-01T00:00:00Z"),
                    until: at("2027-01-01T00:00:00Z"),
                },
                time_zone: None,
                minutes: None,
                instead_of: None,
            };
            let slots = cal.slots(&wanted).await;
            slots.map(|all| vec![all.len().to_string()])
        }
        ("GET", ["schedules", "default"]) => {
            let read = cal.default_schedule().await;
            read.map(|it| vec![it.id.to_string()])
        }
        ("GET", ["bookings"]) => {
            let listed = cal
                .bookings(&Wanted {
                    limit: 5,
                    ..Wanted::default()
                })
                .await;
            uids(listed.map(|it| it.bookings))
        }
        ("GET", ["bookings", uid]) => one(cal.booking(uid).await),
        ("POST", ["bookings"]) => {
            let new = NewBooking {
                event_type_id: request["eventTypeId"].as_i64().unwrap_or(1),
                start: start(),
                minutes: None,
                booker: Booker {
                    name: "Ada".to_owned(),
                    email: Some("ada@x.example".to_owned()),
                    phone: None,
                    time_zone: "Europe/Paris".to_owned(),
                },
                guests: Vec::new(),
                answers: serde_json::Map::new(),
                metadata: Vec::new(),
                place: None,
            };
            uids(cal.book(&new).await)
        }
        ("POST", ["bookings", uid, "reschedule"]) => {
            one(cal.reschedule(uid, start(), &Move::default()).await)
        }
        ("POST", ["bookings", uid, "cancel"]) => uids(cal.cancel(uid, "ill", &Cancel::Whole).await),
        ("POST", ["bookings", uid, "confirm"]) => one(cal.confirm(uid).await),
        ("POST", ["bookings", uid, "decline"]) => one(cal.decline(uid, None).await),
        ("GET", ["webhooks"]) => {
            let listed = cal.webhooks().await;
            listed.map(|all| all.into_iter().map(|it| it.id).collect())
        }
        ("POST", ["webhooks"]) => {
            let new = NewWebhook {
                url: "https://calup.example/hook".to_owned(),
                triggers: Vec::new(),
                secret: "shh".into(),
            };
            cal.create_webhook(&new).await.map(|it| vec![it.id])
        }
        ("PATCH", ["webhooks", id]) => {
            let changed = cal.update_webhook(id, &WebhookChange::default()).await;
            changed.map(|it| vec![it.id])
        }
        ("DELETE", ["webhooks", id]) => cal.delete_webhook(id).await.map(|()| Vec::new()),
        // By OAuth: in another file.
        ("POST", ["auth", ..]) => return None,
        other => panic!("{other:?} is asked by nobody"),
    })
}

/// How a refusal has to end.
fn expected(exchange: &Exchange) -> &'static str {
    let writes = exchange.method != "GET";
    match (exchange.status, exchange.method.as_str()) {
        (401, _) => "operator",
        // Somebody else's event type.
        (403 | 400 | 409, _) => "refused",
        // It is gone: that was wanted.
        (404, "DELETE") => "done",
        (404, _) if exchange.body.contains("Cannot ") => "operator",
        (404, _) => "gone",
        (429, _) => "limited",
        _ if writes => "unknown",
        _ => "transient",
    }
}

async fn check(server: &Server, cal: &Cal, exchange: &Exchange) -> bool {
    let fault = Fault::Status(exchange.status, exchange.body.clone());
    server.fault(Match::any(), fault, sim::faults::ALWAYS);
    let given = ask(cal, exchange).await;
    server.clear_faults();
    let Some(given) = given else {
        return false;
    };
    let name = &exchange.name;
    if exchange.status >= 300 {
        assert_eq!(classed(&given), expected(exchange), "{name}: {given:?}");
        return true;
    }
    // Version 2026-05-01 is not asked for, and the oldest one is recognised.
    let is_old = exchange.body.contains("\"data\":{\"bookings\"");
    if is_old {
        assert_eq!(classed(&given), "operator", "{name}");
        return true;
    }
    let given = given.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    if name.contains("slots") {
        let starts = ["\"start\"", "\"time\""].map(|key| exchange.body.matches(key).count());
        assert_eq!(given, [starts.iter().sum::<usize>().to_string()], "{name}");
        return true;
    }
    let listed: Value = serde_json::from_str(&exchange.body).expect("JSON");
    let count = listed["data"].as_array().map_or(1, Vec::len);
    let is_one = exchange.method == "GET" && exchange.path.matches('/').count() == 3;
    let is_list_of_bookings = exchange.method == "GET" && exchange.path == "/v2/bookings";
    let count = match () {
        () if exchange.method == "DELETE" => 0,
        () if is_one => 1,
        () if is_list_of_bookings => count.min(5),
        () => count,
    };
    assert_eq!(given.len(), count, "{name}");
    for it in given {
        assert!(exchange.body.contains(&it), "{name}: {it}");
    }
    true
}

#[tokio::test]
async fn every_recorded_answer_is_understood() {
    let server = account(roomy()).await;
    let mut cal = client(&server);
    let mut asked = Vec::new();
    for folder in ["cal-api", "cal-live-api"] {
        let mut count = 0;
        for exchange in exchanges(folder) {
            count += usize::from(check(&server, &cal, &exchange).await);
            if exchange.status == 429 {
                // A limit that was heard of lasts.
                cal = client(&server);
            }
        }
        asked.push((folder, count));
    }
    assert_eq!(asked, [("cal-api", 38), ("cal-live-api", 79)]);
}

/// What the client makes of one answer.
async fn read<T: Debug>(path: &str, ask: impl AsyncFnOnce(Cal) -> Result<T, Failure>) -> T {
    let server = account(roomy()).await;
    let it = fixture(path);
    let body = match &it["response"]["body"] {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    server.fault(Match::any(), Fault::Status(200, body), 1);
    ask(client(&server))
        .await
        .expect("an answer that is understood")
}

#[tokio::test]
async fn a_recorded_booking_is_read_whole() {
    let booking = read(
        "cal-live-api/22-booking-reschedule-by-attendee.json",
        async |cal| cal.booking("7wajuUUJQpmmaHY91XWXoR").await,
    )
    .await;
    assert_eq!(
        booking,
        Booking {
            uid: "3PwTDiURvU951pk8gfkG8c".to_owned(),
            id: 990_003,
            title: "Intro call between Nora Lindqvist and Mira Okafor".to_owned(),
            status: Status::Accepted,
            start: at("2026-12-01T10:00:00Z"),
            end: at("2026-12-01T10:30:00Z"),
            event_type_id: Some(880_101),
            event_type_slug: Some("intro-call".to_owned()),
            hosts: vec![Party {
                name: "Nora Lindqvist".to_owned(),
                email: "nora@brightharbor.example".to_owned(),
                time_zone: "Europe/Stockholm".to_owned(),
            }],
            attendees: vec![Attendee {
                name: "Mira Okafor".to_owned(),
                email: "Mira@OkaforHomes.example".to_owned(),
                time_zone: "Europe/Paris".to_owned(),
                no_show: Some(false),
                ..Attendee::default()
            }],
            place: Place {
                join_link: Some("https://meet.example.com/nora".to_owned()),
                text: None,
            },
            notes: None,
            answers: Vec::new(),
            pointer: None,
            cancellation_reason: None,
            reschedule_reason: Some("Child is ill".to_owned()),
            moved_from: Some("7wajuUUJQpmmaHY91XWXoR".to_owned()),
            moved_to: None,
            series: None,
            ical_uid: Some("7wajuUUJQpmmaHY91XWXoR@Cal.diy".to_owned()),
            created_at: Some(at("2026-11-22T23:25:24.158Z")),
            updated_at: Some(at("2026-11-22T23:25:24.345Z")),
        }
    );
}

#[tokio::test]
async fn answers_seats_phones_and_places_are_read() {
    let booked = read("cal-live-api/15-booking-create.json", async |cal| {
        cal.booking("1xypHADt6rUrfHQLtXUqfw").await
    })
    .await;
    let answer = |slug: &str, value: &str| Answer {
        label: slug.to_owned(),
        slug: slug.to_owned(),
        value: value.to_owned(),
    };
    assert_eq!(
        booked.answers,
        [
            answer("company", "O'Brien & Söhne"),
            answer("deal-size", "1-5M")
        ]
    );
    assert_eq!(
        booked.notes.as_deref(),
        Some("Looking for a <b>flat</b> & parking")
    );
    assert_eq!(booked.attendees[1].email, "guest.one@okaforhomes.example");

    let seated = read("cal-live-api/50-seated-get.json", async |cal| {
        cal.booking("o5GwGZSfwjU9Eef3wpr8n9").await
    })
    .await;
    let seats: Vec<Option<&str>> = seated
        .attendees
        .iter()
        .map(|it| it.seat.as_deref())
        .collect();
    assert_eq!(
        seats,
        [
            Some("3f98c177-4262-42c7-8aa3-22c1546b0395"),
            Some("79c20b41-e739-4f6d-8482-45823c1854bf"),
            Some("7e9f63f4-4010-4539-960a-a3a1ebb06413")
        ]
    );

    let by_phone = read("cal-api/booking-get-phone-only.json", async |cal| {
        cal.booking("pH0nEoNlY5aBcDeFgHiJkL").await
    })
    .await;
    let amadou = &by_phone.attendees[0];
    assert_eq!(
        (
            amadou.name.as_str(),
            amadou.email.as_str(),
            amadou.phone.as_deref()
        ),
        ("Amadou Diallo", "", Some("+15550104477"))
    );

    let video = read("cal-live-api/70-video-create.json", async |cal| {
        cal.booking("3CV6whRrx828rnxKsqUVkM").await
    })
    .await;
    assert_eq!(video.place.text.as_deref(), Some("Cal Video"));
    let moved = read(
        "cal-api/booking-get-original-after-reschedule.json",
        async |cal| cal.booking("hB7QmWc2TzvLr5NdXk81Pa").await,
    )
    .await;
    assert_eq!(moved.status, Status::Cancelled);
    assert_eq!(moved.moved_to.as_deref(), Some("kV3ZtYn9QpRs4HgJw62MbE"));
    assert!(!moved.stands());
}

#[tokio::test]
async fn event_types_are_read_with_what_a_link_and_a_booking_need() {
    let hosted = read("cal-api/event-types-list.json", async |cal| {
        cal.event_types().await
    })
    .await;
    let told: Vec<_> = hosted
        .iter()
        .map(|it| {
            (
                it.slug.as_str(),
                it.minutes,
                it.needs_confirmation,
                it.seats_per_slot,
            )
        })
        .collect();
    assert_eq!(told[0], ("intro-call", 15, false, None));
    assert_eq!(told[1], ("consult", 30, true, None));
    assert_eq!(
        hosted[0].booking_url.as_deref(),
        Some("https://cal.com/ingrid-solheim/intro-call")
    );
    let live = read("cal-live-api/09-event-types-list-own.json", async |cal| {
        cal.event_types().await
    })
    .await;
    let intro = &live[0];
    let asked: Vec<&str> = intro.questions.iter().map(|it| it.slug.as_str()).collect();
    assert_eq!(
        asked,
        [
            "name",
            "email",
            "location",
            "company",
            "deal-size",
            "notes",
            "guests",
            "rescheduleReason"
        ]
    );
    assert_eq!(intro.questions[4].options, ["< 1M", "1-5M", "> 5M"]);
    assert_eq!(intro.venues[0].detail, "https://meet.example.com/nora");
    assert_eq!(live[2].seats_per_slot, Some(4));
    assert_eq!(live[3].occurrences, Some(3));
    assert!(live[1].needs_confirmation && !intro.needs_confirmation);
}

#[tokio::test]
async fn schedules_are_read_with_their_exceptions() {
    let schedule = read("cal-api/schedules-default.json", async |cal| {
        cal.default_schedule().await
    })
    .await;
    let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
    assert_eq!(
        schedule.hours,
        [Hours {
            days: days.map(str::to_owned).into(),
            from: time(9, 0, 0, 0),
            until: time(17, 0, 0, 0),
        }]
    );
    assert_eq!(
        schedule.exceptions,
        [Exception {
            date: date(2026, 12, 24),
            from: time(10, 0, 0, 0),
            until: time(12, 0, 0, 0),
        }]
    );
}

#[tokio::test]
async fn slots_are_read_in_each_of_their_shapes() {
    let slots = async |path: &str| {
        read(path, async |cal| {
            let window = Window {
                from: at("2026-09-15T00:00:00Z"),
                until: at("2026-09-23T00:00:00Z"),
            };
            let wanted = SlotsWanted {
                event_type_id: 1,
                window,
                time_zone: None,
                minutes: None,
                instead_of: None,
            };
            cal.slots(&wanted).await
        })
        .await
    };
    let first = async |path: &str| slots(path).await.swap_remove(0);
    let free = |start: &str, end: Option<&str>, seats_left| Slot {
        start: at(start),
        end: end.map(at),
        seats_left,
    };
    assert_eq!(
        first("cal-api/slots-range.json").await,
        free("2026-09-15T16:00:00Z", Some("2026-09-15T16:15:00Z"), None)
    );
    assert_eq!(
        first("cal-api/slots-time.json").await,
        free("2026-09-15T16:00:00Z", None, None)
    );
    assert_eq!(
        first("cal-api/slots-seated.json").await,
        free("2026-09-22T15:00:00Z", None, Some(4))
    );
    assert!(slots("cal-api/slots-empty.json").await.is_empty());
}

#[tokio::test]
async fn a_webhook_tells_what_a_check_needs_and_keeps_its_secret() {
    let webhooks = read("cal-api/webhooks-list.json", async |cal| {
        cal.webhooks().await
    })
    .await;
    let told: Vec<_> = webhooks
        .iter()
        .map(|it| (it.has_template, it.secret.is_some(), it.version.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (false, true, Some("2026-07-27")),
            (true, false, Some("2021-10-20"))
        ]
    );
    let secret =
        fixture("cal-api/webhooks-list.json")["response"]["body"]["data"][0]["secret"].clone();
    assert_eq!(secret, json!("whsec_test_9f3c"));
    assert!(!format!("{webhooks:?}").contains("whsec_test_9f3c"));
}
