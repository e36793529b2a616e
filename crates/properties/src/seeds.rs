//! Where the inputs begin: the recorded deliveries and answers in `fixtures/`, and what is kept in `fuzz/corpus/`,
//! every input that ever found something among it.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// In an order that is the same everywhere.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let mut seeds = corpus(target);
    match target {
        "delivery" => {
            for folder in ["cal-deliveries", "cal-live"] {
                seeds.extend(fixtures(folder).iter().filter_map(delivery));
            }
        }
        "answers" => seeds.extend(fixtures("clickup-api").iter().filter_map(answer)),
        _ => {}
    }
    seeds
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    files(&root().join("fuzz/corpus").join(target))
}

fn fixtures(folder: &str) -> Vec<Value> {
    let files = files(&root().join("fixtures").join(folder));
    files
        .iter()
        .map(|bytes| serde_json::from_slice(bytes).expect("a fixture is JSON"))
        .collect()
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder);
    let mut paths: Vec<PathBuf> = entries
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a readable file"))
        .collect()
}

fn delivery(fixture: &Value) -> Option<Vec<u8>> {
    fixture["body"]
        .as_str()
        .map(|body| body.as_bytes().to_vec())
}

/// Under the call that asks for it.
fn answer(fixture: &Value) -> Option<Vec<u8>> {
    let request = &fixture["request"];
    let path = request["path"].as_str()?.trim_start_matches("/api/v2");
    let words: Vec<&str> = path.split(['/', '?']).filter(|w| !w.is_empty()).collect();
    let call = match (request["method"].as_str()?, words.as_slice()) {
        ("GET", ["team", _, "task", ..]) => "find",
        ("GET", ["list", _, "task", ..]) => "created",
        ("GET", ["task", _, "comment", ..]) => "comments",
        ("GET", ["task", ..]) => "lead",
        ("GET", ["list", ..]) => "list*",
        ("GET", ["team"]) => "find*",
        ("POST", ["list", _, "task"]) => "create",
        ("POST", ["task", _, "comment"]) => "comment",
        ("PUT", ["task", ..]) => "write",
        ("PUT", ["comment", ..]) => "edit",
        _ => "probe",
    };
    let response = &fixture["response"];
    let headers = response["headers"].as_object();
    let headers = headers.into_iter().flatten();
    let head: String = headers
        .filter_map(|(name, value)| Some(format!(" {name}={}", value.as_str()?.replace(' ', "_"))))
        .collect();
    let body = match &response["body"] {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    let status = response["status"].as_u64()?;
    Some(format!("{call}\n{status}{head}\n{body}").into_bytes())
}
