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

/// A file's numbered lines without its inline modules of tests. What follows those is code, and so is what follows a mere
/// `mod tests;`.
fn outside_tests(text: &str) -> Vec<(usize, &str)> {
    const OF_TESTS: &str = "#[cfg(test)]";
    let mut out = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let mut below = lines.clone().map(|(_, line)| line.trim_start());
        let item = below.find(|line| !line.starts_with("#["));
        let opens = item.is_some_and(|item| item.starts_with("mod ") && item.ends_with('{'));
        if line.trim_start() == OF_TESTS && opens {
            // As it is formatted, it ends below where it begins.
            let end = line.replace(OF_TESTS, "}");
            let ends = lines.any(|(_, line)| line == end);
            assert!(ends, "the tests in line {number} do not end");
        } else {
            out.push((number, line));
        }
    }
    out
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
            for (number, line) in outside_tests(&text) {
                let code = line.split("//").next().unwrap_or_default();
                if words.iter().any(|w| code.contains(w)) {
                    out.push(format!("{shown}:{number}: {line}"));
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
fn only_inline_modules_of_tests_are_passed_over() {
    let text = "\
#[cfg(test)]
mod tests;
#[cfg(test)]
use what::they_want;
fn before() {}
#[cfg(test)]
#[allow(dead_code)]
mod inline {
    fn test() {
    }
}
fn after() {}
";
    let numbers: Vec<usize> = outside_tests(text).iter().map(|line| line.0).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 12]);
}

#[test]
fn time_and_randomness_enter_at_the_clock() {
    let rules: [(&[&str], &[&str]); 4] = [
        (
            &["Timestamp::now", "Zoned::now", "SystemTime::now"],
            &[
                "calup/src/clock.rs",
                "calup/src/demo",
                "vendors/src/http.rs",
            ],
        ),
        (&["rand::"], &["calup/src/clock.rs"]),
        (
            &["Uuid::now_v7"],
            // What is told apart by it: temporary folders, tokens, a made-up booking, and rows, which sort by arrival.
            &[
                "calup/src/demo.rs",
                "calup/src/cli/plan.rs",
                "calup/src/cli/send.rs",
                "calup/src/cli/token.rs",
                "store/src/lib.rs",
            ],
        ),
        // Keys and nonces.
        (&["OsRng"], &["store/src/sealed.rs"]),
    ];
    for (words, allowed) in rules {
        assert_eq!(
            found(&["domain", "store", "calup", "vendors"], words, allowed),
            Vec::<String>::new()
        );
    }
}
