//! What people look at, and small things that are kept.

use store::rows::{DeliveryFilter, Link, Notice, Pause, Status, Token};

use crate::journal::effect;
use crate::world::*;

const ADA: &str = "ada@example.com";

async fn listed(store: &Any, filter: DeliveryFilter) -> Vec<String> {
    store
        .deliveries(&filter)
        .await
        .expect("answers")
        .into_iter()
        .map(|d| d.id)
        .collect()
}

pub async fn deliveries_are_listed_newest_first_and_paged(store: Any) {
    let mut ids = Vec::new();
    for n in 0..60 {
        ids.push(store.receive(raw(&n.to_string())).await.expect("received"));
    }
    ids.reverse();
    let by = |limit: usize, after: Option<&String>| DeliveryFilter {
        limit,
        after: after.cloned(),
        ..Default::default()
    };
    assert_eq!(listed(&store, by(0, None)).await, ids[..50], "the default");
    assert_eq!(listed(&store, by(3, None)).await, ids[..3]);
    assert_eq!(listed(&store, by(9_999, Some(&ids[2]))).await, ids[3..]);
    let found = store
        .deliveries(&by(1, None))
        .await
        .expect("answers")
        .remove(0);
    assert!(found.body.is_empty(), "bodies are opened one at a time");
}

pub async fn deliveries_are_found_by_status_uid_and_hash(store: Any) {
    let first = comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    let second = comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    let third = comes(&store, vec![booked("bk_2", ADA, "10:00")]).await;
    let status = |status| DeliveryFilter {
        status: Some(status),
        ..Default::default()
    };
    assert_eq!(
        listed(&store, status(Status::Duplicate)).await,
        std::slice::from_ref(&second)
    );
    assert_eq!(
        listed(&store, status(Status::Pending)).await,
        [third.clone(), first.clone()]
    );
    let uid = DeliveryFilter {
        uid: Some("bk_1".into()),
        ..Default::default()
    };
    assert_eq!(listed(&store, uid.clone()).await, [second, first.clone()]);
    assert_eq!(
        listed(
            &store,
            DeliveryFilter {
                status: Some(Status::Pending),
                ..uid
            }
        )
        .await,
        [first]
    );
    let sha256 = DeliveryFilter {
        sha256: Some(hash("bk_2")),
        ..Default::default()
    };
    assert_eq!(listed(&store, sha256).await, [third]);
}

pub async fn every_status_is_counted_also_none(store: Any) {
    comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    store.receive(raw("unread")).await.expect("received");
    let expected = Status::ALL.map(|s| {
        (
            s,
            match s {
                Status::Pending => 2,
                Status::Duplicate => 1,
                _ => 0,
            },
        )
    });
    assert_eq!(
        store.counts(None).await.expect("answers").by_status,
        expected
    );
}

pub async fn a_proof_tells_everything_of_a_booking(store: Any) {
    let epoch = take_over(&store).await;
    let first = comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    let twice = comes(&store, vec![booked("bk_1", ADA, "10:00")]).await;
    let after = comes(&store, vec![moved("bk_1", "bk_2", ADA, "10:01")]).await;
    comes(&store, vec![booked("bk_9", ADA, "10:02")]).await;
    let link = |token: &str| Link {
        token: token.into(),
        lead: "l".into(),
        how: "e-mail".into(),
        gone: false,
        only: false,
    };
    let links = [link("chain:bk_1"), link("chain:bk_2"), link("chain:bk_9")];
    record_links(&store, &links).await;
    let key = claim(&store, "12:00").await.stored.key;
    let told = effect("e_1", &key, epoch);
    record_effect(&store, &told).await.expect("recorded");

    let proof = store.proof(PROFILE, "bk_1").await.expect("answers");

    assert_eq!(
        proof.deliveries.iter().map(|d| &d.id).collect::<Vec<_>>(),
        [&first, &twice, &after]
    );
    assert_eq!(
        proof
            .changes
            .iter()
            .map(|c| c.change.booking.uid.as_str())
            .collect::<Vec<_>>(),
        ["bk_1", "bk_2"]
    );
    assert_eq!(proof.links, links[..2]);
    assert_eq!(proof.effects, [told]);
    assert!(
        store
            .proof(PROFILE, "bk_none")
            .await
            .expect("answers")
            .deliveries
            .is_empty()
    );
}

