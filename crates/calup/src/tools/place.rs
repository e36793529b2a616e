//! Where a meeting is at the attendee's: whom the host calls, or visits.

use domain::text::one_line;
use vendors::cal::api::EventType;

use super::{Desk, Input, Trouble};

const PHONE: &str = "attendeePhone";
const ADDRESS: &str = "attendeeAddress";
const ADDRESS_CHARS_MAX: usize = 300;
/// E.164.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

#[derive(Debug, Default)]
pub struct Theirs {
    pub phone: Option<String>,
    pub address: Option<String>,
}

impl Theirs {
    /// For whoever confirms.
    pub fn told(&self) -> Option<String> {
        let phone = self.phone.as_ref().map(|it| format!("a call to {it}"));
        phone.or_else(|| Some(format!("at “{}”", self.address.as_ref()?)))
    }
}

/// Told now what is missing, rather than after somebody has confirmed: Cal.com books a call to nobody.
pub fn theirs(desk: &Desk<'_>, event_type: &EventType, input: &Input) -> Result<Theirs, Trouble> {
    let offers = |kind: &str| event_type.venues.iter().any(|it| it.kind == kind);
    let is_only = |kind: &str| offers(kind) && event_type.venues.len() == 1;
    let wrong =
        |what: &str, hint: &str| Trouble::input(format!("`{}` {what}", event_type.slug), hint);
    if let Some(phone) = input.text("phone")? {
        if !offers(PHONE) {
            let hint = "leave `phone` out, or take another event type";
            return Err(wrong("is no call to the attendee", hint));
        }
        let phone = number(phone).ok_or_else(|| {
            Trouble::input(
                "`phone` is no number with its country code",
                "send it like +46 70 123 45 67",
            )
        })?;
        return Ok(Theirs {
            phone: Some(phone),
            address: None,
        });
    }
    if let Some(address) = input.text("address")? {
        if !offers(ADDRESS) {
            let hint = "leave `address` out, or take another event type";
            return Err(wrong("is not at the attendee's", hint));
        }
        let address = desk.sayable(&one_line(address, ADDRESS_CHARS_MAX));
        return Ok(Theirs {
            phone: None,
            address: Some(address),
        });
    }
    if is_only(PHONE) {
        let hint = "ask the user for it, and give `phone`";
        return Err(wrong(
            "is a call to the attendee, and wants their number",
            hint,
        ));
    }
    if is_only(ADDRESS) {
        let hint = "ask the user for it, and give `address`";
        return Err(wrong("is at the attendee's, and wants an address", hint));
    }
    Ok(Theirs::default())
}

fn number(phone: &str) -> Option<String> {
    // The zero that is dialled within the country only.
    let phone = phone.replace("(0)", "");
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let is_plain = |c: char| c.is_ascii_digit() || " -()./+".contains(c);
    let is_one = phone.trim().starts_with('+')
        && phone.trim().chars().all(is_plain)
        && DIGITS.contains(&digits.len());
    is_one.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_sent_without_what_people_write_between_its_digits() {
        assert_eq!(
            number("+46 (70) 123-45 67").as_deref(),
            Some("+46701234567")
        );
        assert_eq!(number("+46 (0)70 1234567").as_deref(), Some("+46701234567"));
        for wrong in [
            "070 123 45 67",
            "+46",
            "+46 70 call me",
            "+1234567890123456",
        ] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}
