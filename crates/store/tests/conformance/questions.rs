//! Questions: who is held for them, how they are found, and where they stand in Slack.

use store::Error;
use store::rows::{
    Answer, Answered, Candidate, Claim, Closed, Given, Message, NewQuestion, Question,
    QuestionFilter, QuestionState, Record, Status,
};

use crate::world::*;

pub const ADA: &str = "ada@example.com";
pub const BOB: &str = "bob@example.com";
pub const NORA: &str = "Nora (Slack)";

pub fn about(email: &str) -> NewQuestion {
    NewQuestion {
        person_name: "Ada Byron".into(),
        email: Some(email.into()),
        phone: None,
        company: Some("Engines".into()),
        title: "Intro".into(),
        starts_at: at("15:00"),
        time_zone: "Europe/Vienna".into(),
        tokens: vec!["chain:bk_1".into()],
        candidates: vec![Candidate {
            lead: "l_1".into(),
            name: "Ada Byron".into(),
            list: "Brokers".into(),
            status: "to do".into(),
            email: None,
            url: Some("https://clickup.example/t/l_1".into()),
            updated_at: at("09:00"),
            why: "the same name".into(),
        }],
        asked_at: at("12:00"),
        closes_at: at("14:00"),
    }
}

pub async fn hold(store: &Any, claim: &Claim, question: NewQuestion) -> String {
    let held = store.hold(claim, question).await.expect("held");
    held.expect("it is held")
}

/// Comes, is claimed and held; gives its delivery and its question.
pub async fn asked_about(store: &Any, uid: &str, email: &str) -> (String, String) {
    let delivery = comes(store, vec![booked(uid, email, "10:00")]).await;
    let question = hold(store, &claim(store, "12:00").await, about(email)).await;
    (delivery, question)
}

pub async fn question(store: &Any, id: &str) -> Question {
    let found = store.question(id).await.expect("answers");
    found.expect("there is such a question")
}

pub async fn answer(store: &Any, id: &str, answer: Answer) -> Answered {
    let answered = store.answer(id, answer, NORA, at("13:00")).await;
    answered.expect("the store answers")
}

pub fn person(lead: &str) -> Answer {
    Answer::Person(lead.into())
}

pub fn by_nora(answer: Answer) -> Given {
    Given {
        answer,
        by: NORA.into(),
        at: at("13:00"),
    }
}

pub async fn close(store: &Any, id: &str, why: Closed) -> bool {
    let closed = store.close(id, why, at("14:00")).await;
    closed.expect("the store answers")
}

pub async fn open(store: &Any) -> Vec<String> {
    let filter = QuestionFilter {
        state: Some(QuestionState::Open),
        ..QuestionFilter::default()
    };
    let open = store.questions(&filter).await.expect("answers");
    open.into_iter().map(|q| q.id).collect()
}

pub async fn a_change_is_held_for_a_question_and_its_lane_goes_on(store: Any) {
    let (held, id) = asked_about(&store, "bk_1", ADA).await;
    comes(&store, vec![booked("bk_2", ADA, "10:01")]).await;

    let found = delivery(&store, &held).await;
    assert_eq!(found.status, Status::Held);
    let reason = found.reason.expect("a reason");
    assert!(reason.contains("a person is asked") && reason.contains(&id));
    let counts = store.counts(None).await.expect("answers").by_status;
    assert!(counts.contains(&(Status::Held, 1)), "{counts:?}");
    assert_eq!(claimed(&store, "12:00").await, ["bk_2"]);
    let expected = Question {
        id: id.clone(),
        profile: PROFILE.into(),
        person: store.person_key(PROFILE, "email:ada@example.com"),
        state: QuestionState::Open,
        asked: about(ADA),
        given: None,
        closed: None,
        deliveries: vec![held.clone()],
        held: vec![held],
        may_be_posted: false,
        message: None,
    };
    assert_eq!(question(&store, &id).await, expected);
    assert_eq!(store.question("none").await.expect("answers"), None);
}

