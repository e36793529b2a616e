//! What comes in: kept, shared commits, the same change once.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use store::Error;
use store::rows::{Delivery, Link, Reading, Status};

use crate::world::*;

pub async fn what_was_received_is_handed_out_as_it_came(store: Any) {
    let first = store.receive(raw("first")).await.expect("received");
    let second = store.receive(raw("second")).await.expect("received");
    assert!(first < second, "ids sort by arrival");

    let unread = store.unread(PROFILE, 10).await.expect("handed out");

    assert_eq!(
        unread.iter().map(|d| &d.id).collect::<Vec<_>>(),
        [&first, &second]
    );
    assert_eq!(unread[0].body, b"first");
    assert_eq!(unread[0].headers, raw("").headers);
    assert_eq!((unread[0].attempts, unread[0].status), (1, Status::Pending));
    assert_eq!(unread[0].received_at, at("12:00"));
    let attempts = unread[1].attempts;
    let kept = delivery(&store, &second).await;
    assert_eq!(Delivery { attempts, ..kept }, unread[1]);
}

pub async fn many_waiting_deliveries_share_a_commit(store: Any) {
    let before = store.commits();
    let all: Vec<_> = (0..64)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.receive(raw(&n.to_string())).await })
        })
        .collect();
    let mut ids = HashSet::new();
    for one in all {
        ids.insert(one.await.expect("no panic").expect("received"));
    }
    assert_eq!(ids.len(), 64);
    let commits = store.commits() - before;
    assert!(
        commits < 32,
        "{commits} commits for 64 deliveries that waited together"
    );
}

