//! What Cal.com tells beside bookings, moves and cancellations; and what the settings make of each trigger.

use std::time::Duration;

use sim::cal::{Booking, Cal, Delivery, Host, Person};

use crate::world::{BROKERS, INBOUND, Setup, World};

const START: &str = "2090-05-04T10:00:00Z";
const EMAIL: &str = "ada@byrd.example";

async fn with(env: Vec<(&'static str, String)>) -> (World, Cal, Booking, String) {
    let world = World::with(Setup {
        env,
        ..Setup::default()
    })
    .await;
    let lead = world.clickup.add_task(BROKERS, "Ada Byrd", Some(EMAIL));
    let cal = world.cal();
    let booking = cal.book(&Person::new("Ada Byrd", EMAIL), START, 30);
    (world, cal, booking, lead)
}

async fn comes(world: &World, delivery: &Delivery) {
    assert_eq!(world.deliver(delivery.body.clone()).await, 200);
}

/// Delivers it and says how it ended, with what was said last on the lead.
async fn told(world: &World, lead: &str, delivery: &Delivery) -> (String, String) {
    comes(world, delivery).await;
    world.settle().await;
    let (status, reason) = world.ending(&delivery.body).await;
    let comments = world.clickup.task(lead).expect("the lead").comments;
    let last = comments.last().map(|c| c.text.clone()).unwrap_or_default();
    (format!("{status} {reason}").trim().to_owned(), last)
}

#[tokio::test]
async fn what_is_told_of_a_booking_reaches_its_lead_with_its_own_words() {
    let (world, _cal, booking, lead) = with(Vec::new()).await;
    comes(&world, &booking.created()).await;
    world.settle().await;
    let (_, moved_place) = booking.location_updated("https://meet.example/new-room");
    let (_, new_host) = booking.reassigned(&Host::new("Omar Haddad", "omar@lindqvist.example"));
    for (delivery, says, also) in [
        (
            booking.payment_initiated(15_000, "eur"),
            "Payment begun",
            "150.00 EUR",
        ),
        (booking.paid(15_000, "eur"), "Paid", "150.00 EUR"),
        (
            moved_place,
            "Place changed",
            "https://meet.example/new-room",
        ),
        (new_host, "Host changed", "Omar Haddad"),
        (booking.no_show(true), "No-show", "Ada Byrd"),
        (booking.no_show(false), "No-show taken back", "Ada Byrd"),
        (booking.host_no_show(), "The host did not join", "Host"),
        (
            booking.guests_no_show(),
            "Nobody joined the host",
            "Ada Byrd",
        ),
        (
            booking.recording_ready("https://app.cal.com/recording/1"),
            "Recording ready",
            "https://app.cal.com/recording/1",
        ),
        (
            booking.transcript_ready(
                "https://app.cal.com/recording/1",
                "https://storage.example/1.txt",
            ),
            "Transcript ready",
            "https://storage.example/1.txt",
        ),
    ] {
        let calls = world.clickup.calls();
        let (ended, comment) = told(&world, &lead, &delivery).await;
        assert_eq!(ended, "done", "{says}");
        assert!(comment.starts_with(says), "{says}: {comment}");
        assert!(comment.contains(also), "{says}: {comment}");
        assert!(world.clickup.calls() - calls <= 3, "{says}");
        // The same once more, as another subscription sends it.
        let (again, _) = told(&world, &lead, &delivery.restamped()).await;
        assert!(again.starts_with("duplicate"), "{says}: {again}");
    }
    let task = world.clickup.task(&lead).expect("the lead");
    assert_eq!(task.comments.len(), 11);
    assert_eq!(task.status, "meeting booked");
    for shown in ["new-room", "Omar Haddad", "recording/1", "1.txt"] {
        assert!(task.markdown.contains(shown), "{shown}: {}", task.markdown);
    }
}

#[tokio::test]
async fn a_note_waits_for_its_booking_without_holding_it_up() {
    let (world, _cal, booking, lead) = with(Vec::new()).await;
    let paid = booking.paid(2_500, "usd");
    comes(&world, &paid).await;
    world
        .until("the payment waits", async || {
            let (status, reason) = world.ending(&paid.body).await;
            status == "waiting" && reason.contains("its booking")
        })
        .await;
    comes(&world, &booking.created()).await;
    assert_eq!(world.settle_within(Duration::from_secs(4)).await["done"], 2);
    let comments = world.clickup.task(&lead).expect("the lead").comments;
    let heads: Vec<&str> = comments.iter().map(|c| &c.text[..4]).collect();
    assert_eq!(heads, ["Meet", "Paid"]);
}

#[tokio::test]
async fn a_note_of_a_booking_that_never_comes_is_skipped_after_its_time() {
    let (world, _cal, booking, lead) =
        with(vec![("CALUP_UNKNOWN_BOOKING_SECONDS", "1.5".into())]).await;
    for delivery in [booking.no_show(true), booking.paid(100, "eur")] {
        comes(&world, &delivery).await;
    }
    assert_eq!(world.settle().await["skipped"], 2);
    assert_eq!(
        world.last().await,
        ("skipped".into(), "unknown booking".into())
    );
    assert!(
        world
            .clickup
            .task(&lead)
            .expect("the lead")
            .comments
            .is_empty()
    );
    // The booking comes after all: it tells what was told nowhere.
    let stranger = world
        .cal()
        .book(&Person::new("Bo Lind", "bo@lind.example"), START, 30);
    comes(&world, &stranger.paid(2_500, "usd")).await;
    world.settle().await;
    comes(&world, &stranger.created()).await;
    world.settle().await;
    let leads = world.clickup.tasks_in(INBOUND);
    assert!(
        leads[0].markdown.contains("25.00 USD"),
        "{}",
        leads[0].markdown
    );
}

#[tokio::test]
async fn what_starts_ends_and_is_filled_in_is_ignored_by_default() {
    let (world, cal, booking, lead) = with(Vec::new()).await;
    comes(&world, &booking.created()).await;
    world.settle().await;
    let calls = world.clickup.calls();
    let form = cal.form("Talk to sales", &[("Work email", "new@lead.example")]);
    for (delivery, name) in [
        (booking.meeting_started(), "MEETING_STARTED"),
        (booking.meeting_ended(), "MEETING_ENDED"),
        (form, "FORM_SUBMITTED"),
        (cal.ping(), "ping"),
    ] {
        let (ended, _) = told(&world, &lead, &delivery).await;
        assert_eq!(ended, format!("ignored {name}"));
    }
    assert_eq!(world.clickup.calls(), calls, "no call is made for them");
}

#[tokio::test]
async fn a_form_that_is_asked_for_makes_a_lead_or_tells_the_one_there_is() {
    let (world, cal, _booking, lead) =
        with(vec![("CALUP_ON_FORM_SUBMITTED", "comment".into())]).await;
    let of = |email: &'static str| {
        cal.form(
            "Talk to sales",
            &[
                ("Name", "Bo Lind"),
                ("Work email", email),
                ("Company size", "51-200"),
            ],
        )
    };
    let known = of(EMAIL);
    let (ended, comment) = told(&world, &lead, &known).await;
    assert_eq!(ended, "done");
    assert!(
        comment.starts_with("Form filled in: Talk to sales"),
        "{comment}"
    );
    assert!(comment.contains("51-200"), "{comment}");
    let unknown = of("bo@lind.example");
    comes(&world, &unknown).await;
    comes(&world, &unknown.restamped()).await;
    world.settle().await;
    let leads = world.clickup.tasks_in(INBOUND);
    assert_eq!(leads.len(), 1);
    assert_eq!(leads[0].name, "Bo Lind");
    assert_eq!(leads[0].email.as_deref(), Some("bo@lind.example"));
    assert!(
        leads[0].markdown.contains("51-200"),
        "{}",
        leads[0].markdown
    );
}