pub async fn changes_of_a_person_join_the_open_question_and_may_hasten_it(store: Any) {
    let (first, id) = asked_about(&store, "bk_1", ADA).await;
    let second = comes(&store, vec![booked("bk_2", ADA, "10:01")]).await;
    let sooner = NewQuestion {
        closes_at: at("13:00"),
        title: "Another".into(),
        ..about(ADA)
    };
    let joined = hold(&store, &claim(&store, "12:00").await, sooner).await;
    assert_eq!(joined, id);
    let third = comes(&store, vec![booked("bk_3", ADA, "10:02")]).await;
    assert_eq!(
        hold(&store, &claim(&store, "12:00").await, about(ADA)).await,
        id
    );
    let (_, of_bob) = asked_about(&store, "bk_4", BOB).await;
    assert_ne!(of_bob, id);

    let found = question(&store, &id).await;
    assert_eq!(found.asked.title, "Intro", "what was asked first stands");
    assert_eq!(found.asked.closes_at, at("13:00"));
    assert_eq!(found.deliveries, [first, second, third]);
    assert_eq!(found.held, found.deliveries);
}

pub async fn who_was_taken_over_from_holds_nothing(store: Any) {
    let id = comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    let old = claim(&store, "12:00").await;
    take_over(&store).await;
    let held = store.hold(&old, about(ADA)).await;
    assert!(matches!(held, Err(Error::Superseded)));
    assert_eq!(status(&store, &id).await, Status::Pending);
    assert_eq!(open(&store).await, [""; 0]);

    let new = claim(&store, "12:00").await;
    hold(&store, &new, about(ADA)).await;
    let twice = store.hold(&new, about(ADA)).await;
    assert!(matches!(twice, Err(Error::Superseded)));
    let finished = store.finish(&new, ended(Status::Done), Record::default());
    assert!(matches!(finished.await, Err(Error::Superseded)));
}

pub async fn what_is_held_stays_held_at_a_take_over(store: Any) {
    let (held, id) = asked_about(&store, "bk_1", ADA).await;
    take_over(&store).await;
    store.wake(PROFILE, at("12:01")).await.expect("woken");
    assert_eq!(status(&store, &held).await, Status::Held);
    assert_eq!(claimed(&store, "23:00").await, [""; 0]);
    assert_eq!(open(&store).await, std::slice::from_ref(&id));
    answer(&store, &id, Answer::New).await;
    assert_eq!(work_off(&store, "13:00").await, ["bk_1"]);
}

pub async fn a_held_delivery_that_is_replayed_joins_its_question_again(store: Any) {
    let (held, id) = asked_about(&store, "bk_1", ADA).await;
    assert!(store.replay(&held).await.expect("answers"));
    assert_eq!(status(&store, &held).await, Status::Pending);
    let found = question(&store, &id).await;
    assert_eq!((found.deliveries, found.held), (vec![held.clone()], vec![]));

    let again = hold(&store, &claim(&store, "12:00").await, about(ADA)).await;
    assert_eq!(again, id);
    assert_eq!(question(&store, &id).await.held, [held]);
}

pub async fn of_a_seated_delivery_what_is_held_is_told_before_what_waits(store: Any) {
    let ada = seat("s_a", booked("bk_1", ADA, "10:00"));
    let bob = seat("s_b", booked("bk_1", BOB, "10:00"));
    let id = comes(&store, vec![ada, bob]).await;
    let claims = claims(&store, "12:00").await;
    let later = store.retry_at(&claims[1], at("12:05"), "down", true);
    later.await.expect("put back");
    assert_eq!(status(&store, &id).await, Status::Running);
    let held = hold(&store, &claims[0], about(ADA)).await;
    assert_eq!(status(&store, &id).await, Status::Held);
    answer(&store, &held, Answer::New).await;
    assert_eq!(status(&store, &id).await, Status::Waiting);
}

pub async fn what_waits_for_its_booking_is_due_when_that_is_held(store: Any) {
    comes(&store, vec![paid("bk_1", ADA, "10:00")]).await;
    let note = claim(&store, "12:00").await;
    let parked = store.park(&note, at("12:10"), "waits for its booking");
    parked.await.expect("put back");
    let (_, id) = asked_about(&store, "bk_1", ADA).await;
    let note = claim(&store, "12:01").await;
    assert_eq!(hold(&store, &note, about(ADA)).await, id);
}

