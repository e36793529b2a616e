//! Experiments about what becomes of what is written: values, statuses, comments, markdown.

use domain::fence::{self, Fenced};
use domain::text;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Belief, NO_ADDRESS, Probe, open, settled};
use crate::http::Method;

const COMMENT_CHARS: [usize; 3] = [5_000, 25_000, 100_000];
/// Everything that an escape of ours stands before.
const HOSTILE: &str =
    "Ada *B* _c_ [d](https://example.com/x_y) <e> | `f` ~g~ {h} &amp; \\ 1. ![i] #j";

/// A block of ours as it might be, between notes as people write them.
pub(super) fn description(nonce: &str) -> String {
    let title = text::markdown(HOSTILE);
    let block = format!(
        "**Next meeting:** {title}\n\nThu 3 Dec 2026, 09:00–09:30 (America/New\\_York)\n\n\
         [Join](https://example.com/join?a=1&b=x_y) · with Robin"
    );
    format!(
        "Made by calup to find out how ClickUp behaves ({nonce}).\n\n{}\n\n- a note\n- **another**",
        fence::enclose(&block)
    )
}

impl Probe<'_> {
    pub(super) async fn bad_address(&mut self) -> Belief {
        const ABOUT: &str = "bad-email-error";
        let Some(field) = self.field.clone() else {
            return open(ABOUT, NO_ADDRESS);
        };
        let path = format!("{}/field/{field}", self.task_path());
        let body = json!({"value": "not an address"});
        match self.lab.send(Method::POST, &path, &[], Some(body)).await {
            Ok(said) if said.is_success() => settled(
                ABOUT,
                "accepted",
                format!("a value that is no address was taken ({})", said.in_short()),
            ),
            Ok(said) => settled(
                ABOUT,
                format!("{} {}", said.status, said.code).trim(),
                format!(
                    "a value that is no address is refused with {}",
                    said.in_short()
                ),
            ),
            Err(why) => open(ABOUT, why),
        }
    }

    pub(super) async fn round_trip(&mut self) -> Belief {
        const ABOUT: &str = "markdown-round-trip";
        let sent = description(&self.place.nonce);
        let first = match self.markdown().await {
            Ok(first) => first,
            Err(why) => return open(ABOUT, why),
        };
        let path = self.task_path();
        let body = json!({"markdown_content": first});
        let put = self.lab.send(Method::PUT, &path, &[], Some(body)).await;
        if let Err(why) = put.and_then(super::Said::success) {
            return open(ABOUT, why);
        }
        let second = match self.markdown().await {
            Ok(second) => second,
            Err(why) => return open(ABOUT, why),
        };
        let fences = match fence::find(&first) {
            Fenced::Present { .. } => "both fences are found again",
            Fenced::Absent => "no fence is found again",
            Fenced::Broken => "the fences come back broken",
        };
        let is_kept = text::essence(&first) == text::essence(&sent);
        let is_found = matches!(fence::find(&first), Fenced::Present { .. });
        let rewritten = rewritten(&sent, &first);
        let found = match (is_found && is_kept, rewritten) {
            (true, 0) => "kept",
            (true, _) => "rewritten, same meaning",
            (false, _) => "damaged",
        };
        settled(
            ABOUT,
            found,
            format!(
                "{fences}; the text {}; lines that come back in other characters: {rewritten}; a second pass {}",
                if is_kept {
                    "means the same"
                } else {
                    "does not mean the same"
                },
                if second.trim() == first.trim() {
                    "changes nothing more"
                } else {
                    "changes it again"
                },
            ),
        )
    }

    pub(super) async fn bad_status(&mut self) -> Belief {
        const ABOUT: &str = "update-with-invalid-status";
        let line = format!("Written beside an invalid status {}.", self.place.nonce);
        let path = self.task_path();
        let body = json!({
            "status": format!("no such status {}", self.place.nonce),
            "markdown_content": line,
        });
        let said = match self.lab.send(Method::PUT, &path, &[], Some(body)).await {
            Ok(said) => said,
            Err(why) => return open(ABOUT, why),
        };
        let is_applied = match self.markdown().await {
            Ok(now) => text::essence(&now).contains(&text::essence(&line)),
            Err(why) => return open(ABOUT, why),
        };
        let answer = said.in_short();
        let found = match (said.is_success(), is_applied) {
            (true, _) => "accepted",
            (false, true) => "rest applied",
            (false, false) => "nothing applied",
        };
        settled(
            ABOUT,
            found,
            format!(
                "an update with an invalid status is answered {answer}; its description is {}",
                if is_applied {
                    "written all the same"
                } else {
                    "not written"
                }
            ),
        )
    }

    pub(super) async fn comment_touches(&mut self) -> Belief {
        const ABOUT: &str = "comment-bumps-date-updated";
        let before = match self.read().await {
            Ok(task) => task["date_updated"].clone(),
            Err(why) => return open(ABOUT, why),
        };
        if let Err(why) = self.comment("A comment by calup's probe.").await {
            return open(ABOUT, why);
        }
        let begun = Instant::now();
        loop {
            match self.read().await {
                Ok(task) if task["date_updated"] != before => {
                    return settled(ABOUT, "yes", "a comment moves the task's date_updated");
                }
                Ok(_) => {}
                Err(why) => return open(ABOUT, why),
            }
            if begun.elapsed() >= self.patience.settle {
                return settled(
                    ABOUT,
                    "no",
                    "a comment leaves the task's date_updated alone",
                );
            }
            self.pause(begun.elapsed()).await;
        }
    }

    pub(super) async fn comment_size(&mut self) -> Belief {
        const ABOUT: &str = "comment-size-limit";
        let mut whole = 0;
        for chars in COMMENT_CHARS {
            let posted = match self.comment(&filled(chars)).await {
                Ok(posted) => posted,
                Err(why) => {
                    return settled(
                        ABOUT,
                        &format!("above {whole}, below {chars}"),
                        format!("{whole} characters are taken, {chars} are not: {why}"),
                    );
                }
            };
            match self.comment_chars(&posted).await {
                Ok(kept) if kept >= chars => whole = chars,
                Ok(kept) => {
                    return settled(
                        ABOUT,
                        &format!("cut to {kept}"),
                        format!("a comment of {chars} characters is taken and cut to {kept}"),
                    );
                }
                Err(why) => return open(ABOUT, why),
            }
        }
        settled(
            ABOUT,
            &format!("above {whole}"),
            format!("{whole} characters are taken and kept whole; more was not tried"),
        )
    }

    async fn markdown(&mut self) -> Result<String, String> {
        let task = self.read().await?;
        let markdown = task["markdown_description"].as_str();
        let markdown = markdown.ok_or("the task shows no markdown_description")?;
        Ok(markdown.replace("\r\n", "\n"))
    }

    /// Its id.
    async fn comment(&mut self, text: &str) -> Result<String, String> {
        let path = format!("{}/comment", self.task_path());
        let body = json!({"comment": [{"text": text, "attributes": {}}], "notify_all": false});
        let said = self.lab.send(Method::POST, &path, &[], Some(body)).await?;
        let posted = said.success()?;
        Ok(id_text(&posted["id"]))
    }

    async fn comment_chars(&mut self, id: &str) -> Result<usize, String> {
        let path = format!("{}/comment", self.task_path());
        let said = self.lab.send(Method::GET, &path, &[], None).await?;
        let page = said.success()?;
        let comments = page["comments"].as_array().cloned().unwrap_or_default();
        let ours = comments
            .iter()
            .find(|comment| id_text(&comment["id"]) == id);
        let ours = ours.and_then(|comment| comment["comment_text"].as_str());
        let ours = ours.ok_or("the comment is not among the newest ones")?;
        Ok(ours.trim_end().chars().count())
    }
}

/// A number in one answer, a text in another.
fn id_text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

fn filled(chars: usize) -> String {
    "calup's probe. "
        .chars()
        .cycle()
        .take(chars - 1)
        .chain(['.'])
        .collect()
}

/// Lines of text that did not come back in the same characters.
fn rewritten(sent: &str, read: &str) -> usize {
    let lines = || read.lines().map(str::trim_end);
    let is_new = |line: &&str| !line.trim().is_empty() && !lines().any(|it| it == line.trim_end());
    sent.lines().filter(is_new).count()
}
