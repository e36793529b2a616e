//! Having a delivery worked off anew.

use domain::effect::{Effect, State};
use store::rows::{Reading, Status};

use crate::journal::effect;
use crate::world::*;

const ADA: &str = "ada@example.com";

async fn replay(store: &Any, id: &str) {
    assert!(
        store.replay(id).await.expect("answers"),
        "there is such a delivery"
    );
}

pub async fn a_quarantined_delivery_is_read_again(store: Any) {
    let id = store.receive(raw("odd")).await.expect("received");
    store.unread(PROFILE, 10).await.expect("handed out");
    let unreadable = Reading::Ended {
        trigger: None,
        uid: None,
        status: Status::Quarantined,
        reason: "no JSON".into(),
    };
    store.read(&id, unreadable).await.expect("read");
    replay(&store, &id).await;

    let unread = store.unread(PROFILE, 10).await.expect("handed out");
    assert_eq!(
        (
            unread[0].id.as_str(),
            unread[0].attempts,
            unread[0].reason.as_ref()
        ),
        (id.as_str(), 1, None)
    );
    store
        .read(&id, reading(vec![booked("bk_1", ADA, "10:00")]))
        .await
        .expect("read");
    assert_eq!(work_off(&store, "12:00").await, ["bk_1"]);
    assert_eq!(status(&store, &id).await, Status::Done);
}

pub async fn a_finished_delivery_is_planned_again(store: Any) {
    let id = comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    work_off(&store, "12:00").await;
    replay(&store, &id).await;
    assert_eq!(status(&store, &id).await, Status::Pending);
    assert!(
        store.unread(PROFILE, 10).await.expect("answers").is_empty(),
        "not read again"
    );
    let again = claim(&store, "13:00").await;
    assert_eq!(
        (again.stored.attempts, again.stored.first_tried_at),
        (1, Some(at("13:00")))
    );
}

pub async fn dead_effects_are_attempted_again_and_applied_ones_stay(store: Any) {
    let id = comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    let claim = claim(&store, "12:00").await;
    let key = &claim.stored.key;
    let states = [State::Dead, State::Operator, State::Applied, State::Unknown];
    for (n, state) in states.into_iter().enumerate() {
        let saved = Effect {
            state,
            ..effect(&format!("e_{n}"), key, claim.epoch)
        };
        record_effect(&store, &saved).await.expect("recorded");
    }
    finish(&store, &claim, Status::Dead).await;
    replay(&store, &id).await;
    let now: Vec<_> = store
        .effects(PROFILE, key)
        .await
        .expect("answers")
        .into_iter()
        .map(|e| e.state)
        .collect();
    assert_eq!(
        now,
        [
            State::Absent,
            State::Unknown,
            State::Applied,
            State::Unknown
        ]
    );
    assert_eq!(status(&store, &id).await, Status::Pending);
}

pub async fn a_duplicate_replayed_is_a_duplicate_again(store: Any) {
    let change = booked("bk_1", ADA, "10:00");
    let first = comes(&store, vec![change.clone()]).await;
    let second = comes(&store, vec![change.clone()]).await;
    work_off(&store, "12:00").await;
    replay(&store, &second).await;
    assert_eq!(status(&store, &second).await, Status::Pending);
    store
        .read(&second, reading(vec![change]))
        .await
        .expect("read");
    assert_eq!(status(&store, &second).await, Status::Duplicate);
    assert_eq!(status(&store, &first).await, Status::Done);
}

pub async fn a_delivery_read_again_keeps_its_own_changes(store: Any) {
    let change = booked("bk_1", ADA, "10:00");
    let id = comes(&store, vec![change.clone()]).await;
    finish(&store, &claim(&store, "12:00").await, Status::Ignored).await;
    assert_eq!(status(&store, &id).await, Status::Ignored);
    replay(&store, &id).await;
    assert_eq!(
        store.unread(PROFILE, 10).await.expect("handed out").len(),
        1
    );
    store.read(&id, reading(vec![change])).await.expect("read");
    assert_eq!(status(&store, &id).await, Status::Pending);
    assert_eq!(work_off(&store, "12:00").await, ["bk_1"]);
    assert_eq!(
        store
            .proof(PROFILE, "bk_1")
            .await
            .expect("answers")
            .changes
            .len(),
        1
    );
}

pub async fn a_replay_while_running_is_planned_afterwards(store: Any) {
    let id = comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    let running = claim(&store, "12:00").await;
    replay(&store, &id).await;
    assert_eq!(status(&store, &id).await, Status::Running);
    finish(&store, &running, Status::Done).await;
    assert_eq!(work_off(&store, "12:00").await, ["bk_1"]);
    assert_eq!(status(&store, &id).await, Status::Done);
}

pub async fn an_unknown_delivery_cannot_be_replayed(store: Any) {
    assert!(!store.replay("none").await.expect("answers"));
}