pub async fn questions_are_listed_newest_first_and_paged(store: Any) {
    let mut ids = Vec::new();
    for n in 0..4 {
        let (_, id) = asked_about(&store, &format!("bk_{n}"), &format!("{n}@example.com")).await;
        ids.insert(0, id);
    }
    answer(&store, &ids[1], Answer::Ignore).await;
    let listed = async |filter: QuestionFilter| -> Vec<String> {
        let found = store.questions(&filter).await.expect("answers");
        found.into_iter().map(|q| q.id).collect()
    };
    let all = QuestionFilter::default();
    assert_eq!(listed(all.clone()).await, ids);
    let page = QuestionFilter {
        limit: 2,
        after: Some(ids[0].clone()),
        ..all.clone()
    };
    assert_eq!(listed(page).await, ids[1..3]);
    let answered = QuestionFilter {
        state: Some(QuestionState::Answered),
        profile: Some(PROFILE.into()),
        ..all.clone()
    };
    assert_eq!(listed(answered).await, ids[1..2]);
    let others = QuestionFilter {
        profile: Some("other".into()),
        ..all
    };
    assert_eq!(listed(others).await, [""; 0]);
}

pub async fn all_that_was_asked_of_a_person_is_known_newest_first(store: Any) {
    let (_, first) = asked_about(&store, "bk_1", ADA).await;
    answer(&store, &first, Answer::Meeting("l_1".into())).await;
    work_off(&store, "13:00").await;
    let (_, second) = asked_about(&store, "bk_2", ADA).await;
    asked_about(&store, "bk_3", BOB).await;
    store.merge(PROFILE, "l_1", "l_2").await.expect("merged");

    let person = store.person_key(PROFILE, "email:ada@example.com");
    let asked = store.asked(PROFILE, &person).await.expect("answers");

    let ids: Vec<&String> = asked.iter().map(|q| &q.id).collect();
    assert_eq!(ids, [&second, &first]);
    let given = by_nora(Answer::Meeting("l_2".into()));
    assert_eq!(asked[1].given, Some(given), "l_1 is l_2 by now");
    assert_eq!(store.asked("other", &person).await.expect("answers"), []);
}

pub async fn a_message_is_posted_once_and_then_shows_what_became_of_it(store: Any) {
    let (_, id) = asked_about(&store, "bk_1", ADA).await;
    let (_, closed_before) = asked_about(&store, "bk_2", BOB).await;
    close(&store, &closed_before, Closed::Cancelled).await;
    let unposted = async || -> Vec<String> {
        let all = store.unposted(PROFILE, 10).await.expect("answers");
        all.into_iter().map(|q| q.id).collect()
    };
    let post = async |ts| store.posted(&id, "C1", ts).await.expect("answers");
    assert_eq!(unposted().await, std::slice::from_ref(&id));
    let begins = async || store.begin_posting(&id).await.expect("answers");
    assert!(!question(&store, &id).await.may_be_posted);
    assert!(begins().await);
    assert!(!begins().await, "somebody has");
    assert!(question(&store, &id).await.may_be_posted);
    assert_eq!(unposted().await, std::slice::from_ref(&id));
    store.not_posted(&id).await.expect("kept");
    assert!(begins().await, "it came to nothing");
    assert!(post("1.1").await);
    assert!(!begins().await, "it has a message");
    assert!(!question(&store, &id).await.may_be_posted);
    assert!(!post("2.2").await, "it has a message");
    assert_eq!(unposted().await, [""; 0]);
    let message = |shows| {
        Some(Message {
            channel: "C1".into(),
            ts: "1.1".into(),
            shows,
        })
    };
    let open = message(QuestionState::Open);
    assert_eq!(question(&store, &id).await.message, open);

    let shows_next = async |state| {
        assert_eq!(unposted().await, std::slice::from_ref(&id), "{state:?}");
        store.shown(&id, state).await.expect("kept");
        assert_eq!(unposted().await, [""; 0], "{state:?}");
        assert_eq!(question(&store, &id).await.message, message(state));
    };
    assert!(close(&store, &id, Closed::Expired).await);
    shows_next(QuestionState::Closed).await;
    assert_eq!(answer(&store, &id, Answer::New).await, Answered::Late);
    shows_next(QuestionState::Answered).await;
}

