//! Lanes, waiting, taking over.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use domain::change::Kind;
use jiff::{SignedDuration, Timestamp};
use store::Error;
use store::rows::{Claim, Record, Status};

use crate::world::*;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

pub async fn one_change_per_person_at_a_time(store: Any) {
    comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    comes(&store, vec![booked("a_2", ADA, "10:01")]).await;
    comes(&store, vec![booked("b_1", BOB, "10:02")]).await;

    let first = claims(&store, "12:00").await;
    let uids: Vec<_> = first
        .iter()
        .map(|c| c.stored.change.booking.uid.as_str())
        .collect();
    assert_eq!(uids, ["a_1", "b_1"]);
    assert_eq!(first[0].stored.status, Status::Running);
    assert_eq!(
        (first[0].stored.attempts, first[0].stored.first_tried_at),
        (1, Some(at("12:00")))
    );
    assert_eq!(
        first[0].stored.person,
        store.person_key(PROFILE, "email:ada@example.com")
    );
    assert!(claimed(&store, "12:00").await.is_empty());

    finish(&store, &first[0], Status::Done).await;
    assert_eq!(claimed(&store, "12:00").await, ["a_2"]);
    assert_eq!(
        store
            .claim(PROFILE, at("12:00"), 0, &[])
            .await
            .expect("answers"),
        []
    );
}

pub async fn the_older_stamp_goes_first_whenever_it_arrived(store: Any) {
    comes(&store, vec![booked("late", ADA, "10:05")]).await;
    comes(&store, vec![booked("early", ADA, "10:00")]).await;
    comes(&store, vec![booked("early too", ADA, "10:00")]).await;
    assert_eq!(
        work_off(&store, "12:00").await,
        ["early", "early too", "late"]
    );
}

pub async fn a_sender_whose_clock_runs_ahead_gains_nothing(store: Any) {
    let mut ahead = booked("ahead", ADA, "18:00");
    ahead.received_at = at("11:00");
    comes(&store, vec![ahead]).await;
    comes(&store, vec![booked("later", ADA, "11:30")]).await;
    assert_eq!(work_off(&store, "12:00").await, ["ahead", "later"]);
}

pub async fn a_waiting_change_blocks_its_lane_until_due(store: Any) {
    comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    comes(&store, vec![booked("a_2", ADA, "10:01")]).await;
    let first = claim(&store, "12:00").await;
    assert_eq!(store.next_due(PROFILE).await.expect("answers"), None);

    store
        .retry_at(&first, at("12:05"), "clickup answered 503", true)
        .await
        .expect("put back");

    let waiting = delivery(&store, &first.stored.delivery_id).await;
    assert_eq!(waiting.status, Status::Waiting);
    assert_eq!(waiting.reason.as_deref(), Some("clickup answered 503"));
    assert_eq!(
        store.next_due(PROFILE).await.expect("answers"),
        Some(at("12:05"))
    );
    assert!(claimed(&store, "12:04").await.is_empty());
    let again = claim(&store, "12:05").await;
    assert_eq!(again.stored.change.booking.uid, "a_1");
    assert_eq!(
        (again.stored.attempts, again.stored.first_tried_at),
        (2, Some(at("12:00")))
    );
}

pub async fn a_held_change_does_not_block(store: Any) {
    let held = comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    comes(&store, vec![booked("a_2", ADA, "10:01")]).await;
    finish(&store, &claim(&store, "12:00").await, Status::Held).await;
    assert_eq!(status(&store, &held).await, Status::Held);
    assert_eq!(claimed(&store, "12:00").await, ["a_2"]);
}

pub async fn what_waits_for_another_change_lets_it_pass_and_follows_at_once(store: Any) {
    comes(&store, vec![paid("a_1", ADA, "10:00")]).await;
    let note = claim(&store, "12:00").await;
    store
        .park(&note, at("12:10"), "waits for its booking")
        .await
        .expect("put back");
    assert_eq!(
        store.next_due(PROFILE).await.expect("answers"),
        Some(at("12:10"))
    );
    comes(&store, vec![booked("a_1", ADA, "10:01")]).await;

    let booking = claim(&store, "12:01").await;
    assert_eq!(booking.stored.change.kind, Kind::Booked);
    assert!(claimed(&store, "12:01").await.is_empty(), "one at a time");
    finish(&store, &booking, Status::Done).await;

    let note = claim(&store, "12:01").await;
    assert_eq!(note.stored.change.kind, Kind::Note);
    assert_eq!(note.stored.attempts, 1, "waiting is no attempt");
    finish(&store, &note, Status::Done).await;
    assert_eq!(store.next_due(PROFILE).await.expect("answers"), None);
}