#[tokio::test]
async fn each_trigger_is_switched_by_its_setting() {
    let (world, _cal, booking, lead) = with(vec![
        ("CALUP_ON_BOOKING_CREATED", "comment".into()),
        ("CALUP_ON_BOOKING_CANCELLED", "off".into()),
        ("CALUP_ON_MEETING_ENDED", "comment".into()),
        ("CLICKUP_STATUS_NO_SHOW", "Lost".into()),
    ])
    .await;
    let (ended, comment) = told(&world, &lead, &booking.created()).await;
    assert_eq!(ended, "done");
    assert!(comment.starts_with("Meeting booked"), "{comment}");
    let task = world.clickup.task(&lead).expect("the lead");
    assert_eq!(
        (task.status.as_str(), task.markdown.as_str()),
        ("to do", "")
    );
    let (ended, comment) = told(&world, &lead, &booking.meeting_ended()).await;
    assert_eq!(ended, "done");
    assert!(comment.starts_with("Meeting ended"), "{comment}");
    // Nothing that calup set is there to be moved.
    let (_, comment) = told(&world, &lead, &booking.no_show(true)).await;
    assert!(comment.starts_with("No-show"), "{comment}");
    let task = world.clickup.task(&lead).expect("the lead");
    assert_eq!(task.status, "to do");
    let (ended, _) = told(&world, &lead, &booking.cancelled(None, None)).await;
    assert_eq!(ended, "ignored BOOKING_CANCELLED");
}