pub async fn what_may_have_been_posted_is_looked_for_when_it_is_answered_too(store: Any) {
    let (_, id) = asked_about(&store, "bk_1", ADA).await;
    assert!(store.begin_posting(&id).await.expect("answers"));
    assert_eq!(answer(&store, &id, Answer::New).await, Answered::First);
    let unposted = async || store.unposted(PROFILE, 10).await.expect("answers");
    let found = unposted().await;
    assert_eq!(found.len(), 1);
    assert!(found[0].may_be_posted);
    assert!(store.posted(&id, "C1", "1.1").await.expect("found"));
    assert_eq!(unposted().await.len(), 1, "it shows an open question");
    work_off(&store, "13:00").await;
    let (_, other) = asked_about(&store, "bk_2", BOB).await;
    assert!(store.begin_posting(&other).await.expect("answers"));
    close(&store, &other, Closed::Expired).await;
    store.not_posted(&other).await.expect("kept");
    assert!(!store.begin_posting(&other).await.expect("answers"));
    assert!(unposted().await.iter().all(|q| q.id == id));
}

pub async fn a_proof_tells_what_was_asked_and_answered(store: Any) {
    let (_, id) = asked_about(&store, "bk_1", ADA).await;
    asked_about(&store, "bk_2", BOB).await;
    answer(&store, &id, person("l_1")).await;
    let told = store
        .proof(PROFILE, "bk_1")
        .await
        .expect("answers")
        .questions;
    assert_eq!(told, [question(&store, &id).await]);
}

/// `spoil` makes the body of every question one that cannot be opened.
pub async fn what_cannot_be_opened_is_in_nobodys_way(store: Any, spoil: impl AsyncFn()) {
    let (answered, first) = asked_about(&store, "bk_1", ADA).await;
    let (expired, second) = asked_about(&store, "bk_2", BOB).await;
    store.posted(&first, "C1", "1.1").await.expect("posted");
    spoil().await;
    let (other, whole) = asked_about(&store, "bk_3", "cleo@example.com").await;

    assert_eq!(open(&store).await, std::slice::from_ref(&whole));
    let unposted = store.unposted(PROFILE, 10).await.expect("answers");
    assert_eq!(unposted.len(), 1, "the whole one");
    let person_key = store.person_key(PROFILE, "email:ada@example.com");
    let asked = store.asked(PROFILE, &person_key).await;
    assert_eq!(asked.expect("planning goes on"), []);
    assert_eq!(
        store
            .proof(PROFILE, "bk_1")
            .await
            .expect("answers")
            .questions,
        []
    );
    assert!(
        store.question(&first).await.is_err(),
        "it is told on asking"
    );

    comes(&store, vec![booked("bk_4", BOB, "10:01")]).await;
    let joined = hold(&store, &claim(&store, "12:00").await, about(BOB)).await;
    assert_eq!(joined, second);
    assert_eq!(answer(&store, &first, person("l_1")).await, Answered::First);
    let due = store.questions_due(PROFILE, at("14:00"), 10).await;
    assert_eq!(due.expect("answers"), [second.clone(), whole]);
    assert!(close(&store, &second, Closed::Expired).await);
    for delivery in [&answered, &expired] {
        assert_eq!(status(&store, delivery).await, Status::Pending);
    }
    assert_eq!(status(&store, &other).await, Status::Held);
}

/// Somebody whose every trait is to be kept sealed is asked about, and the answer is kept.
pub async fn ask_about_a_canary(store: &Any) {
    let canary = || String::from("canary@example.com");
    let candidate = Candidate {
        name: "Canary Bird".into(),
        list: "Canaries".into(),
        status: "canary".into(),
        email: Some(canary()),
        url: Some("https://clickup.example/canary".into()),
        why: "Canary equals".into(),
        ..about("").candidates.remove(0)
    };
    let asked = NewQuestion {
        person_name: "Canary Bird".into(),
        email: Some(canary()),
        phone: Some("canary".into()),
        company: Some("Canary Inc".into()),
        title: "Intro with Canary".into(),
        time_zone: "Atlantic/Canary".into(),
        tokens: vec![format!("chain:bk_1/email:{}", canary())],
        candidates: vec![candidate],
        ..about("")
    };
    comes(store, vec![booked("bk_2", &canary(), "10:00")]).await;
    let id = hold(store, &claim(store, "12:00").await, asked).await;
    let answered = store.answer(&id, person("l_1"), "Canary", at("13:00"));
    assert_eq!(answered.await.expect("answers"), Answered::First);
    let alias = store.alias(PROFILE, "Canary@example.com").await;
    assert!(alias.expect("answers").is_some());
}