pub async fn of_those_that_wait_for_others_none_holds_up_the_next(store: Any) {
    comes(&store, vec![paid("never", ADA, "10:00")]).await;
    comes(&store, vec![paid("a_1", ADA, "10:01")]).await;
    for (now, later) in [("12:00", "12:10"), ("12:00", "12:05")] {
        let note = claim(&store, now).await;
        store
            .park(&note, at(later), "waits for its booking")
            .await
            .expect("put back");
    }
    let second = claim(&store, "12:05").await;
    assert_eq!(second.stored.change.booking.uid, "a_1");
    assert_eq!(
        second.stored.first_tried_at,
        Some(at("12:05")),
        "trying begins now"
    );
    finish(&store, &second, Status::Done).await;
}

pub async fn waking_makes_due_what_waits(store: Any) {
    comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    comes_for(&store, "other", vec![booked("o_1", ADA, "10:00")]).await;
    let mut all = claims(&store, "12:00").await;
    let theirs = store.claim("other", at("12:00"), 10, &[]).await;
    all.extend(theirs.expect("claimed"));
    assert_eq!(all.len(), 2);
    for claim in all {
        store
            .retry_at(&claim, at("20:00"), "down", false)
            .await
            .expect("put back");
    }
    store.wake(PROFILE, at("12:01")).await.expect("woken");
    assert_eq!(
        store.next_due(PROFILE).await.expect("answers"),
        Some(at("12:01"))
    );
    assert_eq!(claimed(&store, "12:01").await, ["a_1"]);
    assert_eq!(
        store.next_due("other").await.expect("answers"),
        Some(at("20:00"))
    );
}

pub async fn an_uncounted_retry_costs_no_attempt(store: Any) {
    comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    for _ in 0..3 {
        let claim = claim(&store, "12:00").await;
        assert_eq!(claim.stored.attempts, 1);
        store
            .retry_at(&claim, at("12:00"), "limit reached", false)
            .await
            .expect("put back");
    }
}

pub async fn what_somebody_is_still_at_is_not_claimed(store: Any) {
    comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    let begun = claim(&store, "12:00").await;
    // Put back, and its answer lost.
    store
        .retry_at(&begun, at("12:00"), "no answer", true)
        .await
        .expect("put back");
    comes(&store, vec![booked("b_1", BOB, "10:00")]).await;

    let at_work = [begun.stored.key.clone()];
    let claims = store.claim(PROFILE, at("12:00"), 10, &at_work).await;

    let uids: Vec<String> = claims
        .expect("claimed")
        .into_iter()
        .map(|claim| claim.stored.change.booking.uid)
        .collect();
    assert_eq!(uids, ["b_1"]);
    let twice = store.retry_at(&begun, at("13:00"), "again", true).await;
    assert!(matches!(twice, Err(Error::Superseded)), "{twice:?}");
    assert_eq!(claimed(&store, "12:00").await, ["a_1"]);
}

pub async fn what_was_claimed_unheard_is_put_back(store: Any) {
    comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    let heard = claim(&store, "12:00").await;
    let id = comes(&store, vec![booked("b_1", BOB, "10:00")]).await;
    let unheard = claim(&store, "12:00").await;
    let at_work = [heard.stored.key.clone()];

    store.unclaim(PROFILE, &at_work).await.expect("put back");

    assert_eq!(status(&store, &id).await, Status::Pending);
    let late = store.retry_at(&unheard, at("13:00"), "no", true).await;
    assert!(matches!(late, Err(Error::Superseded)), "{late:?}");
    let again = claim(&store, "12:00").await;
    assert_eq!(
        (again.stored.key, again.stored.attempts),
        (unheard.stored.key, 1)
    );
    finish(&store, &heard, Status::Done).await;
}

