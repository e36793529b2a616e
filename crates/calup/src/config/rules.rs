//! The rules of a profile: its lists and statuses, and what follows from each trigger, in which words.

use std::collections::BTreeMap;

use domain::event::Trigger;
use domain::profile::{Guests, Parts, Profile};
use domain::template;
use store::rows::DEFAULT_PROFILE;

use super::{Settings, Wrong};

impl Settings {
    pub(super) fn profile(&self) -> Result<Profile, Wrong> {
        let guests = match self.text("calup_guests").trim() {
            "ignore" | "" => Guests::Ignore,
            "match" => Guests::Match,
            other => {
                return Err(Wrong(format!(
                    "CALUP_GUESTS is `{other}`; it must be ignore or match"
                )));
            }
        };
        Ok(Profile {
            name: DEFAULT_PROFILE.into(),
            match_list_ids: self.list("clickup_match_list_ids"),
            inbound_list_id: self.some("clickup_inbound_list_id").unwrap_or_default(),
            status_booked: self.status("clickup_status_booked"),
            status_cancelled: self.status("clickup_status_cancelled"),
            status_requested: self.status("clickup_status_requested"),
            status_no_show: self.status("clickup_status_no_show"),
            status_keep: self.list("clickup_status_keep"),
            status_reopen: self.list("clickup_status_reopen"),
            internal_domains: self
                .list("calup_internal_domains")
                .into_iter()
                .map(|d| d.trim_start_matches(['@', '.']).to_lowercase())
                .collect(),
            guests,
            on: self.on()?,
            texts: self.texts()?,
        })
    }

    /// `calup_on_<trigger>`: what is not set is as usual.
    fn on(&self) -> Result<BTreeMap<String, Parts>, Wrong> {
        let mut on = BTreeMap::new();
        for trigger in Trigger::FOLLOWED {
            let name = on_name(&trigger);
            let items: Vec<String> = self.list(&name).iter().map(|i| i.to_lowercase()).collect();
            let mut parts = Parts::OFF;
            for item in &items {
                match item.as_str() {
                    "status" => parts.status = true,
                    "block" => parts.block = true,
                    "comment" => parts.comment = true,
                    "off" if items.len() == 1 => {}
                    other => {
                        return Err(Wrong(format!(
                            "{} has `{other}`; it must be any of status, block, comment, or off alone",
                            name.to_uppercase()
                        )));
                    }
                }
            }
            let is_form = matches!(
                trigger,
                Trigger::FormSubmitted | Trigger::FormSubmittedNoEvent | Trigger::FormFallback
            );
            if is_form && (parts.status || parts.block) {
                return Err(Wrong(format!(
                    "{}: a form has neither status nor block; it must be comment or off",
                    name.to_uppercase()
                )));
            }
            if !items.is_empty() {
                on.insert(trigger.name().to_owned(), parts);
            }
        }
        Ok(on)
    }

    /// `calup_text_<trigger>`: templates that work with a sample, or a sentence about the one that does not.
    fn texts(&self) -> Result<BTreeMap<String, String>, Wrong> {
        let mut texts = BTreeMap::new();
        for trigger in Trigger::FOLLOWED {
            let name = text_name(&trigger);
            let Some(source) = self.some(&name) else {
                continue;
            };
            template::render(&source, &template::Values::default()).map_err(|why| {
                Wrong(format!(
                    "{} is no usable template: {why}; `calup wording {}` lists what it can name",
                    name.to_uppercase(),
                    trigger.name()
                ))
            })?;
            texts.insert(trigger.name().to_owned(), source);
        }
        Ok(texts)
    }
}

pub(super) fn on_name(trigger: &Trigger) -> String {
    format!("calup_on_{}", trigger.name().to_lowercase())
}

pub(super) fn text_name(trigger: &Trigger) -> String {
    format!("calup_text_{}", trigger.name().to_lowercase())
}
