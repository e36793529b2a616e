//! What may stand twice in the CRM.

use domain::effect::{Effect, Kind};
use store::rows::{Doubt, Link};

use crate::journal::effect;
use crate::world::*;

fn doubt(effect: &str, until: &str, due: &str) -> Doubt {
    Doubt {
        profile: PROFILE.into(),
        effect: effect.into(),
        change: "c_1".into(),
        until: at(until),
        due: at(due),
    }
}

async fn due(store: &Any, now: &str) -> Vec<Doubt> {
    store.doubts(PROFILE, at(now), 10).await.expect("answers")
}

pub async fn a_doubt_is_due_until_it_is_over(store: Any) {
    let first = doubt("e_1", "13:00", "10:00");
    let second = doubt("e_2", "13:00", "10:01");
    for one in [&second, &first] {
        store.doubt(one).await.expect("kept");
    }
    assert_eq!(due(&store, "09:59").await, []);
    assert_eq!(due(&store, "10:01").await, [first.clone(), second.clone()]);
    assert_eq!(
        store
            .doubts(PROFILE, at("10:01"), 1)
            .await
            .expect("answers"),
        std::slice::from_ref(&first)
    );
    assert_eq!(
        store
            .doubts("other", at("10:01"), 9)
            .await
            .expect("answers"),
        []
    );

    store
        .look_again(&first, Some(at("10:30")))
        .await
        .expect("moved");
    store.look_again(&second, None).await.expect("over");
    assert_eq!(due(&store, "10:29").await, []);
    let moved = Doubt {
        due: at("10:30"),
        ..first
    };
    assert_eq!(due(&store, "10:30").await, [moved]);
}

pub async fn a_doubt_that_is_known_only_lasts_longer(store: Any) {
    store
        .doubt(&doubt("e_1", "13:00", "10:00"))
        .await
        .expect("kept");
    store
        .doubt(&doubt("e_1", "14:00", "12:00"))
        .await
        .expect("kept");
    store
        .doubt(&doubt("e_1", "11:00", "09:00"))
        .await
        .expect("kept");
    assert_eq!(due(&store, "12:00").await, [doubt("e_1", "14:00", "10:00")]);
}

pub async fn a_link_to_a_merged_lead_means_the_one_that_is_left(store: Any) {
    let link = |token: &str, lead: &str| Link {
        token: token.into(),
        lead: lead.into(),
        how: "made by calup".into(),
        gone: false,
        only: false,
    };
    let tokens = ["chain:bk_1", "chain:bk_2", "chain:bk_3"].map(String::from);
    let links = [
        link(&tokens[0], "l_1"),
        link(&tokens[1], "l_2"),
        link(&tokens[2], "l_3"),
    ];
    record_links(&store, &links).await;
    store.merge(PROFILE, "l_1", "l_2").await.expect("merged");
    store.merge(PROFILE, "l_2", "l_4").await.expect("merged");
    store.merge("other", "l_3", "l_5").await.expect("merged");
    let stands_for = async |lead| store.standing_for(PROFILE, lead).await.expect("answers");
    assert_eq!(stands_for("l_1").await, "l_4");
    assert_eq!(stands_for("l_3").await, "l_3");
    let leads: Vec<String> = store
        .links(PROFILE, &tokens)
        .await
        .expect("answers")
        .into_iter()
        .map(|l| l.lead)
        .collect();
    assert_eq!(leads, ["l_4", "l_4", "l_3"]);
}

pub async fn when_a_lead_was_last_written_is_known(store: Any) {
    let epoch = take_over(&store).await;
    for (key, time) in [("e_1", "10:00"), ("e_2", "10:07"), ("e_3", "10:03")] {
        let sent = Effect {
            last_sent_at: at(time),
            ..effect(key, "c_1", epoch)
        };
        record_effect(&store, &sent).await.expect("saved");
    }
    let last = async |lead| store.last_sent(PROFILE, lead, None).await.expect("answers");
    assert_eq!(last("lead_1").await, Some(at("10:07")));
    assert_eq!(last("lead_2").await, None);
    let of_kind = async |kind| {
        let last = store.last_sent(PROFILE, "lead_1", Some(kind)).await;
        last.expect("answers")
    };
    assert_eq!(of_kind(Kind::Comment).await, Some(at("10:07")));
    assert_eq!(of_kind(Kind::Write).await, None);
}