pub async fn nothing_is_finished_twice(store: Any) {
    let id = comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    let claim = claim(&store, "12:00").await;
    finish(&store, &claim, Status::Done).await;

    let twice = store
        .finish(&claim, ended(Status::Dead), Record::default())
        .await;
    let back = store.retry_at(&claim, at("13:00"), "no", true).await;

    assert!(matches!(
        (twice, back),
        (Err(Error::Superseded), Err(Error::Superseded))
    ));
    assert_eq!(status(&store, &id).await, Status::Done);
    let change = &store.proof(PROFILE, "a_1").await.expect("answers").changes[0];
    assert_eq!(
        (change.status, change.lead.as_deref()),
        (Status::Done, Some("lead_1"))
    );
    assert_eq!(change.why, ["e-mail"]);
}

pub async fn who_was_taken_over_from_can_write_nothing(store: Any) {
    let id = comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    let old = claim(&store, "12:00").await;
    let epoch = take_over(&store).await;
    assert_eq!(epoch, old.epoch + 1);

    assert!(matches!(
        store
            .finish(&old, ended(Status::Done), Record::default())
            .await,
        Err(Error::Superseded)
    ));
    let new = claim(&store, "12:00").await;
    assert_eq!((new.epoch, new.stored.attempts), (epoch, 2));
    assert!(matches!(
        store
            .finish(&old, ended(Status::Done), Record::default())
            .await,
        Err(Error::Superseded)
    ));
    assert_eq!(status(&store, &id).await, Status::Running);
}

pub async fn what_ran_at_a_take_over_is_pending_again(store: Any) {
    let id = comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    claim(&store, "12:00").await;
    assert_eq!(status(&store, &id).await, Status::Running);
    take_over(&store).await;
    assert_eq!(status(&store, &id).await, Status::Pending);
}

/// Longer than anything that stopped the program waits.
const A_REST: Duration = Duration::from_secs(30);

pub async fn a_change_that_stops_the_program_twenty_times_is_dead(store: Any) {
    let id = comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    comes(&store, vec![booked("a_2", ADA, "10:01")]).await;
    let mut now = at("11:00");
    for _ in 0..20 {
        let claims = store.claim(PROFILE, now, 10, &[]).await.expect("claimed");
        let uids: Vec<_> = claims
            .iter()
            .map(|c| c.stored.change.booking.uid.as_str())
            .collect();
        assert_eq!(uids, ["a_1"]);
        take_over_at(&store, now).await;
        now += A_REST;
    }
    let dead = delivery(&store, &id).await;
    assert_eq!(dead.status, Status::Dead);
    assert!(
        dead.reason
            .expect("a reason")
            .starts_with("working on it stopped the program twenty times")
    );
    assert_eq!(claimed(&store, "12:00").await, ["a_2"], "the lane goes on");
}

pub async fn a_rest_after_stops_outlasts_a_start(store: Any) {
    comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    for _ in 0..3 {
        assert_eq!(claimed(&store, "12:00").await, ["a_1"]);
        take_over_at(&store, at("12:00")).await;
    }
    // As every start does.
    store.wake(PROFILE, at("12:00")).await.expect("woken");
    assert!(claimed(&store, "12:00:01").await.is_empty());
    assert_eq!(claimed(&store, "12:00:02").await, ["a_1"]);
}

pub async fn a_wait_between_stops_does_not_begin_their_count_anew(store: Any) {
    let id = comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    let mut now = at("11:00");
    for _ in 0..20 {
        // What the stop left in doubt is looked up, and then it is worked on.
        let looked = claim_at(&store, now).await;
        now += A_REST;
        store
            .retry_at(&looked, now, "looking", false)
            .await
            .expect("put back");
        claim_at(&store, now).await;
        take_over_at(&store, now).await;
        now += A_REST;
    }
    assert_eq!(status(&store, &id).await, Status::Dead);
}

pub async fn a_try_that_failed_begins_the_count_of_stops_anew(store: Any) {
    let id = comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    let mut now = at("11:00");
    for _ in 0..20 {
        let tried = claim_at(&store, now).await;
        now += A_REST;
        store
            .retry_at(&tried, now, "clickup answered 503", true)
            .await
            .expect("put back");
        claim_at(&store, now).await;
        take_over_at(&store, now).await;
        now += A_REST;
    }
    assert_eq!(status(&store, &id).await, Status::Pending);
}

async fn claim_at(store: &Any, now: Timestamp) -> Claim {
    let claims = store.claim(PROFILE, now, 10, &[]).await.expect("claimed");
    claims.into_iter().next().expect("one is due")
}

