//! ClickUp: the token, its clock, the workspace and what is in it. What a list should have is judged in `lists`.

use std::time::Instant;

use jiff::Timestamp;
use vendors::clickup::ClickUp;
use vendors::clickup::survey::{Reached, SeenField, Surveyed, User, Workspace};

use super::{CLICKUP, Finding, fail, lists, of_failure, ok, warn};
use crate::config::Config;
use crate::shared::Shared;
use crate::{app, clock};

const SKEW_SECONDS_MAX: i64 = 60;

/// A workspace that is in order as far as a probe needs it.
pub struct Ground {
    pub clickup: ClickUp,
    pub workspace: Workspace,
    pub inbound: Surveyed,
    pub match_list_ids: Vec<String>,
}

pub async fn examine(config: &Config) -> (Vec<Finding>, Option<Ground>) {
    let clickup = match app::clickup(config, &Shared::default()) {
        Ok(Some(clickup)) => clickup,
        Ok(None) => return (vec![no_token()], None),
        Err(failure) => return (vec![of_failure("token", &failure, &CLICKUP)], None),
    };
    let begun = Instant::now();
    let reached = clickup.reach().await;
    let took_ms = begun.elapsed().as_millis();
    let mut findings = vec![token(&reached, took_ms)];
    findings.extend(reached.clock.map(|theirs| time(clock::now(), theirs)));
    if reached.user.is_err() {
        findings.push(warn(
            "workspace",
            "the workspace, its lists, fields and statuses were not looked at, because ClickUp could not be asked",
            "run this again once the token works",
        ));
        return (findings, None);
    }
    let (seen, workspace) = match clickup.workspaces().await {
        Ok(seen) => {
            let (finding, chosen) = choose(config.clickup.team_id.as_deref(), &seen);
            findings.push(finding);
            (seen, chosen)
        }
        Err(failure) => {
            findings.push(of_failure("workspace", &failure, &CLICKUP));
            (Vec::new(), None)
        }
    };
    let surveyed = survey(&clickup, config, &mut findings).await;
    if let Some(workspace) = &workspace
        && seen.len() > 1
    {
        findings.extend(strangers(&clickup, workspace, &seen, &surveyed).await);
    }
    let elsewhere = elsewhere(&clickup, workspace.as_ref(), &surveyed).await;
    findings.extend(lists::emails(
        &config.clickup.email_field,
        &surveyed,
        &elsewhere,
    ));
    findings.extend(lists::statuses(config, &surveyed));
    if let Some(workspace) = &workspace {
        findings.extend(search(&clickup, workspace, &surveyed).await);
    }
    let profile = &config.profile;
    let inbound = surveyed
        .into_iter()
        .find(|it| it.id == profile.inbound_list_id);
    let ground = workspace.zip(inbound).map(|(workspace, inbound)| Ground {
        clickup,
        workspace,
        inbound,
        match_list_ids: profile.match_list_ids.clone(),
    });
    (findings, ground)
}

fn no_token() -> Finding {
    fail(
        "token",
        "no ClickUp token is set: deliveries are kept, and nothing is written",
        "make one at ClickUp (Settings → Apps) and put it into CLICKUP_API_TOKEN",
    )
}

fn token(reached: &Reached, took_ms: u128) -> Finding {
    match &reached.user {
        Ok(User { id, name }) => {
            // A name may be an address, which is nobody's business here.
            let whose = if name.is_empty() || name.contains('@') {
                format!("user {id}")
            } else {
                format!("{name} ({id})")
            };
            ok(
                "token",
                format!("ClickUp answers in {took_ms} ms and takes the token, which is {whose}'s"),
            )
        }
        Err(failure) => of_failure("token", failure, &CLICKUP),
    }
}

fn time(ours: Timestamp, theirs: Timestamp) -> Finding {
    let apart = ours.duration_since(theirs).as_secs();
    let says = match apart {
        // Their clock shows whole seconds.
        -1..=1 => "this machine's clock agrees with ClickUp's".to_owned(),
        2.. => format!("this machine's clock is {apart} s ahead of ClickUp's"),
        _ => format!("this machine's clock is {} s behind ClickUp's", -apart),
    };
    if apart.abs() > SKEW_SECONDS_MAX {
        warn(
            "clock",
            says,
            "let the system set its clock by NTP (timedatectl set-ntp true)",
        )
    } else {
        ok("clock", says)
    }
}

fn choose(wanted: Option<&str>, seen: &[Workspace]) -> (Finding, Option<Workspace>) {
    const CHECK: &str = "workspace";
    let named = |it: &Workspace| format!("{} ({})", it.name, it.id);
    let all: Vec<String> = seen.iter().map(named).collect();
    let all = all.join(", ");
    let found = match wanted {
        Some(id) => seen.iter().find(|it| it.id == id),
        None => seen.first().filter(|_| seen.len() == 1),
    };
    if let Some(found) = found {
        return (
            ok(CHECK, format!("the workspace is {}", named(found))),
            Some(found.clone()),
        );
    }
    let finding = match (wanted, seen) {
        (_, []) => fail(
            CHECK,
            "the token sees no workspace",
            "invite the token's user into the workspace at ClickUp",
        ),
        (Some(id), _) => fail(
            CHECK,
            format!(
                "CLICKUP_TEAM_ID is {id}, and the token does not see such a workspace, only {all}"
            ),
            "set CLICKUP_TEAM_ID to the id of one of these, or use a token that sees the other",
        ),
        (None, _) => fail(
            CHECK,
            format!("the token sees several workspaces: {all}"),
            "set CLICKUP_TEAM_ID to the id of the one to use",
        ),
    };
    (finding, None)
}

