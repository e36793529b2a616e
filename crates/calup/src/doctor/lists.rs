//! What each list should have: one e-mail field, and the statuses that calup sets.

use vendors::clickup::survey::{SeenField, Surveyed};

use super::{Finding, fail, ok, warn};
use crate::config::Config;

pub fn named(list: &Surveyed) -> String {
    format!("{} ({})", list.name, list.id)
}

/// What the token's user may not do there.
pub fn rights(list: &Surveyed) -> Option<Finding> {
    let may = match list.permission.as_str() {
        "read" => "read",
        "comment" => "read and comment on",
        _ => return None,
    };
    Some(fail(
        "list",
        format!("the token's user may only {may} list {}", named(list)),
        "let that user edit the list at ClickUp, or use the token of another user",
    ))
}

/// Each usable e-mail field, with the lists that have it.
pub fn fields(lists: &[Surveyed]) -> Vec<(&SeenField, Vec<&Surveyed>)> {
    let mut found: Vec<(&SeenField, Vec<&Surveyed>)> = Vec::new();
    for list in lists {
        for field in list.fields.iter().filter(|it| it.is_named && it.holds_text) {
            match found.iter_mut().find(|(known, _)| known.id == field.id) {
                Some((_, on)) => on.push(list),
                None => found.push((field, vec![list])),
            }
        }
    }
    found
}

/// `elsewhere` are fields of the whole workspace.
pub fn emails(setting: &str, lists: &[Surveyed], elsewhere: &[SeenField]) -> Vec<Finding> {
    const CHECK: &str = "email-field";
    let mut findings: Vec<Finding> = lists
        .iter()
        .filter_map(|list| email(setting, list, lists, elsewhere))
        .collect();
    if !findings.is_empty() || lists.is_empty() {
        return findings;
    }
    let found = fields(lists);
    if let [(field, _)] = found.as_slice() {
        findings.push(ok(
            CHECK,
            format!("the field `{}` ({}) is on every list", field.name, field.id),
        ));
    } else {
        let each: Vec<String> = found
            .iter()
            .map(|(field, on)| {
                let on: Vec<String> = on.iter().map(|list| named(list)).collect();
                format!("{} on {}", field.id, on.join(" and "))
            })
            .collect();
        findings.push(Finding {
            fix: Some(
                "one field on the lists' space or folder would save a call per booking".into(),
            ),
            ..ok(
                CHECK,
                format!(
                    "each list has one field `{setting}`: {}; each is searched",
                    each.join(", ")
                ),
            )
        });
    }
    findings
}

/// What is wrong with it on this list.
fn email(
    setting: &str,
    list: &Surveyed,
    lists: &[Surveyed],
    elsewhere: &[SeenField],
) -> Option<Finding> {
    const CHECK: &str = "email-field";
    let on = named(list);
    let here: Vec<&SeenField> = list.fields.iter().filter(|it| it.is_named).collect();
    let usable: Vec<&&SeenField> = here.iter().filter(|it| it.holds_text).collect();
    match (usable.as_slice(), here.as_slice()) {
        ([], []) => {
            let others = lists.iter().flat_map(|it| &it.fields).chain(elsewhere);
            let other = others.clone().find(|it| it.is_named && it.holds_text);
            let of_type: Vec<String> = list
                .fields
                .iter()
                .filter(|it| it.kind == "email")
                .map(|it| format!("`{}` ({})", it.name, it.id))
                .collect();
            let fix = if let Some(other) = other {
                format!(
                    "at ClickUp, add the existing field `{}` ({}) to this list",
                    other.name, other.id
                )
            } else if of_type.is_empty() {
                "at ClickUp, create a field of that name and of type Email on the lists' space or folder, or on each list".into()
            } else {
                format!(
                    "set CLICKUP_EMAIL_FIELD to its field of type Email: {}",
                    of_type.join(" or ")
                )
            };
            Some(fail(
                CHECK,
                format!("list {on} has no field `{setting}`: nobody in it is found by e-mail"),
                fix,
            ))
        }
        ([], [field, ..]) => Some(fail(
            CHECK,
            format!(
                "the field `{}` ({}) of list {on} is of type {}, which cannot be searched for an address",
                field.name, field.id, field.kind
            ),
            "create a field of type Email, or name another one in CLICKUP_EMAIL_FIELD",
        )),
        ([field], _) if field.kind != "email" => Some(warn(
            CHECK,
            format!(
                "the field `{}` ({}) of list {on} is of type {}, not Email: it works, but ClickUp does not check what is typed there",
                field.name, field.id, field.kind
            ),
            "use a field of type Email",
        )),
        ([_], _) => None,
        (several, _) => {
            let ids: Vec<String> = several
                .iter()
                .map(|it| format!("{} ({})", it.id, it.kind))
                .collect();
            Some(fail(
                CHECK,
                format!(
                    "list {on} has {} fields `{setting}`, and which one is meant is not clear: {}",
                    several.len(),
                    ids.join(", ")
                ),
                "set CLICKUP_EMAIL_FIELD to the id of the right one, or remove the other",
            ))
        }
    }
}