pub async fn a_write_goes_on_when_nobody_waits_for_it(store: Any) {
    let write = store.set_meta("key", "value");
    // Polled once, so handed over; then dropped.
    let _ = tokio::time::timeout(Duration::ZERO, write).await;
    let limit = Instant::now() + Duration::from_secs(5);
    while store.meta("key").await.expect("answers").as_deref() != Some("value") {
        assert!(Instant::now() < limit, "it was given up");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub async fn the_same_change_counts_once_whatever_its_bytes(store: Any) {
    let first = comes(&store, vec![booked("bk_1", "ada@example.com", "10:00")]).await;
    let second = comes(&store, vec![booked("bk_1", "ADA@example.com ", "10:00:03")]).await;

    assert_eq!(status(&store, &first).await, Status::Pending);
    let duplicate = delivery(&store, &second).await;
    assert_eq!(duplicate.status, Status::Duplicate);
    assert_eq!(
        duplicate.reason,
        Some(format!("the same change came with delivery {first}"))
    );
    assert_eq!(work_off(&store, "12:00").await, ["bk_1"]);

    let late = comes(&store, vec![booked("bk_1", "ada@example.com", "10:00")]).await;
    assert_eq!(
        status(&store, &late).await,
        Status::Duplicate,
        "also after it was done"
    );
    assert_eq!(status(&store, &first).await, Status::Done);
}

pub async fn equal_changes_within_one_delivery_count_once(store: Any) {
    let one = booked("bk_1", "ada@example.com", "10:00");
    let id = comes(&store, vec![one.clone(), one]).await;
    assert_eq!(status(&store, &id).await, Status::Pending);
    assert_eq!(work_off(&store, "12:00").await, ["bk_1"]);
    assert_eq!(status(&store, &id).await, Status::Done);
}

pub async fn a_value_that_came_back_is_a_new_change(store: Any) {
    let first = booked("bk_1", "ada@example.com", "10:00");
    let mut other = booked("bk_1", "ada@example.com", "10:10");
    (other.booking.start, other.booking.end) = (at("16:00"), at("16:30"));
    let back = booked("bk_1", "ada@example.com", "10:20");
    let ids = [
        comes(&store, vec![first]).await,
        comes(&store, vec![other]).await,
        comes(&store, vec![back]).await,
    ];

    for id in &ids {
        assert_eq!(status(&store, id).await, Status::Pending);
    }
    let again = comes(&store, vec![booked("bk_1", "ada@example.com", "10:21")]).await;
    assert_eq!(status(&store, &again).await, Status::Duplicate);

    let keys: HashSet<String> = store
        .proof(PROFILE, "bk_1")
        .await
        .expect("answers")
        .changes
        .into_iter()
        .map(|c| c.key)
        .collect();
    assert_eq!(keys.len(), 3);
}

pub async fn a_seated_booking_is_one_change_per_person(store: Any) {
    let ada = seat("seat_a", booked("bk_1", "ada@example.com", "10:00"));
    let bob = seat("seat_b", booked("bk_1", "bob@example.com", "10:00"));
    comes(&store, vec![ada.clone()]).await;
    let both = comes(&store, vec![ada, bob]).await;

    assert_eq!(
        status(&store, &both).await,
        Status::Pending,
        "one of the two is new"
    );
    assert_eq!(
        claims(&store, "12:00").await.len(),
        2,
        "two people, two lanes"
    );
}

pub async fn a_booking_known_without_its_predecessor_learns_it(store: Any) {
    let known = comes(&store, vec![booked("bk_2", "ada@example.com", "10:00")]).await;
    work_off(&store, "12:00").await;
    let mut better = moved("bk_1", "bk_2", "ada@example.com", "10:00:01");
    better.booking.reschedule_start = Some(at("09:00"));
    let second = comes(&store, vec![better.clone()]).await;

    assert_eq!(status(&store, &second).await, Status::Duplicate);
    assert_eq!(
        status(&store, &known).await,
        Status::Pending,
        "planned anew"
    );
    let claim = claim(&store, "12:01").await;
    assert_eq!(claim.stored.change.booking, better.booking);
    assert_eq!(claim.stored.delivery_id, known);
    assert_eq!(
        store.proof(PROFILE, "bk_1").await.expect("answers").changes,
        [claim.stored]
    );
}

pub async fn a_listed_seat_learns_from_its_own_delivery(store: Any) {
    let ada = "ada@example.com";
    let mut listed = booked("bk_1", ada, "10:00");
    listed.seated = true;
    let known = comes(&store, vec![listed.clone()]).await;
    let first = claim(&store, "12:00").await;
    finish(&store, &first, Status::Done).await;
    let link = Link {
        token: format!("chain:bk_1/{}", listed.identity()),
        lead: "lead_1".into(),
        how: "e-mail".into(),
        gone: false,
        only: false,
    };
    record_links(&store, &[link]).await;

    let mut own = seat("s_1", listed.clone());
    own.booking.notes = Some("by the window".into());
    let second = comes(&store, vec![own.clone()]).await;

    assert_eq!(status(&store, &second).await, Status::Duplicate);
    let again = claim(&store, "12:01").await;
    assert_eq!(again.stored.delivery_id, known, "planned anew");
    assert_eq!(again.stored.key, first.stored.key);
    assert_eq!(again.stored.change.seat.as_deref(), Some("s_1"));
    assert_eq!(again.stored.change.booking.notes, own.booking.notes);
    finish(&store, &again, Status::Done).await;
    let renamed = ["chain:bk_1/s_1".to_owned()];
    let links = store.links(PROFILE, &renamed).await.expect("answers");
    assert_eq!(links.len(), 1, "it stays the lead's");
    assert_eq!(links[0].lead, "lead_1");

    // Its move names the seat.
    let mut away = moved("s_1", "bk_2", "somebody@example.com", "10:05");
    away.seated = true;
    comes(&store, vec![away]).await;
    let late = claim(&store, "12:02").await;
    let related = store.related(PROFILE, &late.stored).await.expect("answers");
    assert_eq!(related.len(), 2);
    let third = comes(&store, vec![own, listed]).await;
    assert_eq!(status(&store, &third).await, Status::Duplicate);
}

pub async fn what_is_learnt_while_running_is_planned_afterwards(store: Any) {
    comes(&store, vec![booked("bk_2", "ada@example.com", "10:00")]).await;
    let first = claim(&store, "12:00").await;
    comes(
        &store,
        vec![moved("bk_1", "bk_2", "ada@example.com", "10:00")],
    )
    .await;
    assert!(claims(&store, "12:00").await.is_empty(), "it runs still");

    finish(&store, &first, Status::Done).await;

    let second = claim(&store, "12:00").await;
    assert_eq!(
        second.stored.change.booking.reschedule_uid.as_deref(),
        Some("bk_1")
    );
    finish(&store, &second, Status::Done).await;
    assert!(claims(&store, "12:00").await.is_empty());
}

pub async fn a_delivery_that_stops_the_program_is_quarantined(store: Any) {
    let id = store.receive(raw("poison")).await.expect("received");
    for attempt in 1..=100 {
        let unread = store.unread(PROFILE, 10).await.expect("handed out");
        assert_eq!(
            unread.iter().map(|d| d.attempts).collect::<Vec<_>>(),
            [attempt]
        );
    }

    assert!(store.unread(PROFILE, 10).await.expect("answers").is_empty());

    let found = delivery(&store, &id).await;
    assert_eq!(found.status, Status::Quarantined);
    assert!(
        found
            .reason
            .expect("a reason")
            .starts_with("reading it stopped the program a hundred times")
    );
}

pub async fn what_stood_beside_a_poisoned_delivery_is_not_blamed(store: Any) {
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(store.receive(raw(&n.to_string())).await.expect("received"));
    }
    let poison = ids[2].clone();
    let mut stops = 0;
    loop {
        let unread = store.unread(PROFILE, 10).await.expect("handed out");
        if unread.is_empty() {
            break;
        }
        for delivery in unread {
            if delivery.id == poison {
                stops += 1;
                break;
            }
            let ends = Reading::Ended {
                trigger: None,
                uid: None,
                status: Status::Ignored,
                reason: "PING".into(),
            };
            store.read(&delivery.id, ends).await.expect("read");
        }
    }
    assert_eq!(stops, 100);
    for id in &ids {
        let expected = if *id == poison {
            Status::Quarantined
        } else {
            Status::Ignored
        };
        assert_eq!(status(&store, id).await, expected);
    }
}

pub async fn a_delivery_that_means_nothing_ends_as_told(store: Any) {
    let id = store.receive(raw("{}")).await.expect("received");
    let ends = Reading::Ended {
        trigger: Some("BOOKING_CREATED".into()),
        uid: Some("bk_1".into()),
        status: Status::Skipped,
        reason: "self-booking".into(),
    };
    store.read(&id, ends).await.expect("read");

    let found = delivery(&store, &id).await;
    assert_eq!(found.status, Status::Skipped);
    assert_eq!(found.reason.as_deref(), Some("self-booking"));
    assert_eq!(
        (found.trigger.as_deref(), found.uid.as_deref()),
        (Some("BOOKING_CREATED"), Some("bk_1"))
    );
    assert!(store.unread(PROFILE, 10).await.expect("answers").is_empty());

    store
        .read(
            &id,
            reading(vec![booked("bk_1", "ada@example.com", "10:00")]),
        )
        .await
        .expect("no harm");
    assert_eq!(
        delivery(&store, &id).await,
        found,
        "what was read is not read twice"
    );
}

pub async fn one_verb_that_fails_spoils_no_other(store: Any) {
    let (good, bad) = tokio::join!(
        store.receive(raw("good")),
        store.read(
            "no such delivery",
            reading(vec![booked("bk_1", "ada@example.com", "10:00")])
        ),
    );
    assert!(matches!(bad, Err(Error::Other(_))));
    let id = good.expect("received");
    assert_eq!(status(&store, &id).await, Status::Pending);
    assert!(claims(&store, "12:00").await.is_empty());
}
