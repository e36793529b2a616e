//! What is planned for somebody whom nobody in the CRM is known to be.

use domain::chain::Shown;
use domain::change::Change;
use domain::facts::{Facts, Found, Known, Memory};
use domain::plan::{Plan, plan};
use domain::profile::Profile;
use domain::question::Asking;

pub fn planned(change: &Change, known: &[Change], asking: Asking, profile: &Profile) -> Plan {
    let known = known.iter().map(|change| Known {
        change: change.clone(),
        shown: Shown::Nowhere,
        done: false,
        given_up: false,
        untold: false,
        tried_at: None,
        said: None,
    });
    let facts = Facts {
        known: known.collect(),
        found: Found::Nobody,
        is_said: false,
        asking,
        memory: Memory::default(),
        statuses: Vec::new(),
        list_name: "Inbound Leads".into(),
        told: false,
        moved_status: false,
        dead: Vec::new(),
        comment_marker: String::new(),
        create_marker: String::new(),
        no_fields: false,
        no_status: false,
        plain_type: false,
    };
    plan(change, &facts, profile)
}
