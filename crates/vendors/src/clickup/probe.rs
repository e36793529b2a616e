//! What nobody has written down about ClickUp, settled by experiments on one throw-away task. Each experiment ends in
//! a [`Belief`], also when it could not be finished; the task is deleted whatever happened. This file holds the task's
//! life and the order; the experiments are in the files below it.

mod lab;
mod search;
mod writing;

use std::time::Duration;

use domain::outcome::Failure;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::survey::Surveyed;
use super::{ClickUp, is_id};
use crate::http::Method;
use lab::{Lab, Said};

pub const TASK_NAME: &str = "calup probe, may be deleted";
const DELETE_TRIES: u32 = 3;
const PAUSE_MAX: Duration = Duration::from_secs(5);

const NO_ADDRESS: &str =
    "the task has no address: the list for new leads has no e-mail field, or refused its value";

/// What was believed about one thing, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belief {
    /// A stable name.
    pub about: &'static str,
    pub is_settled: bool,
    /// In a word or two.
    pub found: String,
    /// A sentence.
    pub says: String,
}

/// How long to wait for what may come late.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a search to show what was written.
    pub search: Duration,
    /// For what probably does not happen at all.
    pub settle: Duration,
    pub between: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            search: Duration::from_secs(90),
            settle: Duration::from_secs(4),
            between: Duration::from_millis(500),
        }
    }
}

/// Where the task is made, and by what it is found.
#[derive(Debug, Clone)]
pub struct Place {
    pub workspace: String,
    pub inbound: Surveyed,
    /// The task is shown in this one too for a moment, if ClickUp allows it.
    pub other_list: Option<String>,
    /// A few letters and digits that occur nowhere else.
    pub nonce: String,
}

pub struct Probe<'a> {
    lab: Lab<'a>,
    place: Place,
    patience: Patience,
    /// Of the inbound list, if it has one.
    field: Option<String>,
    address: String,
    task: Option<String>,
    /// A create was sent whose answer does not say what became of it.
    is_doubtful: bool,
    /// The task is found by searching, at least among the newest.
    is_findable: bool,
    /// `=` leaves out what does not hold the value.
    is_filtering: bool,
}

impl ClickUp {
    /// Calls nobody yet.
    pub fn experiments(&self, place: Place, patience: Patience) -> Probe<'_> {
        let field = place.inbound.fields.iter();
        let field = field.filter(|f| f.is_named && f.holds_text);
        Probe {
            lab: Lab::new(self),
            patience,
            field: field.map(|f| f.id.clone()).next(),
            address: format!("calup.Probe.{}@example.com", place.nonce),
            place,
            task: None,
            is_doubtful: false,
            is_findable: false,
            is_filtering: false,
        }
    }
}

