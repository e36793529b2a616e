//! What goes wrong on the way: how each kind ends, and that no write goes out twice.

use std::time::{Duration, Instant};

use sim::cal::api::Server;
use sim::faults::ALWAYS;
use sim::{Fault, Match};
use vendors::cal::api::{Bearer, Cal, Config, always};

use super::{
    READS, VISIT, WRITES, account, booking_of, classed, client, client_of, read, roomy, shown,
    write,
};

const UID: &str = "kV3ZtYn9QpRs4HgJw62MbE";
const HOOK: &str = "988a7645-2a82-4093-9723-f9a66e159bd4";

async fn reads(server: &Server, fault: Fault, class: &str) {
    let cal = client(server);
    server.fault(Match::any(), fault.clone(), ALWAYS);
    for which in READS {
        let calls = cal.calls();
        let result = read(&cal, which, UID).await;
        assert_eq!(classed(&result), class, "{which}: {fault:?}");
        // Once more at most; slots in two ways.
        let most = if which == "slots" { 4 } else { 2 };
        assert!(cal.calls() <= calls + most, "{which}: {fault:?}");
    }
    server.clear_faults();
}

async fn writes(server: &Server, fault: Fault, class: &str) {
    let cal = client(server);
    server.fault(Match::any(), fault.clone(), ALWAYS);
    for which in WRITES {
        let calls = cal.calls();
        let result = write(&cal, which, UID, HOOK).await;
        assert_eq!(classed(&result), class, "{which}: {fault:?}");
        assert!(cal.calls() <= calls + 1, "{which}: {fault:?}");
    }
    server.clear_faults();
}

fn json(status: u16) -> Fault {
    let body = r#"{"status":"error","error":{"code":"X","message":"of ada@x.example and kV3ZtYn9QpRs4HgJw62MbE"}}"#;
    Fault::Status(status, body.to_owned())
}

#[tokio::test]
async fn each_fault_ends_as_its_kind() {
    let all = [
        (Fault::Html(524), "transient", "unknown"),
        (Fault::Html(403), "transient", "unknown"),
        (Fault::Drop, "transient", "unknown"),
        (Fault::EmptyBody200, "transient", "unknown"),
        (Fault::ForeignJson200, "transient", "unknown"),
        (Fault::CutBody(10), "transient", "unknown"),
        (json(500), "transient", "unknown"),
        (json(503), "transient", "unknown"),
        (json(401), "operator", "operator"),
        (Fault::Html(401), "operator", "operator"),
        (json(422), "refused", "refused"),
        (Fault::Html(404), "operator", "operator"),
        (Fault::RateLimited(30), "limited", "limited"),
        (
            Fault::Redirect302("http://127.0.0.1:9/".to_owned()),
            "transient",
            "unknown",
        ),
    ];
    // Each with its own pauses.
    let all = all.map(|(fault, read, write)| {
        tokio::spawn(async move {
            let server = account(roomy()).await;
            // A write that a fault lets through finds nothing to do it to.
            let applies = matches!(
                fault,
                Fault::EmptyBody200 | Fault::ForeignJson200 | Fault::CutBody(_)
            );
            reads(&server, fault.clone(), read).await;
            if !applies {
                writes(&server, fault, write).await;
            }
        })
    });
    for it in all {
        it.await.expect("as it has to end");
    }
}

#[tokio::test]
async fn a_read_that_fails_once_is_repeated_and_a_write_is_not() {
    let server = account(roomy()).await;
    let cal = client(&server);
    for which in READS {
        if which == "booking" {
            continue;
        }
        server.fault(Match::any(), Fault::Html(502), 1);
        let calls = cal.calls();
        assert_eq!(classed(&read(&cal, which, UID).await), "done", "{which}");
        assert_eq!(cal.calls(), calls + 2, "{which}");
    }
    let visit = booking_of(VISIT, "Ada", "2026-12-01T09:00:00Z");
    server.fault(Match::any(), Fault::Html(502), 1);
    assert_eq!(classed(&cal.book(&visit).await), "unknown");
    assert!(server.bookings().is_empty());
}

#[tokio::test]
async fn nothing_is_waited_for_longer_than_it_was_allowed() {
    let server = account(roomy()).await;
    let config = Config {
        api_url: server.api_url(),
        timeout: Duration::from_millis(400),
    };
    let key = Bearer::Key(server.key().into());
    let cal = Cal::new(config, always(key)).expect("a client");
    server.fault(Match::any(), Fault::Hang, ALWAYS);
    let began = Instant::now();
    // The time was used up: it is not tried again.
    assert_eq!(classed(&cal.me().await), "transient");
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(cal.calls(), 1);
    let new = booking_of(VISIT, "Ada", "2026-12-01T09:00:00Z");
    assert_eq!(classed(&cal.book(&new).await), "unknown");
    server.clear_faults();
    server.stop().await;
    assert_eq!(classed(&cal.book(&new).await), "transient");
}

#[tokio::test]
async fn a_server_that_answers_in_another_version_is_not_believed() {
    let server = account(roomy()).await;
    let older = r#"{"status":"success","data":{"bookings":[],"totalCount":0}}"#;
    server.fault(
        Match::get("/v2/bookings"),
        Fault::Status(200, older.to_owned()),
        ALWAYS,
    );
    let cal = client(&server);
    let listed = cal.bookings(&vendors::cal::api::Wanted::default()).await;
    assert_eq!(
        shown(listed),
        "could not list bookings at Cal.com: Cal.com answered in the shape of an older version; update the \
         self-hosted Cal.com that CALCOM_API_URL names"
    );
    let groups = r#"{"status":"success","data":{"eventTypeGroups":[]}}"#;
    server.fault(
        Match::get("/v2/event-types"),
        Fault::Status(200, groups.to_owned()),
        ALWAYS,
    );
    assert_eq!(classed(&cal.event_types().await), "operator");
}

#[tokio::test]
async fn a_base_may_be_anybody_s_and_must_be_an_address() {
    let server = account(roomy()).await;
    let key = || always(Bearer::Key("cal_sim".into()));
    for base in ["{}", "{}/", "{}/v2", "{}/v2/", " {} "] {
        let config = Config {
            api_url: base.replace("{}", &server.api_url()),
            timeout: Duration::from_secs(5),
        };
        let cal = Cal::new(config, key()).expect("a client");
        assert_eq!(cal.me().await.expect("an account").name, "Nora Lindqvist");
    }
    for wrong in ["", "api.cal.com", "ftp://api.cal.com", "https://"] {
        let config = Config {
            api_url: wrong.to_owned(),
            timeout: Duration::from_secs(5),
        };
        let failure = Cal::new(config, key()).err().expect("no client");
        assert!(failure.to_string().contains("CALCOM_API_URL"), "{failure}");
    }
    let cal = client_of(&server, always(Bearer::Key("cal_\n".into())));
    assert!(cal.me().await.is_err());
    let cal = client_of(&server, always(Bearer::Key("cal_ä\u{7f}".into())));
    assert!(shown(cal.me().await).contains("CALCOM_API_KEY"));
}