#[tokio::test]
async fn a_no_show_moves_the_status_that_calup_set() {
    let (world, _cal, booking, lead) = with(vec![("CLICKUP_STATUS_NO_SHOW", "Lost".into())]).await;
    for (delivery, status) in [
        (booking.created(), "meeting booked"),
        (
            booking.no_show(true).stamped("2090-05-04T10:10:00Z"),
            "lost",
        ),
        (
            booking.no_show(false).stamped("2090-05-04T10:11:00Z"),
            "meeting booked",
        ),
        (
            booking.guests_no_show().stamped("2090-05-04T10:12:00Z"),
            "lost",
        ),
    ] {
        told(&world, &lead, &delivery).await;
        assert_eq!(world.clickup.task(&lead).expect("the lead").status, status);
    }
}

#[tokio::test]
async fn guests_with_a_lead_are_told_when_asked_for_and_make_none() {
    let (world, cal, _booking, lead) = with(vec![("CALUP_GUESTS", "match".into())]).await;
    let guest = world
        .clickup
        .add_task(BROKERS, "Gus", Some("gus@guest.example"));
    let mut person = Person::new("Ada Byrd", EMAIL);
    person.guests = vec!["gus@guest.example".into(), "nobody@guest.example".into()];
    let booking = cal.book(&person, START, 30);
    for (delivery, says) in [
        (booking.created(), "As a guest: meeting booked"),
        (
            booking.cancelled(None, None),
            "As a guest: meeting cancelled",
        ),
    ] {
        let (ended, _) = told(&world, &guest, &delivery).await;
        assert_eq!(ended, "done");
        let task = world.clickup.task(&guest).expect("the guest");
        let last = &task.comments.last().expect("a comment").text;
        assert!(last.starts_with(says), "{last}");
        assert_eq!(
            (task.status.as_str(), task.markdown.as_str()),
            ("to do", "")
        );
    }
    assert_eq!(
        world.clickup.task(&lead).expect("the lead").comments.len(),
        2
    );
    assert_eq!(world.clickup.live_tasks().len(), 2);
}

#[tokio::test]
async fn a_wording_of_one_s_own_is_shown_and_used() {
    let template = "{{ name }} booked {{ title }}\n{{ when }}";
    let (world, _cal, booking, lead) =
        with(vec![("CALUP_TEXT_BOOKING_CREATED", template.into())]).await;
    let (_, comment) = told(&world, &lead, &booking.created()).await;
    assert!(comment.starts_with("Ada Byrd booked "), "{comment}");
    let (shown, _, code) = world.calup.run(&["wording", "BOOKING_CREATED"]);
    assert_eq!(code, 0);
    assert!(shown.contains("Priya Raman booked Intro call"), "{shown}");
    let (list, _, code) = world.calup.run(&["wording"]);
    assert!(code == 0 && list.contains("your own"), "{list}");
    let (_, error, code) = world
        .calup
        .run(&["wording", "BOOKING_PAID", "--text", "{{ nmae }}"]);
    assert_eq!(code, 1);
    assert!(
        error.contains("BOOKING_PAID") && error.contains("undefined"),
        "{error}"
    );
}

#[tokio::test]
async fn deliveries_without_a_signature_are_counted_apart_and_told() {
    let (world, _cal, booking, _lead) = with(Vec::new()).await;
    for delivery in [
        booking.meeting_ended().unsigned(),
        booking.meeting_ended().with_signature("no-secret-provided"),
        booking.created().signed_with("other"),
    ] {
        let sent = sim::http::send("POST", &world.hook(), &delivery.headers, &delivery.body).await;
        assert_eq!(sent.expect("calup answers").status, 401);
    }
    let ready = world.get("/readyz").await;
    assert_eq!(ready["refused"]["unsigned"], 2, "{ready}");
    assert_eq!(ready["refused"]["wrong_signature"], 1, "{ready}");
    world
        .until("the operator is told", async || {
            let notices = world.get("/api/notices").await.to_string();
            notices.contains("without a signature") && notices.contains("MEETING_ENDED")
        })
        .await;
}