/// Each list of the settings once; those that cannot be read become findings.
async fn survey(clickup: &ClickUp, config: &Config, findings: &mut Vec<Finding>) -> Vec<Surveyed> {
    let profile = &config.profile;
    let mut ids: Vec<&str> = Vec::new();
    for id in profile
        .match_list_ids
        .iter()
        .chain([&profile.inbound_list_id])
    {
        if !id.is_empty() && !ids.contains(&id.as_str()) {
            ids.push(id);
        }
    }
    let mut surveyed = Vec::new();
    for id in ids {
        match clickup.survey(id).await {
            Ok(list) => surveyed.push(list),
            Err(failure) => findings.push(of_failure("list", &failure, &CLICKUP)),
        }
    }
    findings.extend(surveyed.iter().filter_map(lists::rights));
    let names: Vec<String> = surveyed.iter().map(lists::named).collect();
    if !names.is_empty() {
        findings.push(ok(
            "list",
            format!("the token is shown {}", names.join(", ")),
        ));
    }
    surveyed
}

/// Lists of another workspace than the one that is searched: nobody in them would ever be found.
async fn strangers(
    clickup: &ClickUp,
    workspace: &Workspace,
    seen: &[Workspace],
    lists: &[Surveyed],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let own = match clickup.spaces(&workspace.id).await {
        Ok(own) => own,
        Err(failure) => return vec![of_failure("list", &failure, &CLICKUP)],
    };
    for other in seen.iter().filter(|it| it.id != workspace.id) {
        let is_stranger = |list: &&Surveyed| {
            list.space
                .as_ref()
                .is_some_and(|space| !own.contains(space))
        };
        if !lists.iter().any(|list| is_stranger(&list)) {
            break;
        }
        let Ok(spaces) = clickup.spaces(&other.id).await else {
            continue;
        };
        for list in lists.iter().filter(is_stranger) {
            if list
                .space
                .as_ref()
                .is_some_and(|space| spaces.contains(space))
            {
                findings.push(fail(
                    "list",
                    format!(
                        "list {} is in workspace {} ({}), but CLICKUP_TEAM_ID is {}: nobody in it is found",
                        lists::named(list), other.name, other.id, workspace.id
                    ),
                    "use lists of one workspace, and set CLICKUP_TEAM_ID to its id",
                ));
            }
        }
    }
    findings
}

/// Fields of the whole workspace, asked for only where a list lacks the e-mail field.
async fn elsewhere(
    clickup: &ClickUp,
    workspace: Option<&Workspace>,
    lists: &[Surveyed],
) -> Vec<SeenField> {
    let lacks = |list: &Surveyed| !list.fields.iter().any(|field| field.is_named);
    match workspace {
        // It only makes a hint better: a failure leaves it as it is.
        Some(it) if lists.iter().any(lacks) => {
            clickup.workspace_fields(&it.id).await.unwrap_or_default()
        }
        Some(_) | None => Vec::new(),
    }
}

/// The query that every booking of somebody unknown begins with, for an address that nobody has.
async fn search(clickup: &ClickUp, workspace: &Workspace, lists: &[Surveyed]) -> Vec<Finding> {
    const CHECK: &str = "search";
    let mut findings = Vec::new();
    for (field, on) in lists::fields(lists) {
        let ids: Vec<String> = on.iter().map(|list| list.id.clone()).collect();
        let begun = Instant::now();
        let found = clickup.hits_of_nobody(&workspace.id, &field.id, &ids).await;
        let took_ms = begun.elapsed().as_millis();
        findings.push(match found {
            Ok(0) => ok(CHECK, format!("a search by e-mail answers in {took_ms} ms")),
            Ok(hits) => warn(
                CHECK,
                format!("a search for an address that nobody has gives {hits} leads: ClickUp does not filter by field {}", field.id),
                "bookings are matched all the same, more slowly; check that the field is of type Email",
            ),
            Err(failure) => of_failure(CHECK, &failure, &CLICKUP),
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_clock_that_is_more_than_a_minute_off_is_told() {
        let ours: Timestamp = "2026-11-26T10:00:00Z".parse().expect("a time");
        for (apart, state, says) in [
            (0, State::Ok, "agrees"),
            (-1, State::Ok, "agrees"),
            (60, State::Ok, "60 s ahead"),
            (61, State::Warn, "61 s ahead"),
            (-61, State::Warn, "61 s behind"),
        ] {
            let finding = time(ours, ours - jiff::SignedDuration::from_secs(apart));
            assert_eq!(finding.state, state, "{apart}");
            assert!(finding.says.contains(says), "{}", finding.says);
        }
    }

    #[test]
    fn the_workspace_is_the_one_that_is_named_or_the_only_one() {
        let it = |id: &str| Workspace {
            id: id.into(),
            name: format!("W{id}"),
        };
        for (wanted, seen, chosen, says) in [
            (None, vec![it("1")], Some(it("1")), "W1 (1)"),
            (Some("2"), vec![it("1"), it("2")], Some(it("2")), "W2 (2)"),
            (
                None,
                vec![it("1"), it("2")],
                None,
                "several workspaces: W1 (1), W2 (2)",
            ),
            (Some("3"), vec![it("1")], None, "only W1 (1)"),
            (None, vec![], None, "no workspace"),
        ] {
            let (finding, found) = choose(wanted, &seen);
            assert_eq!(found, chosen, "{wanted:?}");
            assert_eq!(finding.state == State::Ok, chosen.is_some());
            assert!(finding.says.contains(says), "{}", finding.says);
        }
    }
}
