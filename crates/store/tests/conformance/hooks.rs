//! The CRM's webhooks.

use store::rows::Hook;

use crate::world::*;

fn hook(id: &str, list: &str) -> Hook {
    Hook {
        id: id.into(),
        list_id: list.into(),
        user: Some("54000001".into()),
        secret: format!("secret of {id}"),
    }
}

async fn keep(store: &Any, hook: &Hook) {
    store.keep_hook(PROFILE, hook).await.expect("kept");
}

async fn kept(store: &Any) -> Vec<Hook> {
    store.hooks(PROFILE).await.expect("answers")
}

pub async fn a_hook_is_kept_as_given_until_it_is_forgotten(store: Any) {
    assert_eq!(kept(&store).await, []);
    let (first, second) = (hook("h_1", "9012"), hook("h_2", "9013"));
    keep(&store, &second).await;
    keep(&store, &first).await;
    let theirs = hook("h_1", "7");
    store.keep_hook("other", &theirs).await.expect("kept");
    assert_eq!(kept(&store).await, [first.clone(), second.clone()]);

    let renewed = Hook {
        secret: "another".into(),
        ..first
    };
    keep(&store, &renewed).await;
    assert_eq!(kept(&store).await, [renewed, second.clone()]);
    for _ in 0..2 {
        store.forget_hook(PROFILE, "h_1").await.expect("forgotten");
    }
    assert_eq!(kept(&store).await, [second]);
    assert_eq!(store.hooks("other").await.expect("answers"), [theirs]);
}
