//! Effects, links, registers.

use domain::effect::{Effect, Kind, State};
use domain::outcome::Cause;
use store::Error;
use store::rows::{Link, Register};

use crate::world::*;

pub fn effect(key: &str, change: &str, epoch: i64) -> Effect {
    Effect {
        key: key.into(),
        profile: PROFILE.into(),
        change: change.into(),
        target: "lead_1".into(),
        kind: Kind::Comment,
        state: State::Attempting,
        desired: "{\"text\":\"hello\"}".into(),
        pre_image: None,
        status_before: None,
        epoch,
        attempt: 1,
        marker: "marker".into(),
        remote_id: None,
        reason: None,
        first_sent_at: at("10:00"),
        last_sent_at: at("10:00"),
        negatives: 0,
        last_probe_at: None,
        amended: Vec::new(),
    }
}

async fn epoch(store: &Any) -> i64 {
    take_over(store).await
}

pub async fn an_effect_is_kept_as_given(store: Any) {
    let epoch = epoch(&store).await;
    let mut first = effect("e_1", "c_1", epoch);
    record_effect(&store, &first).await.expect("recorded");
    let mut second = effect("e_2", "c_1", epoch);
    second.first_sent_at = at("10:01");
    record_effect(&store, &second).await.expect("recorded");
    record_effect(&store, &effect("e_3", "c_2", epoch))
        .await
        .expect("saved");
    assert_eq!(
        store.effects(PROFILE, "c_1").await.expect("answers"),
        [first.clone(), second.clone()]
    );

    first.state = State::Applied;
    first.kind = Kind::BlockComment;
    first.pre_image = Some("before".into());
    first.status_before = Some("to do".into());
    first.remote_id = Some("comment_1".into());
    first.reason = Some("found by its marker".into());
    first.negatives = 2;
    first.last_probe_at = Some(at("10:07"));
    first.amended = vec![Cause::Status, Cause::Quota];
    record_effect(&store, &first).await.expect("recorded");
    assert_eq!(
        store.effects(PROFILE, "c_1").await.expect("answers"),
        [first, second]
    );
    assert!(
        store
            .effects("other", "c_1")
            .await
            .expect("answers")
            .is_empty()
    );
}

pub async fn a_lower_epoch_writes_no_effect(store: Any) {
    let old = epoch(&store).await;
    let new = epoch(&store).await;
    let kept = effect("e_1", "c_1", new);
    record_effect(&store, &kept).await.expect("recorded");
    let mut late = effect("e_1", "c_1", old);
    late.state = State::Dead;
    assert!(matches!(
        record_effect(&store, &late).await,
        Err(Error::Superseded)
    ));
    assert_eq!(
        store.effects(PROFILE, "c_1").await.expect("answers"),
        [kept]
    );
}

pub async fn what_was_attempted_is_unknown_after_a_take_over(store: Any) {
    let old = epoch(&store).await;
    let attempting = effect("e_1", "c_1", old);
    let mut applied = effect("e_2", "c_1", old);
    applied.state = State::Applied;
    record_effect(&store, &attempting).await.expect("recorded");
    record_effect(&store, &applied).await.expect("recorded");
    epoch(&store).await;
    let unknown = Effect {
        state: State::Unknown,
        ..attempting
    };
    assert_eq!(
        store.effects(PROFILE, "c_1").await.expect("answers"),
        [unknown, applied]
    );
}

pub async fn links_are_kept_by_token_and_profile(store: Any) {
    let link = |token: &str, lead: &str| Link {
        token: token.into(),
        lead: lead.into(),
        how: "e-mail".into(),
        gone: false,
        only: false,
    };
    let tokens = [
        "chain:bk_1",
        "chain:bk_1/email:ada@example.com",
        "person:abc",
        "chain:none",
    ]
    .map(String::from);
    let mut links = vec![
        link(&tokens[0], "l_1"),
        link(&tokens[1], "l_2"),
        link(&tokens[2], "l_3"),
    ];
    record_links(&store, &links).await;
    assert_eq!(store.links(PROFILE, &tokens).await.expect("answers"), links);
    assert!(
        store
            .links("other", &tokens)
            .await
            .expect("answers")
            .is_empty()
    );

    links[0].gone = true;
    links[2].lead = "l_4".into();
    record_links(&store, &links).await;
    assert_eq!(store.links(PROFILE, &tokens).await.expect("answers"), links);
}

pub async fn a_register_is_kept_and_empty_at_first(store: Any) {
    assert_eq!(
        store.register(PROFILE, "lead_1").await.expect("answers"),
        Register::default()
    );
    let register = Register {
        status_set: Some("Meeting Booked".into()),
        block_written: true,
        block_removed: false,
        block_comment: Some("comment_1".into()),
        block_comment_text: Some("Ada, 15:00".into()),
        worked_on: true,
        people: vec!["ada".into(), "bob".into()],
    };
    record_register(&store, "lead_1", &register).await;
    assert_eq!(
        store.register(PROFILE, "lead_1").await.expect("answers"),
        register
    );
    assert_eq!(
        store.register("other", "lead_1").await.expect("answers"),
        Register::default()
    );
}