pub async fn the_same_cause_is_told_once_an_hour(store: Any) {
    let notice = |text: &str, time: &str| Notice {
        profile: PROFILE.into(),
        cause: "status-missing:9013:Lost".into(),
        text: text.into(),
        hint: "run `calup doctor`".into(),
        first_at: at(time),
        last_at: at(time),
        count: 1,
    };
    let tell = async |text: &str, time: &str| {
        store
            .notify(&notice(text, time), at(time))
            .await
            .expect("kept")
    };
    assert!(tell("one", "10:00").await);
    assert!(!tell("two", "10:59").await);
    assert!(tell("three", "11:00").await);
    assert!(!tell("four", "11:30").await);
    let kept = Notice {
        first_at: at("10:00"),
        last_at: at("11:30"),
        count: 4,
        ..notice("three", "11:00")
    };
    assert_eq!(
        store.notices(PROFILE, 10).await.expect("answers"),
        std::slice::from_ref(&kept)
    );

    let other = Notice {
        cause: "clickup-down".into(),
        ..notice("other", "11:45")
    };
    assert!(store.notify(&other, at("11:45")).await.expect("kept"));
    assert_eq!(
        store.notices(PROFILE, 10).await.expect("answers"),
        [other.clone(), kept]
    );
    assert_eq!(store.notices(PROFILE, 1).await.expect("answers"), [other]);
}

pub async fn pauses_facts_meta_and_tokens_are_kept(store: Any) {
    let pause = Pause {
        reason: "the token was refused".into(),
        since: at("10:00"),
    };
    store
        .pause(PROFILE, Some(pause.clone()))
        .await
        .expect("paused");
    assert_eq!(store.paused(PROFILE).await.expect("answers"), Some(pause));
    assert_eq!(store.paused("other").await.expect("answers"), None);
    store.pause(PROFILE, None).await.expect("resumed");
    assert_eq!(store.paused(PROFILE).await.expect("answers"), None);

    store
        .remember(PROFILE, "field-quota", at("11:00"))
        .await
        .expect("kept");
    assert!(
        store
            .remembered(PROFILE, "field-quota", at("10:59"))
            .await
            .expect("answers")
    );
    assert!(
        !store
            .remembered(PROFILE, "field-quota", at("11:00"))
            .await
            .expect("answers")
    );
    assert!(
        !store
            .remembered("other", "field-quota", at("10:00"))
            .await
            .expect("answers")
    );

    assert_eq!(store.meta("last_ping").await.expect("answers"), None);
    for value in ["one", "two"] {
        store.set_meta("last_ping", value).await.expect("kept");
        assert_eq!(
            store.meta("last_ping").await.expect("answers").as_deref(),
            Some(value)
        );
    }

    let token = Token {
        id: "t_1".into(),
        name: "laptop".into(),
        profile: PROFILE.into(),
        scope: "read".into(),
        hash: "hash".into(),
        created_at: at("10:00"),
    };
    store.add_token(&token).await.expect("kept");
    let found = store.token("hash").await.expect("answers");
    assert_eq!(found.as_ref(), Some(&token));
    assert_eq!(store.token("other").await.expect("answers"), None);
}

pub async fn a_revoked_token_opens_nothing_and_others_do(store: Any) {
    let made = |id: &str, profile: &str| Token {
        id: id.into(),
        name: "laptop".into(),
        profile: profile.into(),
        scope: "all".into(),
        hash: format!("hash of {id}"),
        created_at: at("10:00"),
    };
    let all = [
        made("t_1", PROFILE),
        made("t_2", PROFILE),
        made("t_3", "other"),
    ];
    for token in &all {
        store.add_token(token).await.expect("kept");
    }
    assert_eq!(store.tokens(PROFILE).await.expect("answers"), all[..2]);

    for (profile, id, was_there) in [
        (PROFILE, "t_1", true),
        (PROFILE, "t_1", false),
        (PROFILE, "t_3", false),
    ] {
        let revoked = store.revoke_token(profile, id).await.expect("answers");
        assert_eq!(revoked, was_there, "{id}");
    }

    assert_eq!(store.token("hash of t_1").await.expect("answers"), None);
    assert_eq!(store.tokens(PROFILE).await.expect("answers"), all[1..2]);
    assert_eq!(store.tokens("other").await.expect("answers"), all[2..]);
}

pub async fn a_person_key_depends_on_profile_and_identity(store: Any) {
    let key = store.person_key(PROFILE, "email:ada@example.com");
    assert_eq!(key.len(), 32);
    assert_eq!(key, store.person_key(PROFILE, "email:ada@example.com"));
    assert_ne!(key, store.person_key("other", "email:ada@example.com"));
    assert_ne!(key, store.person_key(PROFILE, "email:bob@example.com"));
    assert_ne!(store.marker_key(), [0; 32]);
}

pub async fn a_healthy_store_says_so(store: Any) {
    store.healthy().await.expect("healthy");
    assert_eq!(
        store.damage().await.expect("looked through"),
        Vec::<String>::new()
    );
}
