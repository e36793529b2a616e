//! What a refusal means, by ECODE and never by text (texts vary, and may carry people's data).

use domain::outcome::{Cause, Failure};
use reqwest::StatusCode;
use serde_json::Value;

/// A failure of an answered call. `repeatable` says whether it may be sent again at will.
pub fn failure(what: &str, status: u16, body: &[u8], repeatable: bool) -> Failure {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let code = code(body);
    let shown = match &code {
        Some(code) => format!("clickup answered {} {code}", status.as_u16()),
        None => format!("clickup answered {}", status.as_u16()),
    };
    let what = format!("{what}: {shown}");
    let Some(code) = code else {
        // No error of ClickUp's own: a gateway's page, a redirect, something between us.
        return match status.as_u16() {
            401 | 403 => Failure::NeedsOperator {
                what,
                hint: TOKEN.into(),
            },
            404 if repeatable => Failure::Transient { what },
            _ if repeatable => Failure::Transient { what },
            _ => Failure::Unknown { what },
        };
    };
    if status.is_server_error() || status.is_redirection() || matches!(status.as_u16(), 408 | 499) {
        return if repeatable {
            Failure::Transient { what }
        } else {
            Failure::Unknown { what }
        };
    }
    of_code(what, status, &code)
}

const TOKEN: &str =
    "make a new token at ClickUp (Settings → Apps) and put it into CLICKUP_API_TOKEN";
const WORKSPACE: &str = "let the token's user into the workspace, or correct CLICKUP_TEAM_ID";
const RIGHTS: &str = "give the token's user the right to see and edit the lists";
const ROUTE: &str =
    "correct CLICKUP_API_URL; it is https://api.clickup.com/api unless you run a stand-in";

fn of_code(what: String, status: StatusCode, code: &str) -> Failure {
    let needs = |hint: &str| Failure::NeedsOperator {
        what: what.clone(),
        hint: hint.to_owned(),
    };
    let refused = |cause: Cause| Failure::Refused {
        what: what.clone(),
        cause,
    };
    match code {
        "OAUTH_023" | "OAUTH_026" | "OAUTH_027" => needs(WORKSPACE),
        _ if code.starts_with("OAUTH_0")
            && code[6..]
                .parse::<u32>()
                .is_ok_and(|n| (29..=45).contains(&n)) =>
        {
            needs(WORKSPACE)
        }
        _ if code.starts_with("OAUTH_") => needs(TOKEN),
        "ITEM_013" | "ITEM_015" | "ACCESS_999" if status == StatusCode::NOT_FOUND => {
            Failure::Gone { what }
        }
        "ITEM_013" => Failure::Gone { what },
        "APP_001" => needs(ROUTE),
        _ if code.starts_with("ACCESS_") => needs(RIGHTS),
        "CRTSK_001" | "ITEM_114" => refused(Cause::Status),
        "FIELD_033" => refused(Cause::Quota),
        "ITEM_246" => refused(Cause::Type),
        _ if code.starts_with("FIELD_") => refused(Cause::Field),
        _ if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN => needs(RIGHTS),
        _ if status == StatusCode::NOT_FOUND => Failure::Gone { what },
        _ => refused(Cause::Other),
    }
}

/// The ECODE of an error body, if it has the form of one.
fn code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let code = body.get("ECODE")?.as_str()?;
    let is_one = code.len() <= 32
        && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && code.is_ascii();
    is_one.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: u16, code: &str, repeatable: bool) -> String {
        let body = format!("{{\"err\":\"secret text of ann@x.example\",\"ECODE\":\"{code}\"}}");
        let failure = failure("x", status, body.as_bytes(), repeatable);
        assert!(!failure.to_string().contains("ann@"), "{failure}");
        match failure {
            Failure::Refused { cause, .. } => format!("refused {cause:?}"),
            Failure::NeedsOperator { hint, .. } => {
                if hint == TOKEN {
                    "token".into()
                } else if hint == WORKSPACE {
                    "workspace".into()
                } else {
                    "rights".into()
                }
            }
            Failure::Gone { .. } => "gone".into(),
            Failure::Transient { .. } => "again".into(),
            Failure::Unknown { .. } => "unknown".into(),
            Failure::Limited { .. } => "limited".into(),
        }
    }

    #[test]
    fn each_code_has_its_class() {
        for (status, code, repeatable, expected) in [
            (401, "OAUTH_025", true, "token"),
            (401, "OAUTH_019", false, "token"),
            (400, "OAUTH_027", true, "workspace"),
            (403, "OAUTH_033", true, "workspace"),
            (401, "ACCESS_083", true, "rights"),
            (404, "ITEM_013", true, "gone"),
            (404, "ACCESS_999", true, "gone"),
            (400, "CRTSK_001", false, "refused Status"),
            (400, "ITEM_114", false, "refused Status"),
            (400, "FIELD_033", false, "refused Quota"),
            (400, "FIELD_115", false, "refused Field"),
            (400, "ITEM_246", false, "refused Type"),
            (400, "INPUT_003", false, "refused Other"),
            (500, "ITEMV2_003", true, "again"),
            (500, "ERROR_HANDLER", false, "unknown"),
        ] {
            assert_eq!(class(status, code, repeatable), expected, "{code}");
        }
    }

    #[test]
    fn a_gateway_s_page_leaves_a_write_unknown_and_a_read_to_be_repeated() {
        for status in [302, 404, 408, 499, 502, 504] {
            assert!(
                matches!(
                    failure("x", status, b"<html>", false),
                    Failure::Unknown { .. }
                ),
                "{status}"
            );
            assert!(
                matches!(
                    failure("x", status, b"<html>", true),
                    Failure::Transient { .. }
                ),
                "{status}"
            );
        }
    }
}
