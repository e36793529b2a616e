//! The workspace, its lists and their fields, and who we are there: looked up once an hour, not once a booking.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::lead::ListInfo;
use domain::outcome::Failure;
use domain::text;

use super::errors::{About, Purpose};
use super::hourly::Hourly;
use super::{ClickUp, fields, is_id, shown, wire};

const MATCH: &str = "CLICKUP_MATCH_LIST_IDS";
const INBOUND: &str = "CLICKUP_INBOUND_LIST_ID";
/// Leads may be moved to lists beside ours; more of those than this are forgotten.
const LISTS_MAX: usize = 500;
const TEAMS_SHOWN: usize = 10;
const TEAM_NAME_CHARS_MAX: usize = 60;

pub(super) struct Places {
    team_id: Option<String>,
    /// Match lists and inbound list, each once.
    list_ids: Vec<String>,
    inbound_id: String,
    team: Hourly<String>,
    me: Hourly<String>,
    lists: Mutex<HashMap<String, Arc<Hourly<List>>>>,
}

pub(super) struct List {
    pub info: ListInfo,
    pub fields: Vec<wire::Field>,
}

impl Places {
    pub fn new(team_id: Option<String>, match_list_ids: &[String], inbound_id: &str) -> Self {
        let mut list_ids: Vec<String> = Vec::new();
        for id in match_list_ids
            .iter()
            .map(String::as_str)
            .chain([inbound_id])
            .map(str::trim)
        {
            if !id.is_empty() && !list_ids.iter().any(|known| known == id) {
                list_ids.push(id.to_owned());
            }
        }
        Self {
            team_id: team_id
                .map(|id| id.trim().to_owned())
                .filter(|id| !id.is_empty()),
            list_ids,
            inbound_id: inbound_id.trim().to_owned(),
            team: Hourly::default(),
            me: Hourly::default(),
            lists: Mutex::default(),
        }
    }

    pub fn list_ids(&self) -> &[String] {
        &self.list_ids
    }

    pub fn has(&self, list: &str) -> bool {
        self.list_ids.iter().any(|id| id == list)
    }

    pub fn about(&self, list: &str) -> About {
        let setting = if list == self.inbound_id {
            Some(INBOUND)
        } else if self.has(list) {
            Some(MATCH)
        } else {
            None
        };
        About::List {
            id: list.to_owned(),
            setting,
        }
    }

    /// What was read of the lists may be old: the next to ask reads them again.
    pub fn expire_lists(&self) {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        for list in lists.values() {
            list.expire();
        }
    }

    /// Read again once a minute.
    fn expire_lists_soon(&self) {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        for list in lists.values() {
            list.expire_soon();
        }
    }

    fn list(&self, id: &str) -> Arc<Hourly<List>> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= LISTS_MAX && !lists.contains_key(id) {
            lists.clear();
        }
        lists.entry(id.to_owned()).or_default().clone()
    }
}

impl ClickUp {
    pub(super) async fn team(&self) -> Result<Arc<String>, Failure> {
        self.places.team.get(false, self.read_team()).await
    }

    /// The id of the token's user.
    pub(super) async fn me(&self) -> Result<Arc<String>, Failure> {
        let read = async {
            let purpose = Purpose::read(About::Account, "find out whose the ClickUp token is");
            let account: wire::Account = self.get(&purpose, "/user", &[]).await?;
            Ok(account.user.id)
        };
        self.places.me.get(false, read).await
    }

    pub(super) async fn list_of(&self, id: &str, fresh: bool) -> Result<Arc<List>, Failure> {
        let kept = self.places.list(id);
        kept.get(fresh, self.read_list(id)).await
    }

    pub(super) async fn inbound(&self) -> Result<Arc<List>, Failure> {
        if self.places.inbound_id.is_empty() {
            return Err(Failure::NeedsOperator {
                what: "use the list for new leads: none is set".to_owned(),
                hint: format!("set {INBOUND} to the list's id"),
            });
        }
        self.list_of(&self.places.inbound_id, false).await
    }

