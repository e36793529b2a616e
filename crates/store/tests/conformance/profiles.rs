//! Profiles: kept, sealed, and strangers to one another.

use std::collections::BTreeMap;

use store::Error;
use store::rows::{
    DeliveryFilter, Hook, Link, Notice, Paper, PaperKind, ProfileRow, QuestionFilter, Register,
    Resealed, SECRETS, Status, Token,
};

use crate::journal::effect;
use crate::world::*;

fn texts(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    of.iter().map(own).collect()
}

fn row(name: &str, version: i64) -> ProfileRow {
    ProfileRow {
        name: name.into(),
        version,
        calcom_username: Some("nora".into()),
        settings: texts(&[("clickup_inbound_list_id", "9013")]),
        secrets: texts(&[
            ("calcom_api_key", "cal_live_canary"),
            ("clickup_api_token", "pk_canary"),
        ]),
    }
}

async fn write(store: &Any, row: &ProfileRow) -> Option<i64> {
    store.write_profile(row).await.expect("answers")
}

async fn read(store: &Any, name: &str) -> Option<ProfileRow> {
    store.profile(name).await.expect("answers")
}

/// What a database of the version before can do once it is brought along; it has a token.
pub async fn is_of_use(store: &Any) {
    let token = store.token("hash").await.expect("answers");
    assert_eq!(token.expect("it stays").profile, PROFILE);
    assert_eq!(write(store, &row("sales", 0)).await, Some(1));
    assert_eq!(read(store, "sales").await, Some(row("sales", 1)));
}

pub async fn keep_a_canary(store: &Any) {
    let secrets = SECRETS.map(|name| (name.to_owned(), format!("{name} canary")));
    let row = ProfileRow {
        secrets: BTreeMap::from(secrets),
        ..row("sales", 0)
    };
    assert!(write(store, &row).await.is_some());
    let kept = read(store, "sales").await.expect("there");
    assert_eq!(kept.secrets, row.secrets);
    assert!(!format!("{kept:?}").contains("canary"));
}

pub async fn a_profile_is_written_over_by_whoever_read_it_last(store: Any) {
    assert_eq!(read(&store, "sales").await, None);
    assert_eq!(write(&store, &row("sales", 1)).await, None);
    assert_eq!(write(&store, &row("sales", 0)).await, Some(1));
    assert_eq!(write(&store, &row("sales", 0)).await, None);
    assert_eq!(read(&store, "sales").await, Some(row("sales", 1)));
    let less = ProfileRow {
        secrets: BTreeMap::new(),
        calcom_username: None,
        ..row("sales", 1)
    };
    assert_eq!(write(&store, &less).await, Some(2));
    assert_eq!(write(&store, &row("sales", 1)).await, None);
    let less = ProfileRow { version: 2, ..less };
    assert_eq!(read(&store, "sales").await, Some(less));
}

pub async fn profiles_are_listed_by_name_and_go_with_their_tokens(store: Any) {
    for name in ["sales", "hiring"] {
        write(&store, &row(name, 0)).await;
        let token = Token {
            id: name.into(),
            name: "laptop".into(),
            profile: name.into(),
            scope: "all".into(),
            hash: format!("hash of {name}'s"),
            created_at: at("10:00"),
        };
        store.add_token(&token).await.expect("kept");
        let grant = Paper {
            id: "cal.com".into(),
            version: 0,
            body: b"{}".to_vec(),
            until: None,
        };
        let kept = store.write_paper(name, PaperKind::Grant, &grant, at("10:00"));
        assert_eq!(kept.await.expect("answers"), Some(1));
    }
    let names = async || -> Vec<String> {
        let all = store.profiles().await.expect("answers");
        all.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names().await, ["hiring", "sales"]);

    assert!(store.remove_profile("sales").await.expect("answers"));
    assert!(!store.remove_profile("sales").await.expect("answers"));
    assert_eq!(names().await, ["hiring"]);
    for (name, is_left) in [("sales", false), ("hiring", true)] {
        let token = store.token(&format!("hash of {name}'s")).await;
        assert_eq!(token.expect("answers").is_some(), is_left);
        let grant = store.paper(name, PaperKind::Grant, "cal.com", at("10:00"));
        assert_eq!(grant.await.expect("answers").is_some(), is_left);
    }
}