#[tokio::test]
async fn what_a_guest_is_told_of_never_makes_the_meeting_theirs() {
    let (world, cal, _booking, lead) = with(Vec::new()).await;
    let guest = world
        .clickup
        .add_task(BROKERS, "Gus", Some("gus@guest.example"));
    let mut person = Person::new("Ada Byrd", EMAIL);
    person.guests = vec!["gus@guest.example".into()];
    let booking = cal.book(&person, START, 30);
    told(&world, &lead, &booking.created()).await;
    world.clickup.human_delete(&lead);
    let marked = booking.no_show(true).edited(|body| {
        body["payload"]["attendees"][0]["email"] = "gus@guest.example".into();
    });
    comes(&world, &marked).await;
    comes(&world, &booking.cancelled(None, None)).await;
    world.settle().await;
    let task = world.clickup.task(&guest).expect("the guest");
    assert_eq!((task.comments.len(), task.markdown.as_str()), (0, ""));
    assert_eq!(world.last().await.1, "deleted task");
}

#[tokio::test]
async fn a_recording_of_a_seated_event_reaches_every_seat_holder_and_a_payment_its_own() {
    let world = World::start().await;
    let session = world.cal().seated(START, 30, 5);
    let seats: Vec<_> = ["ana@seat.example", "ben@seat.example"]
        .into_iter()
        .map(|email| session.seat_created(&Person::new(email, email)))
        .collect();
    for (_, created) in &seats {
        comes(&world, created).await;
    }
    world.settle().await;
    let uid = seats[0].1.payload()["uid"].clone();
    let recording = world
        .cal()
        .book(&Person::new("Ana", "ana@seat.example"), START, 30)
        .recording_ready("https://app.cal.com/recording/1")
        .edited(|body| {
            body["payload"]["uid"] = uid;
            let also = serde_json::json!({"name": "Ben", "email": "ben@seat.example"});
            body["payload"]["attendees"]
                .as_array_mut()
                .expect("a list")
                .push(also);
        });
    comes(&world, &recording).await;
    world.settle().await;
    for task in world.clickup.tasks_in(INBOUND) {
        assert!(
            task.markdown.contains("recording/1"),
            "{}: {}",
            task.name,
            task.markdown
        );
        assert_eq!(task.comments.len(), 1, "{}", task.name);
    }
    let paid = seats[1].1.edited(|body| {
        body["triggerEvent"] = "BOOKING_PAID".into();
        body["payload"]["price"] = 2_500.into();
        body["payload"]["currency"] = "eur".into();
    });
    comes(&world, &paid).await;
    world.settle().await;
    let told: Vec<usize> = world
        .clickup
        .tasks_in(INBOUND)
        .iter()
        .map(|t| t.comments.len())
        .collect();
    assert_eq!(told.iter().sum::<usize>(), 3, "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_says_what_then_happens() {
    let (world, _cal, booking, lead) = with(Vec::new()).await;
    let plan = |delivery: &Delivery| {
        let file = world.calup.dir.join("body.json");
        std::fs::write(&file, &delivery.body).expect("a file");
        let (out, error, code) = world.calup.run(&["plan", "body.json", "--json"]);
        assert_eq!(code, 0, "{error}");
        let shown: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        shown["plans"][0].clone()
    };
    let paid = booking.paid(100, "eur");
    assert_eq!(plan(&paid)["status"], "waiting");
    assert_eq!(plan(&booking.meeting_ended())["status"], "ignored");
    told(&world, &lead, &booking.created()).await;
    // Of somebody whom the booking does not name.
    let other = booking.no_show(true).edited(|body| {
        body["payload"]["attendees"][0]["email"] = "gus@guest.example".into();
    });
    for delivery in [
        paid,
        other,
        booking.recording_ready("https://app.cal.com/r/1"),
    ] {
        let planned = plan(&delivery);
        assert_eq!(planned["status"], "done", "{planned}");
        assert_eq!(planned["lead"]["id"], lead.as_str(), "{planned}");
        let (_, comment) = told(&world, &lead, &delivery).await;
        let text = planned["actions"].to_string();
        let first = comment.lines().next().expect("a line");
        assert!(text.contains(first), "{text}\n{comment}");
    }
}
