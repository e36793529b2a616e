//! Experiments about what searches give, and when.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Belief, NO_ADDRESS, Probe, open, settled};
use crate::http::Method;

const LATENCY_SAMPLES: usize = 5;
const NOT_FOUND: &str = "a search does not find the probe's task";

/// One search: an operator and a value of the e-mail field, and further parameters.
struct Ask<'a> {
    operator: &'a str,
    value: &'a str,
    /// The list for new leads where none is named.
    list: Option<&'a str>,
    more: &'a [(&'a str, &'a str)],
}

impl Probe<'_> {
    /// By its address, or where it has none among the newest of its list.
    pub(super) async fn lag_after_create(&mut self) -> Belief {
        const ABOUT: &str = "search-lag-after-create";
        let address = self.address.clone();
        let limit = self.patience.search;
        match self.until_found(&address, true, limit).await {
            Ok(Some(took)) => {
                self.is_findable = true;
                let took = seconds(took);
                let says = format!("a search finds a new task {took} after it was made");
                settled(ABOUT, &took, says)
            }
            Ok(None) => open(
                ABOUT,
                format!("a search did not find a new task within {}", seconds(limit)),
            ),
            Err(why) => open(ABOUT, why),
        }
    }

    /// Why an experiment with the filter is of no use.
    fn unfiltered(&self) -> Option<&'static str> {
        if self.field.is_none() {
            Some(NO_ADDRESS)
        } else if self.is_findable {
            None
        } else {
            Some(NOT_FOUND)
        }
    }

    pub(super) async fn latency(&mut self) -> Belief {
        const ABOUT: &str = "filtered-query-latency";
        if let Some(why) = self.unfiltered() {
            return open(ABOUT, why);
        }
        let mut took = Vec::new();
        let address = self.address.clone();
        for _ in 0..LATENCY_SAMPLES {
            match self.ask(&plain("=", &address)).await {
                Ok((_, time)) => took.push(time),
                Err(why) => return open(ABOUT, why),
            }
        }
        took.sort_unstable();
        let (median, most) = (took[took.len() / 2], took[took.len() - 1]);
        settled(
            ABOUT,
            &format!("{} ms", median.as_millis()),
            format!(
                "the filtered query took {} ms in the middle of {LATENCY_SAMPLES}, {} ms at most",
                median.as_millis(),
                most.as_millis()
            ),
        )
    }

    pub(super) async fn case(&mut self) -> Belief {
        const ABOUT: &str = "filter-case";
        if let Some(why) = self.unfiltered() {
            return open(ABOUT, why);
        }
        if !self.is_filtering {
            return open(ABOUT, "`=` does not filter, or its filter is not settled");
        }
        let stored = match self.stored_address().await {
            Ok(stored) => stored,
            Err(why) => return open(ABOUT, why),
        };
        let spellings = [stored.to_lowercase(), stored.to_uppercase()];
        let mut hits = Vec::new();
        for spelling in spellings.iter().filter(|spelling| **spelling != stored) {
            match self.ask(&plain("=", spelling)).await {
                Ok((is_hit, _)) => hits.push(is_hit),
                Err(why) => return open(ABOUT, why),
            }
        }
        let kept = if stored == self.address {
            "ClickUp keeps an address as it was typed"
        } else {
            "ClickUp changed the case of the address that was sent"
        };
        match (hits.iter().all(|hit| *hit), hits.iter().any(|hit| *hit)) {
            (true, _) => settled(
                ABOUT,
                "ignored",
                format!("`=` finds an address in any case; {kept}"),
            ),
            (false, false) => settled(
                ABOUT,
                "minded",
                format!("`=` finds an address only in the case in which it is stored; {kept}"),
            ),
            (false, true) => open(
                ABOUT,
                format!("`=` found one of two other spellings only; {kept}"),
            ),
        }
    }

    pub(super) async fn contains(&mut self) -> Belief {
        const ABOUT: &str = "filter-contains";
        if let Some(why) = self.unfiltered() {
            return open(ABOUT, why);
        }
        let nonce = self.place.nonce.clone();
        let nonsense = format!("{nonce}.nobody@example.org");
        match (
            self.ask(&plain("=", &nonce)).await,
            self.ask(&plain("=", &nonsense)).await,
        ) {
            (Ok(_), Ok((true, _))) => settled(
                ABOUT,
                "no filter",
                "`=` gives tasks that do not hold the value: the filter is ignored",
            ),
            (Ok((true, _)), Ok(_)) => {
                self.is_filtering = true;
                settled(ABOUT, "contains", "`=` finds an address by any part of it")
            }
            (Ok((false, _)), Ok(_)) => {
                self.is_filtering = true;
                settled(ABOUT, "equals", "`=` finds an address only as a whole")
            }
            (Err(why), _) | (_, Err(why)) => open(ABOUT, why),
        }
    }

    pub(super) async fn exactly(&mut self) -> Belief {
        const ABOUT: &str = "exact-operator-on-email";
        if let Some(why) = self.unfiltered() {
            return open(ABOUT, why);
        }
        if !self.is_filtering {
            return open(ABOUT, "`=` does not filter, or its filter is not settled");
        }
        let (whole, part) = (self.address.clone(), self.place.nonce.clone());
        match (
            self.ask(&plain("==", &whole)).await,
            self.ask(&plain("==", &part)).await,
        ) {
            (Ok((true, _)), Ok((false, _))) => settled(
                ABOUT,
                "applies",
                "`==` finds a whole address and no part of one",
            ),
            (Ok((true, _)), Ok((true, _))) => settled(
                ABOUT,
                "as =",
                "`==` finds parts of an address too, as `=` does",
            ),
            (Ok((false, _)), Ok(_)) => settled(
                ABOUT,
                "finds nothing",
                "`==` does not find an address that `=` finds",
            ),
            (Err(why), _) | (_, Err(why)) if why.starts_with(super::lab::ANSWERED) => {
                settled(ABOUT, "refused", format!("`==` on an e-mail field: {why}"))
            }
            (Err(why), _) | (_, Err(why)) => open(ABOUT, why),
        }
    }

    pub(super) async fn lag_after_edit(&mut self) -> Belief {
        const ABOUT: &str = "search-lag-after-edit";
        if let Some(why) = self.unfiltered() {
            return open(ABOUT, why);
        }
        if !self.is_filtering {
            return open(ABOUT, "`=` does not filter, or its filter is not settled");
        }
        let second = format!("calup.Second.{}@example.com", self.place.nonce);
        if let Err(why) = self.set_address(&second).await {
            return open(ABOUT, why);
        }
        let limit = self.patience.search;
        let new = self.until_found(&second, true, limit).await;
        let first = std::mem::replace(&mut self.address, second);
        let old = self.until_found(&first, false, limit).await;
        match (new, old) {
            (Ok(Some(new)), Ok(Some(old))) => {
                // Or an index that lags would pass for one that keeps what it should leave out.
                self.patience.settle = self.patience.settle.max(2 * (new + old));
                settled(
                    ABOUT,
                    &seconds(new),
                    format!(
                        "a changed address is found {} after the change; the old one is gone {} after that",
                        seconds(new),
                        seconds(old)
                    ),
                )
            }
            (Ok(_), Ok(_)) => open(
                ABOUT,
                format!("a changed address did not show within {}", seconds(limit)),
            ),
            (Err(why), _) | (_, Err(why)) => open(ABOUT, why),
        }
    }

    pub(super) async fn archived(&mut self) -> Belief {
        const ABOUT: &str = "archived-in-search";
        if !self.is_findable {
            return open(ABOUT, NOT_FOUND);
        }
        if let Err(why) = self.archive(true).await {
            return open(ABOUT, why);
        }
        let address = self.address.clone();
        let gone = self
            .until_found(&address, false, self.patience.settle)
            .await;
        let asked = Ask {
            operator: "=",
            value: &address,
            list: None,
            more: &[("archived", "true")],
        };
        let shown = self.ask(&asked).await;
        if let Err(why) = self.archive(false).await {
            return open(
                ABOUT,
                format!("the task could not be taken out of the archive: {why}"),
            );
        }
        // Later experiments search again.
        let back = self.until_found(&address, true, self.patience.search).await;
        match (gone, shown, back) {
            (Ok(Some(_)), Ok((shown, _)), Ok(_)) => settled(
                ABOUT,
                "left out",
                format!(
                    "`list_ids[]` leaves archived tasks out; `archived=true` {} them",
                    if shown { "gives" } else { "does not give" }
                ),
            ),
            (Ok(None), Ok(_), Ok(_)) => settled(
                ABOUT,
                "included",
                format!(
                    "`list_ids[]` still gave an archived task after {}",
                    seconds(self.patience.settle)
                ),
            ),
            (Err(why), _, _) | (_, Err(why), _) | (_, _, Err(why)) => open(ABOUT, why),
        }
    }

    pub(super) async fn several_lists(&mut self) -> Belief {
        const ABOUT: &str = "tasks-in-several-lists";
        if !self.is_findable {
            return open(ABOUT, NOT_FOUND);
        }
        let Some(other) = self.place.other_list.clone() else {
            return open(
                ABOUT,
                "there is no second list: CLICKUP_MATCH_LIST_IDS names none",
            );
        };
        let path = format!("/list/{other}{}", self.task_path());
        let added = self.lab.send(Method::POST, &path, &[], None).await;
        match added.and_then(super::Said::success) {
            Ok(_) => {}
            Err(why) => {
                return open(
                    ABOUT,
                    format!("the task could not be added to a second list: {why}"),
                );
            }
        }
        let shown = self.until_shown(&other, self.patience.settle).await;
        let removed = self.lab.send(Method::DELETE, &path, &[], None).await;
        let left = match removed.and_then(super::Said::success) {
            Ok(_) => String::new(),
            Err(why) => format!(
                "; it could not be taken out of that list again ({why}), deleting it does so"
            ),
        };
        match shown {
            Ok(true) => settled(
                ABOUT,
                "included",
                format!("`list_ids[]` gives tasks that were added from other lists{left}"),
            ),
            Ok(false) => settled(
                ABOUT,
                "left out",
                format!("`list_ids[]` gives only tasks whose home is the list{left}"),
            ),
            Err(why) => open(ABOUT, format!("{why}{left}")),
        }
    }

    /// Whether our task is among the hits, and how long the answer took.
    async fn ask(&mut self, ask: &Ask<'_>) -> Result<(bool, Duration), String> {
        let path = format!("/team/{}/task", self.place.workspace);
        let field = self.field.clone().unwrap_or_default();
        let filter = json!([{"field_id": field, "operator": ask.operator, "value": ask.value}]);
        let filter = filter.to_string();
        let list = ask.list.unwrap_or(&self.place.inbound.id).to_owned();
        let mut query = vec![
            ("list_ids[]", list.as_str()),
            ("include_closed", "true"),
            ("subtasks", "true"),
            ("order_by", "created"),
            ("page", "0"),
        ];
        query.extend(ask.more);
        if self.field.is_some() {
            query.push(("custom_fields", filter.as_str()));
        }
        let said = self.lab.send(Method::GET, &path, &query, None).await?;
        let took = said.took;
        let body = said.success()?;
        let tasks = body["tasks"]
            .as_array()
            .ok_or_else(|| "ClickUp answered something else than tasks".to_owned())?;
        let ours = self.task.as_deref();
        let is_hit = |task: &Value| task["id"].as_str() == ours;
        Ok((tasks.iter().any(is_hit), took))
    }

    async fn until_found(
        &mut self,
        address: &str,
        wanted: bool,
        limit: Duration,
    ) -> Result<Option<Duration>, String> {
        let begun = Instant::now();
        loop {
            let (is_hit, _) = self.ask(&plain("=", address)).await?;
            let waited = begun.elapsed();
            if is_hit == wanted {
                return Ok(Some(waited));
            }
            if waited >= limit {
                return Ok(None);
            }
            self.pause(waited).await;
        }
    }

    async fn until_shown(&mut self, list: &str, limit: Duration) -> Result<bool, String> {
        let begun = Instant::now();
        let address = self.address.clone();
        loop {
            let asked = Ask {
                operator: "=",
                value: &address,
                list: Some(list),
                more: &[],
            };
            if self.ask(&asked).await?.0 {
                return Ok(true);
            }
            if begun.elapsed() >= limit {
                return Ok(false);
            }
            self.pause(begun.elapsed()).await;
        }
    }

    async fn stored_address(&mut self) -> Result<String, String> {
        let task = self.read().await?;
        let field = self.field.clone().unwrap_or_default();
        let fields = task["custom_fields"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let stored = fields.iter().find(|it| it["id"] == field.as_str());
        let stored = stored.and_then(|it| it["value"].as_str());
        stored
            .map(str::to_owned)
            .ok_or_else(|| "the task does not show the address that it was made with".to_owned())
    }

    async fn set_address(&mut self, address: &str) -> Result<Value, String> {
        let field = self.field.clone().unwrap_or_default();
        let path = format!("{}/field/{field}", self.task_path());
        let body = json!({"value": address});
        let said = self.lab.send(Method::POST, &path, &[], Some(body)).await?;
        said.success()
    }

    async fn archive(&mut self, archived: bool) -> Result<Value, String> {
        let path = self.task_path();
        let body = json!({"archived": archived});
        let said = self.lab.send(Method::PUT, &path, &[], Some(body)).await?;
        said.success()
    }
}

fn plain<'a>(operator: &'a str, value: &'a str) -> Ask<'a> {
    Ask {
        operator,
        value,
        list: None,
        more: &[],
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