pub async fn what_comes_in_for_one_is_handed_out_and_shown_to_no_other(store: Any) {
    let theirs = comes_for(
        &store,
        "other",
        vec![booked("bk_1", "ada@example.com", "10:00")],
    )
    .await;
    let raw = store::rows::NewDelivery {
        profile: "other".into(),
        ..raw("unread")
    };
    let unread = store.receive(raw).await.expect("received");
    let notice = Notice {
        profile: "other".into(),
        cause: "clickup-down".into(),
        text: "one".into(),
        hint: "two".into(),
        first_at: at("10:00"),
        last_at: at("10:00"),
        count: 1,
    };
    store.notify(&notice, at("10:00")).await.expect("kept");

    let of = |profile: &str, status| DeliveryFilter {
        profile: Some(profile.into()),
        status,
        ..DeliveryFilter::default()
    };
    let listed = async |filter: DeliveryFilter| -> Vec<String> {
        let found = store.deliveries(&filter).await.expect("answers");
        found.into_iter().map(|d| d.id).collect()
    };
    for status in [None, Some(Status::Pending)] {
        assert_eq!(listed(of(PROFILE, status)).await, Vec::<String>::new());
        assert_eq!(
            listed(of("other", status)).await,
            [unread.as_str(), &theirs]
        );
    }
    for filter in [
        DeliveryFilter {
            uid: Some("bk_1".into()),
            ..of(PROFILE, None)
        },
        DeliveryFilter {
            sha256: Some(hash("unread")),
            ..of(PROFILE, None)
        },
    ] {
        assert_eq!(listed(filter).await, Vec::<String>::new());
    }
    let pending = async |profile| {
        let counts = store.counts(profile).await.expect("answers").by_status;
        let found = counts.iter().find(|(status, _)| *status == Status::Pending);
        found.expect("every status is counted").1
    };
    assert_eq!(pending(Some(PROFILE)).await, 0);
    assert_eq!(pending(Some("other")).await, 2);
    assert_eq!(pending(None).await, 2);
    let proof = store.proof(PROFILE, "bk_1").await.expect("answers");
    assert!(proof.deliveries.is_empty() && proof.changes.is_empty());
    let proof = store.proof("other", "bk_1").await.expect("answers");
    assert_eq!((proof.deliveries.len(), proof.changes.len()), (1, 1));
    assert_eq!(store.notices(PROFILE, 10).await.expect("answers"), []);
    assert_eq!(store.notices("other", 10).await.expect("answers"), [notice]);

    assert_eq!(claims(&store, "12:00").await, []);
    assert_eq!(store.unread(PROFILE, 10).await.expect("answers"), []);
    for attempt in 1..3 {
        let handed_out = store.unread("other", 10).await.expect("answers");
        assert_eq!(handed_out[0].id, unread);
        assert_eq!(handed_out[0].attempts, attempt);
        // Somebody else's reading is no attempt at it.
        store.unread(PROFILE, 10).await.expect("answers");
    }
    let claims = store
        .claim("other", at("12:00"), 10, &[])
        .await
        .expect("claimed");
    assert_eq!(claims[0].stored.delivery_id, theirs);
    let later = at("12:05");
    let back = store.retry_at(&claims[0], later, "no", true).await;
    back.expect("put back");
    assert_eq!(store.next_due(PROFILE).await.expect("answers"), None);
    assert_eq!(store.next_due("other").await.expect("answers"), Some(later));
}

/// A secret is put where another one was.
pub const SWAP: &str =
    "UPDATE profiles SET clickup_api_token = calcom_api_key WHERE name = 'sales'";

