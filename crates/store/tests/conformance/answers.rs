//! What an answer leads to, or none, or one that comes late or second.

use store::rows::{
    Alias, Answer, Answered, Closed, Given, NewQuestion, QuestionState, Record, Status,
};

use crate::questions::*;
use crate::world::*;

pub async fn the_first_answer_sets_going_what_was_held(store: Any) {
    let (first, id) = asked_about(&store, "bk_1", ADA).await;
    let second = comes(&store, vec![booked("bk_2", ADA, "10:01")]).await;
    hold(&store, &claim(&store, "12:00").await, about(ADA)).await;

    assert_eq!(answer(&store, &id, person("l_1")).await, Answered::First);

    for delivery in [&first, &second] {
        assert_eq!(status(&store, delivery).await, Status::Pending);
    }
    let found = question(&store, &id).await;
    assert_eq!(found.state, QuestionState::Answered);
    assert_eq!(found.given, Some(by_nora(person("l_1"))));
    assert_eq!(
        (found.deliveries, found.held),
        (vec![first, second], vec![])
    );
    let next = claim(&store, "13:00").await;
    assert_eq!(
        (next.stored.attempts, next.stored.first_tried_at),
        (1, Some(at("13:00"))),
        "the time it was held does not count as trying"
    );
    finish(&store, &next, Status::Done).await;
    assert_eq!(work_off(&store, "13:00").await, ["bk_2"]);
}

pub async fn a_second_answer_is_told_of_the_first(store: Any) {
    let (held, id) = asked_about(&store, "bk_1", ADA).await;
    answer(&store, &id, Answer::Meeting("l_1".into())).await;
    work_off(&store, "13:00").await;
    let second = store.answer(&id, Answer::New, "Otto", at("13:30")).await;
    let first = by_nora(Answer::Meeting("l_1".into()));
    assert_eq!(second.expect("answers"), Answered::Before(first.clone()));
    assert_eq!(question(&store, &id).await.given, Some(first));
    assert_eq!(status(&store, &held).await, Status::Done);
    let none = answer(&store, "none", Answer::New).await;
    assert_eq!(none, Answered::NoSuch);
}

pub async fn of_many_answers_at_once_one_is_first(store: Any) {
    race(&[store]).await;
}

/// Through any number of replicas.
pub async fn race(stores: &[Any]) {
    let (_, id) = asked_about(&stores[0], "bk_1", ADA).await;
    let mut racing = Vec::new();
    for n in 0..20 {
        let (store, id) = (stores[n % stores.len()].clone(), id.clone());
        racing.push(tokio::spawn(async move {
            let by = format!("person {n}");
            let lead = person(&format!("l_{n}"));
            (n, store.answer(&id, lead, &by, at("13:00")).await)
        }));
    }
    let mut first = None;
    let mut before = Vec::new();
    for answer in racing {
        let (n, answered) = answer.await.expect("no panic");
        match answered.expect("answers") {
            Answered::First => assert_eq!(first.replace(n), None, "two were first"),
            Answered::Before(given) => before.push(given),
            other => panic!("{other:?}"),
        }
    }
    let first = first.expect("one was first");
    let given = Given {
        answer: person(&format!("l_{first}")),
        by: format!("person {first}"),
        at: at("13:00"),
    };
    assert_eq!(before, vec![given.clone(); 19]);
    let store = &stores[stores.len() - 1];
    let alias = store.alias(PROFILE, ADA).await.expect("answers");
    assert_eq!(alias.expect("learnt").lead, format!("l_{first}"));
    assert_eq!(question(store, &id).await.given, Some(given));
    assert_eq!(work_off(&stores[0], "13:00").await, ["bk_1"]);
}

pub async fn only_an_answer_about_the_person_teaches_the_address(store: Any) {
    let others = [Answer::Meeting("l_1".into()), Answer::New, Answer::Ignore];
    for (n, other) in others.into_iter().enumerate() {
        let email = format!("{n}@example.com");
        let (_, id) = asked_about(&store, &format!("bk_{n}"), &email).await;
        assert_eq!(answer(&store, &id, other.clone()).await, Answered::First);
        let given = question(&store, &id).await.given;
        assert_eq!(given, Some(by_nora(other)));
        work_off(&store, "13:00").await;
    }
    let nameless = NewQuestion {
        email: None,
        ..about(BOB)
    };
    comes(&store, vec![booked("bk_8", BOB, "10:00")]).await;
    let id = hold(&store, &claim(&store, "12:00").await, nameless).await;
    answer(&store, &id, person("l_1")).await;
    work_off(&store, "13:00").await;
    assert_eq!(store.aliases(PROFILE).await.expect("answers"), []);

    let (_, id) = asked_about(&store, "bk_9", "Ada@Example.com").await;
    answer(&store, &id, person("l_1")).await;
    let alias = Alias {
        email: "Ada@Example.com".into(),
        lead: "l_1".into(),
        by: NORA.into(),
        at: at("13:00"),
    };
    let learnt = store.alias(PROFILE, ADA).await.expect("answers");
    assert_eq!(learnt, Some(alias));
}