    /// Each e-mail field with the lists that have it: a single one where the lists share it.
    pub(super) async fn email_fields(&self) -> Result<Vec<(String, Vec<String>)>, Failure> {
        if self.places.list_ids.is_empty() {
            return Err(Failure::NeedsOperator {
                what: "find leads: no lists are set".to_owned(),
                hint: format!("set {MATCH} and {INBOUND} to the lists' ids"),
            });
        }
        let mut found: Vec<(String, Vec<String>)> = Vec::new();
        for id in &self.places.list_ids {
            let list = self.list_of(id, false).await?;
            for field in &list.fields {
                if !fields::is_email_field(field, &self.email_field) {
                    continue;
                }
                match found.iter_mut().find(|(known, _)| *known == field.id) {
                    Some((_, lists)) => lists.push(id.clone()),
                    None => found.push((field.id.clone(), vec![id.clone()])),
                }
            }
        }
        if found.is_empty() {
            // Whoever mends it need not wait for the hour to be over.
            self.places.expire_lists_soon();
            return Err(Failure::NeedsOperator {
                what: format!(
                    "find leads: no list has an e-mail field named `{}`",
                    self.email_field
                ),
                hint: "create one of that name and of type Email on the lists at ClickUp, or set CLICKUP_EMAIL_FIELD"
                    .to_owned(),
            });
        }
        Ok(found)
    }

    async fn read_team(&self) -> Result<String, Failure> {
        let what = "find the workspace at ClickUp";
        if let Some(id) = &self.places.team_id {
            if is_id(id) {
                return Ok(id.clone());
            }
            return Err(Failure::NeedsOperator {
                what: format!("{what}: CLICKUP_TEAM_ID is not an id"),
                hint: "set it to the number after app.clickup.com/ in the browser's address"
                    .to_owned(),
            });
        }
        let purpose = Purpose::read(About::Account, what);
        let mut teams: wire::Teams = self.get(&purpose, "/team", &[]).await?;
        match teams.teams.len() {
            1 => Ok(teams.teams.remove(0).id),
            0 => Err(Failure::NeedsOperator {
                what: format!("{what}: the token sees none"),
                hint: "invite the token's user into the workspace".to_owned(),
            }),
            _ => {
                let seen = named(&teams.teams);
                Err(Failure::NeedsOperator {
                    what: format!("{what}: the token sees several, {seen}"),
                    hint: "set CLICKUP_TEAM_ID to the id of the one to use".to_owned(),
                })
            }
        }
    }

    async fn read_list(&self, id: &str) -> Result<List, Failure> {
        let (list, fields) = self.list_with_fields(id).await?;
        Ok(List {
            info: ListInfo {
                id: list.id,
                name: list.name,
                statuses: list
                    .statuses
                    .into_iter()
                    .map(|status| (status.kind(), status.status))
                    .map(|(kind, name)| (name, kind))
                    .collect(),
                has_email_field: fields
                    .iter()
                    .any(|field| fields::is_email_field(field, &self.email_field)),
            },
            fields,
        })
    }

    pub(super) async fn list_with_fields(
        &self,
        id: &str,
    ) -> Result<(wire::List, Vec<wire::Field>), Failure> {
        let about = self.places.about(id);
        let purpose = Purpose::read(about.clone(), format!("read list {}", shown(id)));
        if !is_id(id) {
            return Err(purpose.missing("it is not an id"));
        }
        let list: wire::List = self.get(&purpose, &format!("/list/{id}"), &[]).await?;
        let purpose = Purpose::read(about, format!("read the fields of list {id}"));
        let path = format!("/list/{id}/field");
        let fields: wire::Fields = self.get(&purpose, &path, &[]).await?;
        Ok((list, fields.fields))
    }
}

/// Ids with names for people to choose by, as far as a sentence has room.
fn named(teams: &[wire::Named]) -> String {
    let shown = teams.iter().take(TEAMS_SHOWN).map(|team| {
        // A workspace may be called by somebody's address.
        let name = text::one_line(&team.name, TEAM_NAME_CHARS_MAX);
        if name.is_empty() || name.contains('@') {
            team.id.clone()
        } else {
            format!("{} ({name})", team.id)
        }
    });
    let mut out = shown.collect::<Vec<_>>().join(", ");
    if teams.len() > TEAMS_SHOWN {
        out.push_str(&format!(" and {} more", teams.len() - TEAMS_SHOWN));
    }
    out
}