pub fn statuses(config: &Config, lists: &[Surveyed]) -> Vec<Finding> {
    const CHECK: &str = "status";
    let profile = &config.profile;
    let wanted: Vec<(&str, &str)> = [
        ("CLICKUP_STATUS_BOOKED", &profile.status_booked),
        ("CLICKUP_STATUS_CANCELLED", &profile.status_cancelled),
        ("CLICKUP_STATUS_REQUESTED", &profile.status_requested),
        ("CLICKUP_STATUS_NO_SHOW", &config.profile.status_no_show),
    ]
    .into_iter()
    .filter_map(|(setting, name)| Some((setting, name.as_deref()?)))
    .collect();
    let mut findings: Vec<Finding> = lists
        .iter()
        .filter_map(|list| lacking(list, &wanted))
        .collect();
    if findings.is_empty() && !lists.is_empty() && !wanted.is_empty() {
        let names: Vec<String> = wanted.iter().map(|(_, name)| format!("`{name}`")).collect();
        findings.push(ok(CHECK, format!("every list has {}", names.join(", "))));
    }
    for (setting, names) in [
        ("CLICKUP_STATUS_KEEP", &profile.status_keep),
        ("CLICKUP_STATUS_REOPEN", &profile.status_reopen),
    ] {
        for name in names {
            if !lists.is_empty() && !lists.iter().any(|list| has(list, name)) {
                findings.push(warn(
                    CHECK,
                    format!("no list has a status `{name}`, which {setting} names"),
                    format!(
                        "correct the name in {setting}, or take it out; {}",
                        having(lists)
                    ),
                ));
            }
        }
    }
    findings
}

fn lacking(list: &Surveyed, wanted: &[(&str, &str)]) -> Option<Finding> {
    let missing: Vec<&(&str, &str)> = wanted.iter().filter(|(_, name)| !has(list, name)).collect();
    if missing.is_empty() {
        return None;
    }
    let names: Vec<String> = missing
        .iter()
        .map(|(_, name)| format!("`{name}`"))
        .collect();
    let settings: Vec<&str> = missing.iter().map(|(setting, _)| *setting).collect();
    Some(fail(
        "status",
        format!(
            "list {} has no status {}; it has {}",
            named(list),
            names.join(" and no "),
            list.statuses.join(", ")
        ),
        format!(
            "add it to that list at ClickUp, or set {} to a status that every list has (or to off)",
            settings.join(" and ")
        ),
    ))
}

fn having(lists: &[Surveyed]) -> String {
    let each: Vec<String> = lists
        .iter()
        .map(|list| format!("{} has {}", list.name, list.statuses.join(", ")))
        .collect();
    each.join("; ")
}

fn has(list: &Surveyed, status: &str) -> bool {
    let folded = |name: &str| name.trim().to_lowercase();
    list.statuses.iter().any(|it| folded(it) == folded(status))
}
