//! Which changes a decision depends on.

use store::rows::Stored;

use crate::world::*;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

/// The uids related to the first change of `uid`, oldest first.
async fn related(store: &Any, uid: &str) -> Vec<String> {
    uids(
        store
            .related(PROFILE, &first(store, uid).await)
            .await
            .expect("answers"),
    )
}

async fn first(store: &Any, uid: &str) -> Stored {
    let changes = store.proof(PROFILE, uid).await.expect("answers").changes;
    changes
        .into_iter()
        .find(|c| c.change.booking.uid == uid)
        .expect("such a change")
}

fn uids(changes: Vec<Stored>) -> Vec<String> {
    changes.into_iter().map(|c| c.change.booking.uid).collect()
}

pub async fn everything_of_a_person_is_related(store: Any) {
    comes(&store, vec![booked("a_2", ADA, "10:02")]).await;
    comes(&store, vec![booked("a_1", ADA, "10:01")]).await;
    comes(&store, vec![cancelled("a_2", "ADA@example.com", "10:03")]).await;
    comes(&store, vec![booked("b_1", BOB, "10:00")]).await;
    assert_eq!(related(&store, "a_1").await, ["a_1", "a_2", "a_2"]);
    assert_eq!(related(&store, "b_1").await, ["b_1"]);
}

pub async fn what_a_person_has_is_found_by_their_key(store: Any) {
    comes(&store, vec![booked("a_1", ADA, "10:00")]).await;
    comes(&store, vec![moved("a_1", "a_2", BOB, "10:01")]).await;
    comes(&store, vec![booked("b_1", BOB, "10:02")]).await;
    let ada = first(&store, "a_1").await.person;

    let of_ada = store.of_person(PROFILE, &ada).await.expect("answers");

    assert_eq!(uids(of_ada), ["a_1", "a_2"]);
    let nobody = store.of_person("other", &ada).await.expect("answers");
    assert_eq!(uids(nobody), Vec::<String>::new());
}

pub async fn a_chain_is_followed_across_people_in_both_directions(store: Any) {
    comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    comes(&store, vec![moved("bk_1", "bk_2", BOB, "10:01")]).await;
    comes(
        &store,
        vec![moved("bk_2", "bk_3", "cleo@example.com", "10:02")],
    )
    .await;
    comes(&store, vec![booked("b_other", BOB, "10:03")]).await;
    let chain = ["bk_1", "bk_2", "bk_3"];
    assert_eq!(
        related(&store, "bk_1").await,
        chain,
        "but not what else Bob has"
    );
    assert_eq!(related(&store, "bk_3").await, chain);
    assert_eq!(
        related(&store, "b_other").await,
        ["bk_1", "bk_2", "bk_3", "b_other"]
    );
}

pub async fn the_calendars_id_joins_a_chain(store: Any) {
    let named = |uid: &str, email: &str, created: &str| {
        let mut change = booked(uid, email, created);
        change.booking.ical_uid = Some("bk_1@Cal.com".into());
        change
    };
    comes(&store, vec![named("bk_1", ADA, "10:00")]).await;
    comes(&store, vec![named("bk_2", BOB, "10:01")]).await;
    comes(&store, vec![named("bk_3", "cleo@example.com", "10:02")]).await;
    comes(
        &store,
        vec![seat("s_1", named("bk_4", "dan@example.com", "10:03"))],
    )
    .await;
    for uid in ["bk_1", "bk_2", "bk_3"] {
        assert_eq!(
            related(&store, uid).await,
            ["bk_1", "bk_2", "bk_3"],
            "of {uid}"
        );
    }
    assert_eq!(related(&store, "bk_4").await, ["bk_4"], "never among seats");
}

pub async fn other_seats_of_a_booking_are_other_meetings(store: Any) {
    let ada = seat("s_a", booked("bk_1", ADA, "10:00"));
    let bob = seat("s_b", booked("bk_1", BOB, "10:00"));
    comes(&store, vec![ada, bob]).await;
    let bob_leaves = seat("s_b", cancelled("bk_1", BOB, "10:01"));
    comes(&store, vec![bob_leaves]).await;
    let of_ada = store
        .related(PROFILE, &first(&store, "bk_1").await)
        .await
        .expect("answers");
    assert_eq!(of_ada.len(), 1);
    assert_eq!(of_ada[0].change.seat.as_deref(), Some("s_a"));
}

pub async fn a_moved_seat_keeps_its_chain(store: Any) {
    let ada = seat("s_a", booked("bk_1", ADA, "10:00"));
    let bob = seat("s_b", booked("bk_1", BOB, "10:00"));
    comes(&store, vec![ada, bob]).await;
    // The seat went to a new booking, under another address.
    comes(
        &store,
        vec![seat(
            "s_c",
            moved("s_a", "bk_2", "ada@work.example", "10:01"),
        )],
    )
    .await;
    assert_eq!(related(&store, "bk_2").await, ["bk_1", "bk_2"]);
    // By uid it means the mover's own seat.
    comes(
        &store,
        vec![seat("s_d", moved("bk_1", "bk_3", BOB, "10:02"))],
    )
    .await;
    assert_eq!(related(&store, "bk_3").await, ["bk_1", "bk_3"]);
    assert_eq!(related(&store, "bk_1").await, ["bk_1", "bk_2"], "Ada's");
}

pub async fn profiles_are_strangers(store: Any) {
    comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    let other = comes_for(&store, "other", vec![booked("bk_1", ADA, "10:00")]).await;
    comes_for(&store, "other", vec![moved("bk_1", "bk_2", ADA, "10:01")]).await;
    assert_eq!(
        status(&store, &other).await,
        store::rows::Status::Pending,
        "no duplicate"
    );
    let own = first(&store, "bk_1").await;
    assert_eq!(own.profile, PROFILE);
    assert_eq!(store.related(PROFILE, &own).await.expect("answers"), [own]);
}
