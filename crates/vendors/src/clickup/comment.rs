//! Comments. Rich text goes as runs: markdown in `comment_text` shows literally, and both together show twice.
//! See <https://developer.clickup.com/docs/comment-formatting>.

use domain::lead::{Posted, RichText};
use domain::outcome::Failure;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::errors::{About, Purpose};
use super::{ClickUp, id_or_gone, shown, wire};
use crate::http::Method;

const PAGE_COMMENTS: usize = 25;
const COMMENTS_MAX: usize = 1_000;

impl ClickUp {
    pub(super) async fn post_comment(
        &self,
        lead: &str,
        text: &RichText,
    ) -> Result<String, Failure> {
        let purpose = Purpose::write(About::Lead, format!("comment on lead {}", shown(lead)));
        let path = format!("/task/{}/comment", id_or_gone(lead, &purpose)?);
        let body = json!({"comment": runs(text), "notify_all": false});
        let posted: wire::Identified = self.change(&purpose, Method::POST, &path, body).await?;
        Ok(posted.id)
    }

    pub(super) async fn put_comment(&self, comment: &str, text: &RichText) -> Result<(), Failure> {
        let purpose = Purpose::write(About::Comment, format!("edit comment {}", shown(comment)));
        let path = format!("/comment/{}", id_or_gone(comment, &purpose)?);
        let body = json!({"comment": runs(text)});
        // It answers `{}`.
        let _done: Map<String, Value> = self.change(&purpose, Method::PUT, &path, body).await?;
        Ok(())
    }

    /// Newest first; the next page needs both the time and the id of the last comment seen.
    /// See <https://developer.clickup.com/docs/task-comments-pagination>.
    pub(super) async fn comments_since(
        &self,
        lead: &str,
        since: Timestamp,
    ) -> Result<Vec<Posted>, Failure> {
        let purpose = Purpose::read(
            About::Lead,
            format!("read the comments on lead {}", shown(lead)),
        );
        let path = format!("/task/{}/comment", id_or_gone(lead, &purpose)?);
        let me = self.me().await?;
        let mut all: Vec<Posted> = Vec::new();
        loop {
            let asked: Vec<(&str, String)> = match all.last() {
                None => Vec::new(),
                Some(last) => vec![
                    ("start", last.at.as_millisecond().to_string()),
                    ("start_id", last.id.clone()),
                ],
            };
            let asked: Vec<(&str, &str)> = asked.iter().map(|(k, v)| (*k, v.as_str())).collect();
            let page: wire::Comments = self.get(&purpose, &path, &asked).await?;
            let is_full = page.comments.len() >= PAGE_COMMENTS;
            let seen = all.len();
            for comment in page.comments.into_iter().map(|c| c.into_posted(&me)) {
                if !all.iter().any(|c| c.id == comment.id) {
                    all.push(comment);
                }
            }
            let reaches_back = all.last().is_none_or(|last| last.at < since);
            if !is_full || reaches_back || all.len() == seen {
                return Ok(all);
            }
            if all.len() >= COMMENTS_MAX {
                return Err(Failure::Transient {
                    what: format!("{}: more than {COMMENTS_MAX} came since", purpose.what),
                });
            }
        }
    }
}

fn runs(text: &RichText) -> Vec<Value> {
    text.iter()
        .map(|run| {
            let mut attributes = Map::new();
            if run.bold {
                attributes.insert("bold".to_owned(), json!(true));
            }
            if let Some(link) = &run.link {
                attributes.insert("link".to_owned(), json!(link));
            }
            json!({"text": run.text, "attributes": attributes})
        })
        .collect()
}
