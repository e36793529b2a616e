//! Addresses that were learnt.

use store::rows::Alias;

use crate::world::*;

fn alias(email: &str, lead: &str, learnt: &str) -> Alias {
    Alias {
        email: email.into(),
        lead: lead.into(),
        by: "Nora (Slack)".into(),
        at: at(learnt),
    }
}

async fn learn(store: &Any, alias: &Alias) {
    store.learn_alias(PROFILE, alias).await.expect("learnt");
}

async fn known(store: &Any, email: &str) -> Option<Alias> {
    store.alias(PROFILE, email).await.expect("answers")
}

pub async fn an_alias_is_found_in_any_case_until_it_is_forgotten(store: Any) {
    let first = alias("Ada@Home.example", "l_1", "10:00");
    learn(&store, &first).await;
    assert_eq!(known(&store, " ADA@home.example ").await, Some(first));
    assert_eq!(known(&store, "ada@other.example").await, None);
    let elsewhere = store.alias("other", "ada@home.example").await;
    assert_eq!(elsewhere.expect("answers"), None);

    let better = alias("ada@home.example", "l_2", "11:00");
    learn(&store, &better).await;
    assert_eq!(known(&store, "ada@home.example").await, Some(better));

    let forget = async || {
        let forgotten = store.forget_alias(PROFILE, "Ada@home.example").await;
        forgotten.expect("answers")
    };
    assert!(forget().await);
    assert!(!forget().await);
    assert_eq!(known(&store, "ada@home.example").await, None);
}

pub async fn aliases_are_listed_newest_first(store: Any) {
    let all = [
        alias("b@example.com", "l_1", "12:00"),
        alias("c@example.com", "l_1", "11:00"),
        alias("a@example.com", "l_2", "10:00"),
    ];
    for one in [&all[1], &all[2], &all[0]] {
        learn(&store, one).await;
    }
    let theirs = alias("d@example.com", "l_1", "12:00");
    store.learn_alias("other", &theirs).await.expect("learnt");
    assert_eq!(store.aliases(PROFILE).await.expect("answers"), all);
}

pub async fn an_alias_of_a_merged_lead_means_the_one_that_is_left(store: Any) {
    learn(&store, &alias("ada@home.example", "l_1", "10:00")).await;
    store.merge(PROFILE, "l_1", "l_2").await.expect("merged");
    let found = known(&store, "ada@home.example").await.expect("an alias");
    assert_eq!(found.lead, "l_2");
    let listed = store.aliases(PROFILE).await.expect("answers");
    assert_eq!(listed, [found]);
}
