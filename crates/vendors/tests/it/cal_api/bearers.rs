//! Who asks: a key, or a token that somebody renews.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::outcome::Failure;
use secrecy::{ExposeSecret as _, SecretString};
use sim::cal::api::{Config as SimConfig, Server};
use sim::{Fault, Match};
use vendors::cal::api::{Bearer, Source};

use super::oauth::{client as oauth_client, connected};
use super::{INTRO, account, booking_of, classed, client, client_of, roomy, shown};

/// Keeps one token, and renews it when it was refused.
fn renewing(
    server: &Server,
    tokens: vendors::cal::oauth::Tokens,
) -> (Box<Source>, Arc<AtomicUsize>) {
    let oauth = Arc::new(oauth_client(server));
    let kept = Arc::new(Mutex::new((tokens.access, tokens.refresh)));
    let renewed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&renewed);
    let source = move |refused: Option<Bearer>| {
        let (oauth, kept, count) = (Arc::clone(&oauth), Arc::clone(&kept), Arc::clone(&count));
        let given = async move {
            if refused.is_some() {
                let refresh: SecretString = kept.lock().expect("nobody panicked").1.clone();
                let tokens = oauth.refresh(&refresh).await?;
                count.fetch_add(1, Ordering::Relaxed);
                *kept.lock().expect("nobody panicked") = (tokens.access, tokens.refresh);
            }
            let access = kept.lock().expect("nobody panicked").0.clone();
            Ok(Bearer::Token(access))
        };
        Box::pin(given) as std::pin::Pin<Box<dyn Future<Output = Result<Bearer, Failure>> + Send>>
    };
    (Box::new(source), renewed)
}

#[tokio::test]
async fn a_token_that_has_ended_is_renewed_and_the_call_made_once_more() {
    for expired_status in [498, 401] {
        let server = account(SimConfig {
            expired_status,
            ..roomy()
        })
        .await;
        let tokens = connected(&server).await;
        let (source, renewed) = renewing(&server, tokens);
        let cal = client_of(&server, source);
        cal.me().await.expect("an account");
        server.pass(Duration::from_secs(1_801));
        // A write too: it was refused before anything was done.
        let new = booking_of(INTRO, "Ada", "2026-12-01T09:00:00Z");
        cal.book(&new).await.expect("a booking");
        cal.me().await.expect("an account");
        assert_eq!(renewed.load(Ordering::Relaxed), 1);
        assert_eq!(server.bookings().len(), 1);
    }
}

#[tokio::test]
async fn a_refusal_without_cal_com_s_own_words_is_still_one_of_the_bearer() {
    for fault in [
        Fault::Html(401),
        Fault::Html(498),
        Fault::Status(401, String::new()),
    ] {
        let server = account(roomy()).await;
        let tokens = connected(&server).await;
        let (source, renewed) = renewing(&server, tokens);
        let cal = client_of(&server, source);
        server.fault(Match::get("/v2/me"), fault.clone(), 1);
        cal.me().await.expect("an account");
        assert_eq!(renewed.load(Ordering::Relaxed), 1, "{fault:?}");

        let cal = client(&server);
        server.fault(Match::get("/v2/me"), fault.clone(), 1);
        let failure = shown(cal.me().await);
        assert!(failure.contains("CALCOM_API_KEY"), "{fault:?}: {failure}");
        assert_eq!(cal.calls(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_connection_that_was_ended_has_to_be_made_again() {
    let server = account(roomy()).await;
    let tokens = connected(&server).await;
    let (source, _) = renewing(&server, tokens);
    let cal = client_of(&server, source);
    server.end_grants();
    assert_eq!(classed(&cal.me().await), "gone");
}

#[tokio::test]
async fn a_token_that_nobody_renews_is_refused_and_asked_for_no_more_than_twice() {
    let server = account(roomy()).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let cal = client_of(
        &server,
        Box::new(move |_refused| {
            count.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::ready(Ok(Bearer::Token("stale".into()))))
        }),
    );
    let failure = shown(cal.me().await);
    assert!(failure.ends_with("connect Cal.com again"), "{failure}");
    assert_eq!((asked.load(Ordering::Relaxed), cal.calls()), (2, 1));
}

#[tokio::test]
async fn a_key_that_does_not_work_is_the_operator_s_to_replace() {
    let server = account(roomy()).await;
    let cal = client(&server);
    server.set_key_valid(false);
    for failure in [
        shown(cal.me().await),
        shown(cal.bookings(&vendors::cal::api::Wanted::default()).await),
    ] {
        assert!(failure.contains("CALCOM_API_KEY"), "{failure}");
    }
    assert_eq!(cal.calls(), 2);
}

#[tokio::test]
async fn a_right_that_was_not_given_is_asked_for_by_connecting_again() {
    let server = account(roomy()).await;
    let tokens = connected(&server).await;
    let cal = client_of(
        &server,
        vendors::cal::api::always(Bearer::Token(tokens.access)),
    );
    let failure = shown(cal.calendars().await);
    assert!(failure.contains("was not given the right"), "{failure}");
    assert_eq!(classed(&cal.me().await), "done");
}

#[tokio::test]
async fn a_client_is_shared_by_as_many_as_ask() {
    let server = account(roomy()).await;
    let cal = Arc::new(client(&server));
    let asking = super::READS.map(|which| {
        let cal = Arc::clone(&cal);
        tokio::spawn(async move { super::read(&cal, which, "nope").await.is_ok() })
    });
    let mut answered = 0;
    for it in asking {
        answered += usize::from(it.await.expect("no panic"));
    }
    // But for the booking that there is not.
    assert_eq!(answered, super::READS.len() - 1);
}

#[tokio::test]
async fn no_secret_is_shown_by_accident() {
    let bearer = Bearer::Key("cal_live_very_secret".into());
    assert!(!format!("{bearer:?}").contains("very_secret"));
    let verifier = vendors::cal::oauth::Verifier::of([1; 32]);
    let secret = verifier.secret().expose_secret().to_owned();
    assert!(!format!("{verifier:?}").contains(&secret));
}
