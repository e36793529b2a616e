//! What `domain::wording` writes, through the client and the editor and back: the block must be found again and be
//! the same in essence, or it would be written anew with every booking.

use domain::chain::fold;
use domain::change::{Change, Meaning, understand};
use domain::event::Event;
use domain::fence::{self, Fenced};
use domain::profile::Profile;
use domain::text::essence;
use domain::wording::{self, Telling};
use jiff::Timestamp;
use serde_json::{Value, json};
use sim::clickup::{Config as SimConfig, Rerender};
use vendors::Crm as _;
use vendors::cal::webhook;

use super::{BROKERS, client, description, new_lead, roomy, workspace};

/// What people type to see what happens.
const NASTY: &[&str] = &[
    "Intro call",
    "# not a heading",
    "- not an item",
    "1. not a list",
    "1) not a list",
    "> not a quote",
    "---",
    "===",
    "***",
    "+",
    "*",
    "**bold** _it_ __b__ ~~s~~ `code`",
    "snake_case_name and __init__ _x",
    "[text](https://evil.example/a_b)",
    "[x] done [ ] open [[wiki]] [",
    "![img](x) ! [y]",
    "<b>bold</b> <https://x.example> <!-- gone --> a < b > c",
    "a | b | c",
    "| a | b |",
    "~~~",
    "```",
    "back\\slash \\* \\_ \\",
    "ends with \\",
    "see https://x.example/a_b?c=d&e=f_g, ok",
    "(https://x.example/q_(r)) http://y.example.",
    "www.z.example and me@x.example, @channel #tag",
    "&lt;b&gt; &amp; &#35; &copy; AT&T a&b",
    "⟦ Cal.com meetings · kept by calup ⟧",
    "⟦ end of Cal.com meetings ⟧",
    "Cal.com booking bk_1 · deadbeef",
    "{{x}} ::: $x$ ^y^ %20 100% \"quoted\" 'single'",
    "múltiple lïnes 🙂 王小明 שלום",
    "a\u{301}\u{200d}b\u{2060}c",
    "tab\there  two  blanks",
    "...",
    "a; b: c, d? e! f.",
    "1. 2. 3.",
    "_",
    "__",
    "a*b*c a_b_c a__b",
    "`unclosed",
    "https://x.example/[a](b)",
    "\\[x\\](y)",
];

fn change(trigger: &str, uid: &str, day: u32, typed: &str, link: &str) -> Change {
    let payload = json!({
        "uid": uid,
        "title": typed,
        "eventTitle": typed,
        "startTime": format!("2026-12-{day:02}T14:00:00Z"),
        "endTime": format!("2026-12-{day:02}T14:30:00Z"),
        "organizer": {"name": typed, "email": "nora@acme.example", "timeZone": "Europe/Berlin"},
        "attendees": [{"name": typed, "email": "ada@x.example", "timeZone": "America/New_York"}],
        "responses": {
            "name": {"label": "your_name", "value": typed},
            "email": {"label": "email_address", "value": "ada@x.example"},
            "notes": {"label": "additional_notes", "value": format!("{typed}\n{typed}\n\n- {typed}")},
            "q": {"label": typed, "value": typed},
        },
        "additionalNotes": format!("{typed}\n{typed}\n\n- {typed}"),
        "location": link,
        "metadata": {"videoCallUrl": link},
        "cancellationReason": typed,
    });
    let at = format!("2026-11-{day:02}T08:00:00Z");
    let body: Value = json!({"triggerEvent": trigger, "createdAt": at, "payload": payload});
    let Ok(Event::Booking(event)) = webhook::parse(body.to_string().as_bytes()) else {
        panic!("a booking");
    };
    let received: Timestamp = "2026-11-30T00:00:00Z".parse().expect("a time");
    match understand(&event, &Profile::default(), received) {
        Meaning::Changes(mut changes) => changes.remove(0),
        Meaning::Skipped(why) => panic!("skipped: {why}"),
    }
}

/// Blocks of one meeting, several, more than are listed, and one that was called off.
fn blocks(typed: &str) -> Vec<String> {
    let links = [
        "https://meet.example/a_b?c=d_e&f=g#h_i",
        "https://x.example/q_(r)/~s*t*u",
        typed,
        "https://x.example/[a](b)_c",
        "integrations:daily",
        "https://x.example/a'b!c;d,e.",
    ];
    let booked: Vec<Change> = (1..=7)
        .map(|n| {
            let link = links[n as usize % links.len()];
            change("BOOKING_CREATED", &format!("bk_{n}"), n, typed, link)
        })
        .collect();
    let cancelled = change("BOOKING_CANCELLED", "bk_1", 1, typed, links[0]);
    let sets = [
        vec![&booked[0]],
        vec![&booked[1], &booked[2]],
        booked.iter().collect(),
        vec![&booked[0], &cancelled],
    ];
    sets.into_iter()
        .map(|set| {
            let block = wording::block(&fold(set)).expect("a block");
            fence::enclose(&block.markdown())
        })
        .collect()
}

