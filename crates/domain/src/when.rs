//! Times as people read them: weekday, day, 24 hours, the zone's IANA name.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// "Thu 10 Sep 2026, 16:00–16:30 Europe/Stockholm". A zone that is unknown here reads as UTC.
pub fn span(start: Timestamp, end: Timestamp, zone: &str) -> String {
    let (zone, name) = named(zone);
    let (from, to) = (start.to_zoned(zone.clone()), end.to_zoned(zone));
    let begin = from.strftime("%a %-d %b %Y, %H:%M");
    if from.date() == to.date() {
        format!("{begin}–{} {name}", to.strftime("%H:%M"))
    } else {
        format!("{begin}–{} {name}", to.strftime("%a %-d %b %Y, %H:%M"))
    }
}

/// "Thu 10 Sep 2026, 16:00 Europe/Stockholm".
pub fn moment(at: Timestamp, zone: &str) -> String {
    let (zone, name) = named(zone);
    let at = at.to_zoned(zone);
    format!("{} {name}", at.strftime("%a %-d %b %Y, %H:%M"))
}

/// The span in the first zone and in the second, if that is another one; the day is not said twice.
/// "Thu 10 Sep 2026, 16:00–16:30 Europe/Stockholm (15:00–15:30 Europe/London)".
pub fn both(start: Timestamp, end: Timestamp, first: &str, second: &str) -> String {
    let here = span(start, end, first);
    if second.trim().is_empty() || named(second).1 == named(first).1 {
        return here;
    }
    let there = span(start, end, second);
    let day = here.split_once(", ").map_or("", |(day, _)| day);
    let short = there
        .strip_prefix(day)
        .and_then(|rest| rest.strip_prefix(", "));
    format!("{here} ({})", short.unwrap_or(&there))
}

fn named(zone: &str) -> (TimeZone, String) {
    match TimeZone::get(zone.trim()) {
        Ok(tz) => {
            let name = tz.iana_name().unwrap_or("UTC").to_owned();
            (tz, name)
        }
        Err(_) => (TimeZone::UTC, "UTC".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reads_in_its_zone_across_days_and_dst() {
        let at = |s: &str| s.parse::<Timestamp>().unwrap();
        for (start, end, zone, reads) in [
            (
                "2026-09-10T14:00:00Z",
                "2026-09-10T14:30:00Z",
                "Europe/Stockholm",
                "Thu 10 Sep 2026, 16:00–16:30 Europe/Stockholm",
            ),
            (
                "2026-09-10T14:00:00Z",
                "2026-09-10T14:30:00Z",
                "Asia/Kathmandu",
                "Thu 10 Sep 2026, 19:45–20:15 Asia/Kathmandu",
            ),
            (
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
                "Europe/Berlin",
                "Sun 25 Oct 2026, 02:30–02:30 Europe/Berlin",
            ),
            (
                "2026-12-31T22:30:00Z",
                "2026-12-31T23:30:00Z",
                "Europe/Paris",
                "Thu 31 Dec 2026, 23:30–Fri 1 Jan 2027, 00:30 Europe/Paris",
            ),
            (
                "2026-09-10T14:00:00Z",
                "2026-09-10T14:30:00Z",
                "Mars/Olympus",
                "Thu 10 Sep 2026, 14:00–14:30 UTC",
            ),
        ] {
            assert_eq!(span(at(start), at(end), zone), reads);
        }
    }
}
