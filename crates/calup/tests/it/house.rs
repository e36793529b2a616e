//! The house's rules that no compiler checks: which words and which sources of time occur where.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder)
        .expect("a folder")
        .map_while(Result::ok)
    {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Lines with one of `words` outside comments and tests, in crates' `src` but for paths that contain one of `allowed`.
fn found(crates: &[&str], words: &[&str], allowed: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut out = Vec::new();
    for name in crates {
        let mut files = Vec::new();
        sources(&root.join(name).join("src"), &mut files);
        for file in files {
            let shown = file.display().to_string();
            if allowed.iter().any(|a| shown.contains(a)) {
                continue;
            }
            let text = fs::read_to_string(&file).expect("text");
            for (i, line) in text.lines().enumerate() {
                if line.contains("#[cfg(test)]") {
                    break;
                }
                let code = line.split("//").next().unwrap_or_default();
                if words.iter().any(|w| code.contains(w)) {
                    out.push(format!("{shown}:{}: {line}", i + 1));
                }
            }
        }
    }
    out
}

#[test]
fn a_vendor_s_words_stay_below_its_folder() {
    let clickup = found(
        &["domain", "store", "calup", "vendors"],
        &[
            "task_id",
            "custom_field",
            "markdown_content",
            "markdown_description",
        ],
        // In what the API and the assistant's tools show, a lead is a task.
        &[
            "vendors/src/clickup",
            "calup/src/demo",
            "calup/src/answers",
            "calup/src/tools",
            "calup/src/view",
        ],
    );
    assert_eq!(clickup, Vec::<String>::new());
    let cal = found(
        &["domain", "store", "calup", "vendors"],
        &["triggerEvent", "payload[", "\"payload\""],
        &[
            "vendors/src/cal",
            "vendors/src/slack",
            "cli/send.rs",
            "calup/src/demo",
        ],
    );
    assert_eq!(cal, Vec::<String>::new());
}

#[test]
fn time_and_randomness_enter_at_the_clock() {
    let words = ["Timestamp::now", "Zoned::now", "SystemTime::now", "rand::"];
    assert_eq!(
        found(
            &["domain", "calup"],
            &words,
            &["calup/src/clock.rs", "calup/src/demo"]
        ),
        Vec::<String>::new()
    );
}
