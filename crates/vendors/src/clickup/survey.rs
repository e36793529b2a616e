//! What the token is shown, for `doctor`: its user, the workspaces, one list with its statuses and fields. It only
//! reads, and keeps nothing. What is right or wrong about it is judged elsewhere.

use domain::outcome::Failure;
use jiff::Timestamp;

use super::errors::{About, Purpose};
use super::{ClickUp, READ_BYTES_MAX, READ_PATIENCE, fields, is_id, wire};
use crate::http::{Call, Method};

/// Whether ClickUp answers and takes the token.
#[derive(Debug)]
pub struct Reached {
    /// Its clock, to the second, if it answered at all.
    pub clock: Option<Timestamp>,
    pub user: Result<User, Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surveyed {
    pub id: String,
    pub name: String,
    pub space: Option<String>,
    /// What the token's user may do there, in ClickUp's word; may be empty.
    pub permission: String,
    /// In the list's spelling and order.
    pub statuses: Vec<String>,
    pub fields: Vec<SeenField>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenField {
    pub id: String,
    pub name: String,
    /// ClickUp's name of its type.
    pub kind: String,
    /// The setting names it, by name or id.
    pub is_named: bool,
    /// Its type can hold an address and be searched for one.
    pub holds_text: bool,
}

impl ClickUp {
    pub async fn reach(&self) -> Reached {
        let purpose = Purpose::read(About::Account, "reach ClickUp");
        let call = Call {
            method: Method::GET,
            url: self.url("/user"),
            headers: self.headers(),
            json: None,
            answer_bytes_max: READ_BYTES_MAX,
        };
        match self.out.send(call, READ_PATIENCE).await {
            Ok(answer) => Reached {
                clock: answer.date(),
                user: purpose
                    .understand(&answer)
                    .map(|account: wire::Account| User {
                        id: account.user.id,
                        name: account.user.username,
                    }),
            },
            Err(lost) => Reached {
                clock: None,
                user: Err(purpose.lost(lost)),
            },
        }
    }

    pub async fn workspaces(&self) -> Result<Vec<Workspace>, Failure> {
        let purpose = Purpose::read(About::Account, "find the workspace at ClickUp");
        let teams: wire::Teams = self.get(&purpose, "/team", &[]).await?;
        Ok(teams
            .teams
            .into_iter()
            .map(|team| Workspace {
                id: team.id,
                name: team.name,
            })
            .collect())
    }

    pub async fn survey(&self, list: &str) -> Result<Surveyed, Failure> {
        let (seen, fields) = self.list_with_fields(list).await?;
        Ok(Surveyed {
            id: seen.id,
            name: seen.name,
            permission: seen.permission_level,
            space: seen.space.map(|space| space.id),
            statuses: seen.statuses.into_iter().map(|it| it.status).collect(),
            fields: self.seen(fields),
        })
    }

    /// Fields of the whole workspace: one that stands here need not be on a list.
    pub async fn workspace_fields(&self, workspace: &str) -> Result<Vec<SeenField>, Failure> {
        let purpose = Purpose::read(About::Account, "read the fields of the workspace");
        let path = format!("/team/{}/field", workspace_id(workspace, &purpose)?);
        let fields: wire::Fields = self.get(&purpose, &path, &[]).await?;
        Ok(self.seen(fields.fields))
    }

    /// Ids of the spaces of a workspace that the token sees.
    pub async fn spaces(&self, workspace: &str) -> Result<Vec<String>, Failure> {
        let purpose = Purpose::read(About::Account, "read the spaces of the workspace");
        let path = format!("/team/{}/space", workspace_id(workspace, &purpose)?);
        let spaces: wire::Spaces = self.get(&purpose, &path, &[("archived", "false")]).await?;
        Ok(spaces.spaces.into_iter().map(|space| space.id).collect())
    }

    /// How many leads the filtered query gives for an address that nobody has: none, where it filters.
    pub async fn hits_of_nobody(
        &self,
        workspace: &str,
        field: &str,
        lists: &[String],
    ) -> Result<usize, Failure> {
        let purpose = Purpose::read(About::Workspace, "find leads by e-mail");
        let path = format!("/team/{}/task", workspace_id(workspace, &purpose)?);
        let filter = serde_json::json!([{"field_id": field, "operator": "=", "value": "nobody@calup.invalid"}]);
        let filter = filter.to_string();
        let mut query = vec![
            ("custom_fields", filter.as_str()),
            ("include_closed", "true"),
            ("subtasks", "true"),
        ];
        query.extend(lists.iter().map(|list| ("list_ids[]", list.as_str())));
        let page: wire::Page = self.get(&purpose, &path, &query).await?;
        Ok(page.tasks.len())
    }

    fn seen(&self, fields: Vec<wire::Field>) -> Vec<SeenField> {
        let seen = |field: wire::Field| SeenField {
            is_named: fields::is_named(&field, &self.email_field),
            holds_text: fields::holds_text(&field),
            id: field.id,
            name: field.name,
            kind: field.kind,
        };
        fields.into_iter().map(seen).collect()
    }
}

fn workspace_id<'a>(id: &'a str, purpose: &Purpose) -> Result<&'a str, Failure> {
    if is_id(id) {
        return Ok(id);
    }
    Err(purpose.missing("CLICKUP_TEAM_ID is not an id"))
}
