//! The workspace and its lists: looked up once an hour, not once a booking.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use domain::lead::ListInfo;
use domain::outcome::Failure;
use tokio::sync::Mutex;

use super::{ClickUp, wire};

const FRESH_FOR: Duration = Duration::from_secs(3_600);

#[derive(Default)]
pub struct Places {
    team: Mutex<Option<(Instant, String)>>,
    lists: Mutex<HashMap<String, (Instant, Place)>>,
    /// Zero while unknown.
    user: AtomicI64,
}

#[derive(Debug, Clone)]
pub struct Place {
    list: wire::List,
    fields: Vec<wire::Field>,
}

impl Places {
    pub fn user_id(&self) -> Option<i64> {
        Some(self.user.load(Ordering::Relaxed)).filter(|id| *id != 0)
    }

    pub fn set_user_id(&self, id: i64) {
        self.user.store(id, Ordering::Relaxed);
    }
}

impl ClickUp {
    /// The workspace: as set, else the only one that the token sees.
    pub(super) async fn team(&self) -> Result<String, Failure> {
        if let Some(id) = &self.config.team_id {
            return Ok(id.clone());
        }
        let mut cached = self.places.team.lock().await;
        if let Some((at, id)) = cached.as_ref().filter(|(at, _)| at.elapsed() < FRESH_FOR) {
            let _ = at;
            return Ok(id.clone());
        }
        let what = "find the workspace";
        let teams: wire::Teams = match self.get(what, &["team"], &[]).await {
            Ok(teams) => teams,
            Err(failure) => {
                return match cached.as_ref() {
                    Some((_, id)) if matches!(failure, Failure::Transient { .. }) => Ok(id.clone()),
                    _ => Err(failure),
                };
            }
        };
        match teams.teams.as_slice() {
            [only] => {
                *cached = Some((Instant::now(), only.id.clone()));
                Ok(only.id.clone())
            }
            [] => Err(Failure::NeedsOperator {
                what: format!("{what}: the token sees none"),
                hint: "let the token's user into the workspace".into(),
            }),
            several => {
                let names: Vec<String> = several
                    .iter()
                    .map(|t| format!("{} ({})", t.id, t.name))
                    .collect();
                Err(Failure::NeedsOperator {
                    what: format!("{what}: the token sees {}", names.join(", ")),
                    hint: "set CLICKUP_TEAM_ID to the one to use".into(),
                })
            }
        }
    }

    pub(super) fn inbound(&self) -> Result<String, Failure> {
        let id = &self.config.inbound_list_id;
        if id.is_empty() {
            return Err(Failure::NeedsOperator {
                what: "make a lead: no inbound list is set".into(),
                hint: "set CLICKUP_INBOUND_LIST_ID to the id of the list for new leads".into(),
            });
        }
        Ok(id.clone())
    }

    async fn place(&self, id: &str, fresh: bool) -> Result<Place, Failure> {
        let mut lists = self.places.lists.lock().await;
        let cached = lists.get(id).cloned();
        if let Some((at, place)) = &cached
            && !fresh
            && at.elapsed() < FRESH_FOR
        {
            return Ok(place.clone());
        }
        match self.read_place(id).await {
            Ok(place) => {
                lists.insert(id.to_owned(), (Instant::now(), place.clone()));
                Ok(place)
            }
            Err(failure) => match cached {
                Some((_, place))
                    if matches!(failure, Failure::Transient { .. } | Failure::Limited { .. }) =>
                {
                    Ok(place)
                }
                _ => Err(failure),
            },
        }
    }

    async fn read_place(&self, id: &str) -> Result<Place, Failure> {
        let what = format!("read list {id}");
        let unseen = |failure: Failure| {
            match failure {
            Failure::Gone { what } | Failure::Refused { what, .. } => Failure::NeedsOperator {
                what: format!("{what}; ClickUp shows the token no list {id}"),
                hint: "correct CLICKUP_MATCH_LIST_IDS and CLICKUP_INBOUND_LIST_ID, or share the list with the token's user".into(),
            },
            other => other,
        }
        };
        let list: wire::List = self.get(&what, &["list", id], &[]).await.map_err(unseen)?;
        let what = format!("read the fields of list {id}");
        let fields: wire::Fields = self
            .get(&what, &["list", id, "field"], &[])
            .await
            .map_err(unseen)?;
        Ok(Place {
            list,
            fields: fields.fields,
        })
    }

    pub(super) async fn list_info(&self, id: &str, fresh: bool) -> Result<ListInfo, Failure> {
        let id = if id.is_empty() {
            self.inbound()?
        } else {
            id.to_owned()
        };
        let place = self.place(&id, fresh).await?;
        Ok(ListInfo {
            id,
            name: place.list.name.clone(),
            statuses: place
                .list
                .statuses
                .iter()
                .map(|s| (s.status.clone(), s.kind()))
                .collect(),
            has_email_field: place
                .fields
                .iter()
                .any(|f| f.is_called(&self.config.email_field)),
        })
    }

    pub(super) async fn fields_of(&self, list: &str) -> Result<Vec<wire::Field>, Failure> {
        Ok(self.place(list, false).await?.fields)
    }

    /// Each Email field's id with the lists that have it: one where the lists share it.
    pub(super) async fn email_fields(&self) -> Result<Vec<(String, Vec<String>)>, Failure> {
        let mut out: Vec<(String, Vec<String>)> = Vec::new();
        for list in self.lists() {
            let fields = self.fields_of(list).await?;
            for field in fields
                .iter()
                .filter(|f| f.is_called(&self.config.email_field))
            {
                match out.iter_mut().find(|(id, _)| *id == field.id) {
                    Some((_, lists)) => lists.push(list.to_owned()),
                    None => out.push((field.id.clone(), vec![list.to_owned()])),
                }
            }
        }
        if out.is_empty() {
            return Err(Failure::NeedsOperator {
                what: format!("find a lead by e-mail: no list has a custom field `{}`", self.config.email_field),
                hint: "add a field of that name and type Email to the lists in ClickUp, or set CLICKUP_EMAIL_FIELD".into(),
            });
        }
        Ok(out)
    }

    pub(super) async fn email_field_ids(&self) -> Result<Vec<String>, Failure> {
        Ok(self
            .email_fields()
            .await?
            .into_iter()
            .map(|(id, _)| id)
            .collect())
    }
}