pub async fn what_was_moved_does_not_open(store: Any, swap: impl AsyncFn()) {
    for name in ["sales", "hiring"] {
        write(&store, &row(name, 0)).await;
    }
    swap().await;
    let Err(Error::Unusable(said)) = store.profile("sales").await else {
        panic!("it opened");
    };
    assert!(
        said.contains("profile `sales`")
            && said.contains("profiles/clickup_api_token/sales")
            && said.contains("calup profile remove sales"),
        "{said}"
    );
    let all = store.profiles().await.expect("answers");
    let opened: Vec<(&str, bool)> = all
        .iter()
        .map(|(name, row)| (name.as_str(), row.is_ok()))
        .collect();
    assert_eq!(opened, [("hiring", true), ("sales", false)]);
}

const OLD: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const NEW: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

fn hook() -> Hook {
    Hook {
        id: "h_1".into(),
        list_id: "9013".into(),
        user: None,
        secret: "secret".into(),
    }
}

fn paper() -> Paper {
    Paper {
        id: "cal.com".into(),
        version: 0,
        body: b"granted".to_vec(),
        until: None,
    }
}

async fn fill(store: &Any) -> String {
    take_over(store).await;
    let id = comes(store, vec![booked("bk_1", "ada@example.com", "10:00")]).await;
    work_off(store, "12:00").await;
    let mut made = effect("e_1", "c_1", 1);
    made.pre_image = Some("before".into());
    record_effect(store, &made).await.expect("saved");
    let link = Link {
        token: "chain:bk_1".into(),
        lead: "lead_1".into(),
        how: "e-mail".into(),
        gone: false,
        only: false,
    };
    record_links(store, &[link]).await;
    let register = Register {
        block_comment: Some("c".into()),
        block_comment_text: Some("the block".into()),
        ..Register::default()
    };
    record_register(store, "lead_1", &register).await;
    crate::index::index_a_canary(store).await;
    crate::questions::ask_about_a_canary(store).await;
    store.keep_hook(PROFILE, &hook()).await.expect("kept");
    let grant = paper();
    let kept = store.write_paper(PROFILE, PaperKind::Grant, &grant, at("12:00"));
    kept.await.expect("kept");
    write(store, &row("sales", 0)).await;
    id
}

async fn is_there(store: &Any, id: &str) {
    assert_eq!(delivery(store, id).await.body, b"bk_1");
    let proof = store.proof(PROFILE, "bk_1").await.expect("opens");
    assert_eq!(proof.changes[0].why, ["e-mail"]);
    assert_eq!(proof.links.len(), 1);
    let effects = store.effects(PROFILE, "c_1").await.expect("opens");
    assert_eq!(effects[0].pre_image.as_deref(), Some("before"));
    let register = store.register(PROFILE, "lead_1").await.expect("opens");
    assert_eq!(register.block_comment_text.as_deref(), Some("the block"));
    let every = QuestionFilter::default();
    let questions = store.questions(&every).await.expect("opens");
    assert!(!questions.is_empty());
    assert_eq!(store.hooks(PROFILE).await.expect("opens"), [hook()]);
    let grant = store.paper(PROFILE, PaperKind::Grant, "cal.com", at("12:00"));
    assert_eq!(grant.await.expect("opens").expect("there").body, b"granted");
    assert_eq!(read(store, "sales").await, Some(row("sales", 1)));
}

pub async fn everything_is_sealed_anew(open: impl AsyncFn(&str) -> Any) {
    let store = open(OLD).await;
    let id = fill(&store).await;
    drop(store);

    let both = format!("{NEW},{OLD}");
    let mut interruptions = 0;
    let mut sealed = 0;
    loop {
        let store = open(&both).await;
        let (mut next, mut steps, mut count) = (None, 0, 0);
        // Ended as by a crash, a little later each time.
        while steps < 5 * (interruptions + 1) {
            let done: Resealed = store.reseal(next, 1).await.expect("sealed anew");
            assert_eq!(done.unopened, 0);
            (next, steps, count) = (done.next, steps + 1, count + done.count);
            if next.is_none() {
                break;
            }
        }
        sealed += count;
        is_there(&store, &id).await;
        if next.is_none() && count == 0 {
            store.forget_older_keys().await.expect("forgotten");
            break;
        }
        interruptions += 1;
    }
    assert!(
        interruptions > 2 && sealed > 15,
        "{interruptions}, {sealed}"
    );

    let store = open(NEW).await;
    is_there(&store, &id).await;
}
