//! Comments. Rich text goes as runs: markdown in `comment_text` shows literally, and both together show twice.
//! See <https://developer.clickup.com/docs/comment-formatting>.

use domain::lead::{Posted, RichText};
use domain::outcome::Failure;
use serde_json::{Map, Value, json};

use super::errors::{About, Purpose};
use super::{ClickUp, id_or_gone, shown, wire};
use crate::http::Method;

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

    pub(super) async fn newest_comments(&self, lead: &str) -> Result<Vec<Posted>, Failure> {
        let purpose = Purpose::read(
            About::Lead,
            format!("read the comments on lead {}", shown(lead)),
        );
        let path = format!("/task/{}/comment", id_or_gone(lead, &purpose)?);
        let page: wire::Comments = self.get(&purpose, &path, &[]).await?;
        Ok(page
            .comments
            .into_iter()
            .map(wire::Comment::into_posted)
            .collect())
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