pub async fn after_the_third_stop_a_change_waits_and_others_go_on(store: Any) {
    let id = comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    for _ in 0..3 {
        assert_eq!(claimed(&store, "12:00").await, ["a_1"]);
        take_over_at(&store, at("12:00")).await;
    }
    comes(&store, vec![booked("b_1", BOB, "10:01")]).await;
    assert_eq!(claimed(&store, "12:00:01").await, ["b_1"]);
    let waits = delivery(&store, &id).await;
    assert_eq!(
        (waits.status, waits.reason.as_deref()),
        (
            Status::Waiting,
            Some("the program stopped 3 times while working on it; it is tried again on its own")
        )
    );
    assert_eq!(
        store.next_due(PROFILE).await.expect("known"),
        Some(at("12:00:02"))
    );
    assert_eq!(claimed(&store, "12:00:02").await, ["a_1"]);
}

pub async fn suspects_are_claimed_one_at_a_time(store: Any) {
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(
            comes(
                &store,
                vec![booked(
                    &format!("bk_{n}"),
                    &format!("{n}@example.com"),
                    "10:00",
                )],
            )
            .await,
        );
    }
    let poison = ids[1].clone();
    let mut stops = 0;
    let mut now = at("11:00");
    loop {
        let claims = store.claim(PROFILE, now, 10, &[]).await.expect("claimed");
        if claims.is_empty() {
            break;
        }
        if claims.iter().any(|c| c.stored.delivery_id == poison) {
            stops += 1;
            take_over_at(&store, now).await;
            now += A_REST;
            continue;
        }
        for claim in claims {
            finish(&store, &claim, Status::Done).await;
        }
    }
    assert_eq!(stops, 20);
    for id in &ids {
        let expected = if *id == poison {
            Status::Dead
        } else {
            Status::Done
        };
        assert_eq!(status(&store, id).await, expected);
    }
}

pub async fn a_delivery_ends_with_its_last_change(store: Any) {
    let ada = seat("s_a", booked("bk_1", ADA, "10:00"));
    let bob = seat("s_b", booked("bk_1", BOB, "10:00"));
    let id = comes(&store, vec![ada, bob]).await;
    let claims = claims(&store, "12:00").await;

    finish(&store, &claims[0], Status::Done).await;
    assert_eq!(status(&store, &id).await, Status::Running);
    let mut end = ended(Status::Dead);
    end.reason = Some("refused".into());
    store
        .finish(&claims[1], end, Record::default())
        .await
        .expect("finished");

    let found = delivery(&store, &id).await;
    assert_eq!(
        (found.status, found.reason.as_deref()),
        (Status::Dead, Some("refused"))
    );
}

pub async fn claiming_is_quick_however_much_is_pending(store: Any) {
    // A hundred thousand; fewer where sealing them alone takes a minute. Half of them are one person's,
    // all behind the one that runs.
    let batches = if cfg!(debug_assertions) { 10 } else { 100 };
    for batch in 0..batches {
        let email = |n: usize| {
            if n < 500 {
                ADA.to_owned()
            } else {
                format!("{batch}-{n}@example.com")
            }
        };
        let changes = (0..1_000)
            .map(|n| booked(&format!("bk_{batch}_{n}"), &email(n), "10:00"))
            .collect();
        comes(&store, changes).await;
    }
    let mut lanes = HashSet::new();
    let mut all_took = Vec::new();
    for n in 0..20 {
        let start = Instant::now();
        let claims = store
            .claim(PROFILE, at("12:00"), 4, &[])
            .await
            .expect("claimed");
        let took = start.elapsed();
        assert!(took < Duration::from_secs(2), "claim {n} took {took:?}");
        all_took.push(took);
        for claim in claims {
            assert!(lanes.insert(claim.stored.person.clone()), "one at a time");
            if n % 2 == 1 {
                let later = at("12:00") + SignedDuration::from_mins(5);
                store
                    .retry_at(&claim, later, "down", false)
                    .await
                    .expect("put back");
            }
        }
    }
    assert_eq!(lanes.len(), 80);
    // 50 ms is what it may take; a debug build takes more, and a busy machine now and then much more.
    all_took.sort_unstable();
    assert!(all_took[10] < Duration::from_millis(250), "{all_took:?}");
}
