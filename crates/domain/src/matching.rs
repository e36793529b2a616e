//! Which of several records is the person's.

use crate::change::fold_email;
use crate::lead::Lead;
use crate::profile::Profile;

/// The record whose e-mail field equals the address exactly (trimmed, case-folded). A match list outranks the
/// inbound list; among several the most recently updated, on a tie the longer, then the last id.
pub fn choose<'a>(leads: &'a [Lead], email: &str, profile: &Profile) -> Option<&'a Lead> {
    let wanted = fold_email(email);
    let rank = |lead: &Lead| {
        if profile.match_list_ids.contains(&lead.list_id) {
            Some(1)
        } else {
            (profile.inbound_list_id == lead.list_id).then_some(0)
        }
    };
    leads
        .iter()
        .filter(|l| l.emails.iter().any(|e| fold_email(e) == wanted))
        .filter_map(|l| rank(l).map(|r| (r, l)))
        .max_by_key(|(r, l)| (*r, l.updated_at, l.id.len(), l.id.clone()))
        .map(|(_, l)| l)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lead::StatusKind;
    use jiff::Timestamp;

    fn lead(id: &str, list: &str, email: &str, updated_ms: i64) -> Lead {
        Lead {
            id: id.into(),
            list_id: list.into(),
            list_name: list.into(),
            name: String::new(),
            status: "to do".into(),
            status_kind: StatusKind::Open,
            description: String::new(),
            description_is_plain: false,
            emails: vec![email.into()],
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::from_millisecond(updated_ms).unwrap(),
            url: None,
            ours: false,
        }
    }

    #[test]
    fn the_best_record_is_exact_then_on_a_match_list_then_newest() {
        let profile = Profile {
            match_list_ids: vec!["brokers".into(), "sellers".into()],
            inbound_list_id: "inbound".into(),
            ..Profile::default()
        };
        let leads = [
            lead("contains", "brokers", "xjordan@h.example", 99),
            lead("inbound", "inbound", "jordan@h.example", 50),
            lead("older", "brokers", " Jordan@H.example ", 1),
            lead("newer", "sellers", "jordan@h.example", 2),
            lead("elsewhere", "archive", "jordan@h.example", 98),
        ];
        let best =
            |leads: &[Lead]| choose(leads, "JORDAN@h.example", &profile).map(|l| l.id.clone());
        assert_eq!(best(&leads).as_deref(), Some("newer"));
        assert_eq!(best(&leads[..2]).as_deref(), Some("inbound"));
        assert_eq!(best(&leads[..1]), None);
        let tie = [
            lead("86b9", "brokers", "jordan@h.example", 1),
            lead("86b10", "brokers", "jordan@h.example", 1),
        ];
        assert_eq!(best(&tie).as_deref(), Some("86b10"));
    }
}
