//! Every recorded delivery, sent as it was recorded, ends as it should; and again, it changes nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use sim::clickup::TaskView;

use crate::world::{Setup, World};

/// A recording: headers and body as they came, and whether its own secret signed it.
struct Recording {
    name: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    secret: String,
    signature_valid: bool,
}

fn recordings(folder: &str) -> Vec<Recording> {
    let path = format!("{}/../../fixtures/{folder}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(&path)
        .expect(&path)
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| {
            let recorded: Value =
                serde_json::from_slice(&std::fs::read(path).expect("read")).expect("JSON");
            let kept = [
                "content-type",
                "x-cal-signature-256",
                "x-cal-webhook-version",
                "user-agent",
            ];
            let headers = recorded["headers"].as_object().expect("headers");
            Recording {
                name: path
                    .file_stem()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned(),
                headers: headers
                    .iter()
                    .filter(|(name, _)| kept.contains(&name.to_lowercase().as_str()))
                    .map(|(name, value)| {
                        (name.clone(), value.as_str().unwrap_or_default().to_owned())
                    })
                    .collect(),
                body: recorded["body"]
                    .as_str()
                    .expect("a body")
                    .as_bytes()
                    .to_vec(),
                secret: recorded["secret"].as_str().unwrap_or_default().to_owned(),
                signature_valid: recorded["signature_valid"].as_bool().unwrap_or(true),
            }
        })
        .collect()
}

async fn world_for(recordings: &[Recording]) -> World {
    let mut secrets: Vec<&str> = recordings
        .iter()
        .filter(|r| r.signature_valid)
        .map(|r| r.secret.as_str())
        .collect();
    secrets.sort_unstable();
    secrets.dedup();
    World::with(Setup {
        env: vec![
            ("CALCOM_WEBHOOK_SECRET", secrets.join(",")),
            ("CALUP_UNKNOWN_BOOKING_SECONDS", "0.5".into()),
        ],
        ..Setup::default()
    })
    .await
}

async fn send(world: &World, recording: &Recording) -> u16 {
    let sent = sim::http::send("POST", &world.hook(), &recording.headers, &recording.body).await;
    sent.expect("calup answers").status
}

/// One row of the table in docs/cal.md.
struct Row {
    fixture: String,
    ends: String,
    written: String,
}

/// Sends all of them in order, each after the one before has ended.
async fn play(world: &World, recordings: &[Recording]) -> Vec<Row> {
    let mut rows = Vec::new();
    for recording in recordings {
        let before = world.clickup.live_tasks();
        let answer = send(world, recording).await;
        let ends = if recording.signature_valid {
            assert_eq!(answer, 200, "{}", recording.name);
            world.settle().await;
            ending(&world.last().await)
        } else {
            assert_eq!(answer, 401, "{}", recording.name);
            "refused (401)".to_owned()
        };
        rows.push(Row {
            fixture: recording.name.clone(),
            ends,
            written: written(&before, &world.clickup.live_tasks()),
        });
    }
    rows
}

/// `done`, or `skipped: self-booking`; of a quarantine's long reason only what is wrong.
fn ending((status, reason): &(String, String)) -> String {
    let reason = reason.split([',', ';']).next().unwrap_or_default();
    let reason = reason.split(" came with").next().unwrap_or_default();
    if reason.is_empty() {
        status.clone()
    } else {
        format!("{status}: {reason}")
    }
}

/// What has become of which lead, in words.
fn written(before: &[TaskView], after: &[TaskView]) -> String {
    let mut out: Vec<String> = Vec::new();
    for now in after {
        let Some(was) = before.iter().find(|t| t.id == now.id) else {
            out.push(format!("new lead {}, status `{}`", now.name, now.status));
            continue;
        };
        let mut changed = Vec::new();
        if was.status != now.status {
            changed.push(format!("status `{}`", now.status));
        }
        if was.markdown != now.markdown {
            changed.push("block".to_owned());
        }
        for comment in &now.comments[was.comments.len()..] {
            let first = comment.text.lines().next().unwrap_or_default();
            let head = first.split(": ").next().unwrap_or_default();
            changed.push(format!("comment “{head}”"));
        }
        if !changed.is_empty() {
            out.push(format!("{}: {}", now.name, changed.join(", ")));
        }
    }
    if out.is_empty() {
        "–".to_owned()
    } else {
        out.join("; ").replace('|', "\\|")
    }
}

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cal.md");

/// The documented table of a folder, with the words that people wrote in its second column.
fn table(document: &str, folder: &str) -> (usize, usize, BTreeMap<String, String>) {
    let begin = format!("<!-- {folder} -->\n");
    let from = document.find(&begin).expect("a table of that folder") + begin.len();
    let to = from + document[from..].find("<!-- end -->").expect("its end");
    let said = document[from..to]
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').splitn(3, " | ").collect();
            Some((
                cells.first()?.trim().to_owned(),
                (*cells.get(1)?).to_owned(),
            ))
        })
        .collect();
    (from, to, said)
}

async fn plays(folder: &str) {
    let recordings = recordings(folder);
    let world = world_for(&recordings).await;
    let rows = play(&world, &recordings).await;
    let document = std::fs::read_to_string(DOCUMENT).expect("docs/cal.md");
    let (from, to, said) = table(&document, folder);
    let mut seen =
        "| fixture | what it is | how it ends | what is written |\n|---|---|---|---|\n".to_owned();
    for row in &rows {
        let what = said.get(&row.fixture).map_or("?", String::as_str);
        let _ = writeln!(
            seen,
            "| {} | {what} | {} | {} |",
            row.fixture, row.ends, row.written
        );
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let new = format!("{}{seen}{}", &document[..from], &document[to..]);
        std::fs::write(DOCUMENT, new).expect("docs/cal.md is written");
    } else {
        for (documented, seen) in document[from..to].lines().zip(seen.lines()) {
            assert_eq!(
                documented, seen,
                "docs/cal.md, or calup; UPDATE_DOCS=1 writes the table anew"
            );
        }
        assert_eq!(document[from..to].lines().count(), seen.lines().count());
        assert!(
            !seen.contains("| ? |"),
            "docs/cal.md says nothing about a fixture"
        );
    }
    // Once more, and as the worker may find them after a restart: all at once.
    let (before, leads) = (world.clickup.mutations(), world.clickup.live_tasks());
    for recording in recordings.iter().filter(|r| r.signature_valid) {
        assert_eq!(send(&world, recording).await, 200);
    }
    let counts = world.settle().await;
    assert_eq!(
        world.clickup.mutations(),
        before,
        "a second run changes nothing"
    );
    assert_eq!(world.clickup.live_tasks(), leads);
    assert_eq!(counts["dead"], 0, "{counts}");
}

#[tokio::test]
async fn the_composed_deliveries_end_as_documented() {
    plays("cal-deliveries").await;
}

#[tokio::test]
async fn the_deliveries_of_a_real_server_end_as_documented() {
    plays("cal-live").await;
}