impl Probe<'_> {
    /// Makes the task. After this, [`Probe::end`] must be called, whatever this gave.
    pub async fn begin(&mut self, found: &mut Vec<Belief>) -> Result<(), Failure> {
        let mut body = json!({
            "name": TASK_NAME,
            "markdown_content": writing::description(&self.place.nonce),
            "notify_all": false,
            "custom_item_id": 0,
        });
        if let Some(field) = &self.field {
            body["custom_fields"] = json!([{"id": field, "value": self.address}]);
        }
        let path = format!("/list/{}/task", self.place.inbound.id);
        let mut said = self.create(&path, &body).await?;
        if self.field.is_some() {
            found.push(uses(&said));
        }
        if said.code.starts_with("FIELD_") {
            self.field = None;
            body["custom_fields"] = json!([]);
            said = self.create(&path, &body).await?;
        }
        match said.body.get("id").and_then(Value::as_str) {
            Some(id) if said.is_success() && is_id(id) => {
                self.task = Some(id.to_owned());
                self.is_doubtful = false;
                Ok(())
            }
            _ => Err(Failure::NeedsOperator {
                what: format!(
                    "make the probe's task: ClickUp answered {}",
                    said.in_short()
                ),
                hint: "let the token's user create tasks in the list for new leads, and try again"
                    .to_owned(),
            }),
        }
    }

    /// Runs every experiment; what was found so far stays in `found` when this is given up half-way.
    pub async fn run(&mut self, found: &mut Vec<Belief>) {
        found.push(self.lag_after_create().await);
        found.push(self.latency().await);
        found.push(self.contains().await);
        found.push(self.case().await);
        found.push(self.exactly().await);
        found.push(self.lag_after_edit().await);
        found.push(self.archived().await);
        found.push(self.several_lists().await);
        found.push(self.bad_address().await);
        found.push(self.round_trip().await);
        found.push(self.bad_status().await);
        found.push(self.comment_touches().await);
        found.push(self.comment_size().await);
        found.push(self.lab.headers());
    }

    /// Deletes the task. What cannot be deleted is named, with where it is.
    pub async fn end(&mut self) -> Result<(), String> {
        if self.is_doubtful {
            self.task = self.lost().await;
        }
        let list = format!("{} ({})", self.place.inbound.name, self.place.inbound.id);
        let Some(task) = self.task.clone() else {
            return if self.is_doubtful {
                Err(format!(
                    "whether the probe's task was made is not known; look for `{TASK_NAME}` in list {list}, and delete it if it is there"
                ))
            } else {
                Ok(())
            };
        };
        let path = format!("/task/{task}");
        let mut why = String::new();
        for attempt in 0..DELETE_TRIES {
            if attempt > 0 {
                sleep(self.patience.between).await;
            }
            match self.lab.send(Method::DELETE, &path, &[], None).await {
                Ok(said) if said.is_success() || said.code == "ITEM_013" => {
                    self.task = None;
                    return Ok(());
                }
                Ok(said) => why = format!("ClickUp answered {}", said.in_short()),
                Err(lost) => why = lost,
            }
        }
        Err(format!(
            "the probe's task could not be deleted ({why}); delete `{TASK_NAME}` in list {list} by hand: https://app.clickup.com/t/{task}"
        ))
    }

    async fn create(&mut self, path: &str, body: &Value) -> Result<Said, Failure> {
        self.is_doubtful = true;
        let sent = self.lab.send(Method::POST, path, &[], Some(body.clone()));
        let said = sent.await.map_err(|why| Failure::Unknown {
            what: format!("make the probe's task: {why}"),
        })?;
        // Only what ClickUp itself refuses was surely not done.
        self.is_doubtful = said.code.is_empty() || said.status >= 500;
        Ok(said)
    }

    /// The task of a create whose answer was lost: among the newest of the list, which may show it late.
    async fn lost(&mut self) -> Option<String> {
        let path = format!("/list/{}/task", self.place.inbound.id);
        let query = [("include_markdown_description", "true")];
        let begun = Instant::now();
        loop {
            if let Ok(said) = self.lab.send(Method::GET, &path, &query, None).await {
                let is_ours = |task: &&Value| {
                    task["name"] == TASK_NAME && task.to_string().contains(&self.place.nonce)
                };
                let ours = said.tasks().and_then(|tasks| tasks.iter().find(is_ours));
                let id = ours.and_then(|task| task["id"].as_str());
                if let Some(id) = id.filter(|id| is_id(id)) {
                    return Some(id.to_owned());
                }
            }
            if begun.elapsed() >= self.patience.settle {
                return None;
            }
            sleep(self.patience.between).await;
        }
    }

    /// Ever longer the longer it takes: others live within the token's limit too.
    async fn pause(&self, waited: Duration) {
        sleep(self.patience.between.max(waited / 8).min(PAUSE_MAX)).await;
    }

    fn task_path(&self) -> String {
        format!("/task/{}", self.task.as_deref().unwrap_or_default())
    }

    async fn read(&mut self) -> Result<Value, String> {
        let path = self.task_path();
        let query = [("include_markdown_description", "true")];
        let said = self.lab.send(Method::GET, &path, &query, None).await?;
        said.success()
    }
}

fn uses(said: &Said) -> Belief {
    let (is_settled, found, says) = match said.code.as_str() {
        "FIELD_033" => (
            true,
            "counted",
            "a create with a field inside was refused with FIELD_033: it counts as a use of the plan's quota",
        ),
        _ if said.is_success() => (
            false,
            "no refusal",
            "a create with a field inside was taken; only a workspace whose quota is used up would show whether it counts",
        ),
        _ => (
            false,
            "refused",
            "a create with a field inside was refused, but not for the plan's quota",
        ),
    };
    Belief {
        about: "inline-fields-count-as-uses",
        is_settled,
        found: found.to_owned(),
        says: format!("{says} ({})", said.in_short()),
    }
}

fn settled(about: &'static str, found: &str, says: impl Into<String>) -> Belief {
    Belief {
        about,
        is_settled: true,
        found: found.to_owned(),
        says: says.into(),
    }
}

fn open(about: &'static str, why: impl Into<String>) -> Belief {
    Belief {
        about,
        is_settled: false,
        found: "not settled".to_owned(),
        says: why.into(),
    }
}