pub async fn unanswered_it_is_closed_once_and_what_it_held_goes_on(store: Any) {
    let (held, id) = asked_about(&store, "bk_1", ADA).await;
    let due = async |now| {
        let due = store.questions_due(PROFILE, at(now), 10).await;
        due.expect("answers")
    };
    let next = async || store.next_question_due(PROFILE).await.expect("answers");
    assert_eq!(next().await, Some(at("14:00")));
    assert_eq!(due("13:59").await, [""; 0]);
    assert_eq!(due("14:00").await, std::slice::from_ref(&id));
    let elsewhere = store.questions_due("other", at("14:00"), 10).await;
    assert_eq!(elsewhere.expect("answers"), [""; 0]);

    assert!(close(&store, &id, Closed::Expired).await);
    assert!(!close(&store, &id, Closed::Cancelled).await);
    assert!(!close(&store, "none", Closed::Expired).await);

    assert_eq!((due("14:00").await, next().await), (vec![], None));
    let found = question(&store, &id).await;
    assert_eq!(found.state, QuestionState::Closed);
    assert_eq!(found.closed, Some((Closed::Expired, at("14:00"))));
    assert_eq!(status(&store, &held).await, Status::Pending);
    assert_eq!(work_off(&store, "14:00").await, ["bk_1"]);

    let (_, answered) = asked_about(&store, "bk_2", BOB).await;
    answer(&store, &answered, Answer::New).await;
    assert!(!close(&store, &answered, Closed::Expired).await);
}

pub async fn a_late_answer_counts_and_plans_again_what_was_held(store: Any) {
    let (held, id) = asked_about(&store, "bk_1", ADA).await;
    close(&store, &id, Closed::Expired).await;
    work_off(&store, "14:00").await;
    assert_eq!(status(&store, &held).await, Status::Done);

    assert_eq!(answer(&store, &id, person("l_1")).await, Answered::Late);

    let found = question(&store, &id).await;
    assert_eq!(found.state, QuestionState::Answered);
    assert_eq!(found.given, Some(by_nora(person("l_1"))));
    assert_eq!(found.closed, Some((Closed::Expired, at("14:00"))));
    let alias = store.alias(PROFILE, ADA).await.expect("answers");
    assert_eq!(alias.expect("learnt").lead, "l_1");
    assert_eq!(status(&store, &held).await, Status::Pending);
    assert_eq!(work_off(&store, "14:00").await, ["bk_1"]);
    let again = answer(&store, &id, Answer::New).await;
    assert_eq!(again, Answered::Before(by_nora(person("l_1"))));
}

pub async fn a_late_answer_plans_again_what_came_to_the_same_lead_since(store: Any) {
    let (held, id) = asked_about(&store, "bk_1", ADA).await;
    close(&store, &id, Closed::Expired).await;
    work_off(&store, "14:00").await;
    let since = comes(&store, vec![booked("bk_2", ADA, "10:01")]).await;
    let others = comes(&store, vec![booked("bk_3", BOB, "10:02")]).await;
    work_off(&store, "14:00").await;
    let elsewhere = comes(&store, vec![booked("bk_4", ADA, "10:03")]).await;
    let mut ended = ended(Status::Done);
    ended.lead = Some("lead_2".into());
    let claim = claim(&store, "14:00").await;
    let finished = store.finish(&claim, ended, Record::default()).await;
    finished.expect("finished");

    assert_eq!(answer(&store, &id, person("l_1")).await, Answered::Late);

    for (delivery, becomes) in [
        (&held, Status::Pending),
        (&since, Status::Pending),
        (&others, Status::Done),
        (&elsewhere, Status::Done),
    ] {
        assert_eq!(status(&store, delivery).await, becomes);
    }
    assert_eq!(work_off(&store, "14:00").await, ["bk_1", "bk_2"]);
}

pub async fn what_is_said_late_of_a_person_answers_what_is_asked_by_now(store: Any) {
    for (said, is_open) in [
        (person("l_1"), false),
        (Answer::Meeting("l_1".into()), true),
    ] {
        let email = format!("{is_open}@example.com");
        let (_, earlier) = asked_about(&store, &format!("a_{is_open}"), &email).await;
        close(&store, &earlier, Closed::Cancelled).await;
        work_off(&store, "14:00").await;
        let (held, later) = asked_about(&store, &format!("b_{is_open}"), &email).await;

        assert_eq!(answer(&store, &earlier, said.clone()).await, Answered::Late);

        let later = question(&store, &later).await;
        let (state, given, status_now) = if is_open {
            (QuestionState::Open, None, Status::Held)
        } else {
            (
                QuestionState::Answered,
                Some(by_nora(said)),
                Status::Pending,
            )
        };
        assert_eq!((later.state, later.given), (state, given));
        assert_eq!(status(&store, &held).await, status_now);
        work_off(&store, "14:00").await;
    }
}

pub async fn what_is_decided_while_the_answer_comes_is_planned_again(store: Any) {
    let (_, id) = asked_about(&store, "bk_1", ADA).await;
    comes(&store, vec![booked("bk_2", ADA, "10:01")]).await;
    let deciding = claim(&store, "12:00").await;
    answer(&store, &id, person("l_1")).await;

    let held = store.hold(&deciding, about(ADA)).await;

    assert_eq!(held.expect("answers"), None);
    assert_eq!(open(&store).await, [""; 0], "nobody is asked twice");
    assert_eq!(work_off(&store, "13:00").await, ["bk_1", "bk_2"]);
}