fn editors() -> [Rerender; 4] {
    let only_paragraphs = Rerender {
        lines_are_paragraphs: true,
        ..Rerender::none()
    };
    [
        Rerender::none(),
        Rerender::default(),
        Rerender::nastiest(),
        only_paragraphs,
    ]
}

/// Like the planner, which compares what stands between the fences with what should.
fn inside(text: &str) -> Option<String> {
    match fence::find(text) {
        Fenced::Present { block, .. } => Some(essence(block)),
        Fenced::Absent | Fenced::Broken => None,
    }
}

#[test]
fn a_block_is_found_again_with_the_same_essence_whatever_was_typed() {
    let mut failed = Vec::new();
    for typed in NASTY {
        for block in blocks(typed) {
            let wanted = inside(&block);
            assert!(wanted.is_some(), "{block}");
            for how in editors() {
                let shown = sim::clickup::rerender(&block, &how);
                let same = inside(&shown) == wanted;
                let still = fence::survives(&shown);
                if !same || !still {
                    failed.push(format!(
                        "{typed:?} same={same} survives={still}\n{block}\n--\n{shown}"
                    ));
                }
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{}: {}",
        failed.len(),
        failed.join("\n=====\n")
    );
}

#[tokio::test]
async fn a_block_survives_the_way_through_clickup_between_what_people_wrote() {
    for how in editors() {
        let sim = workspace(SimConfig {
            rerender: how.clone(),
            ..roomy()
        })
        .await;
        let task = sim.add_task(BROKERS, "Ada", Some("ada@x.example"));
        let theirs =
            "Met at **expo**, see [notes](https://docs.example/n_1).\n\n- likes tea\n- _busy_";
        sim.human_edit_description(&task, theirs);
        let crm = client(&sim);
        for typed in [
            "Intro call",
            "# *x* [y](https://z.example/a_b) ⟦ x ⟧",
            "---",
        ] {
            for block in blocks(typed) {
                let lead = crm.lead(&task).await.expect("a lead");
                let body = block
                    .strip_prefix(fence::BEGIN)
                    .and_then(|rest| rest.strip_suffix(fence::END))
                    .expect("fences");
                let whole = fence::replace(&lead.description, body).expect("room");
                crm.write(&task, &description(&whole))
                    .await
                    .expect("a write");
                let read = crm.lead(&task).await.expect("a lead").description;
                assert_eq!(inside(&read), inside(&block), "{how:?}\n{read}");
                let Fenced::Present { before, after, .. } = fence::find(&read) else {
                    panic!("{read}");
                };
                assert_eq!(before.trim(), "");
                let kept = sim::clickup::rerender(theirs, &how);
                assert_eq!(after.trim(), kept.trim(), "{how:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_new_lead_is_found_by_its_marker_and_holds_its_block() {
    for how in editors() {
        let sim = workspace(SimConfig {
            rerender: how,
            ..roomy()
        })
        .await;
        let crm = client(&sim);
        let before = Timestamp::from_millisecond(Timestamp::now().as_millisecond() - 120_000)
            .expect("a time");
        for (n, typed) in NASTY.iter().enumerate() {
            let block = blocks(typed).remove(0);
            let change = change("BOOKING_CREATED", "bk_1", 1, typed, "https://m.example/a_b");
            let said = wording::comment(&change, &fold([&change]), Telling::default());
            let marker = wording::marker_line("bk_1", &format!("mk{n:04}"));
            let mut lead = new_lead(typed);
            lead.description = format!("{block}\n\n{}\n\n{marker}", said.markdown());
            let made = crm.create(&lead).await.expect("a lead");
            let found: Vec<_> = crm
                .created_since(before)
                .await
                .expect("leads")
                .into_iter()
                .filter(|lead| essence(&lead.description).contains(&essence(&marker)))
                .collect();
            assert_eq!(found.len(), 1, "{typed:?}: {marker}");
            assert_eq!(found[0].id, made.id);
            assert_eq!(inside(&found[0].description), inside(&block), "{typed:?}");
        }
    }
}

#[tokio::test]
async fn a_comment_s_marker_comes_back_whatever_was_typed() {
    let sim = workspace(roomy()).await;
    let task = sim.add_task(BROKERS, "Ada", None);
    let crm = client(&sim);
    for (n, typed) in NASTY.iter().enumerate() {
        let change = change("BOOKING_CREATED", "bk_1", 1, typed, "https://m.example/a_b");
        let said = wording::comment(&change, &fold([&change]), Telling::default());
        let marker = wording::marker_line("bk_1", &format!("mk{n:04}"));
        let id = crm
            .comment(&task, &said.rich(Some(&marker)))
            .await
            .expect("a comment");
        let comments = crm.comments(&task, Timestamp::MIN).await.expect("comments");
        let ours: Vec<&str> = comments
            .iter()
            .filter(|it| it.text.contains(&marker))
            .map(|it| it.id.as_str())
            .collect();
        assert_eq!(ours, [id.as_str()], "{typed:?}");
    }
}
