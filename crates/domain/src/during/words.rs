//! Single words that name a time of day, a weekday or a month, in English.

use jiff::civil::{Time, Weekday, time};

/// "9", "9:30", "3pm", "3 pm", "15.30", "15h".
pub fn clock(words: &[&str]) -> Option<(Time, usize)> {
    let word = words.first()?.trim_end_matches(['h', '.']);
    let (digits, half, mut taken) =
        match word.strip_suffix("am").or_else(|| word.strip_suffix("pm")) {
            Some(digits) => (digits, word.strip_prefix(digits), 1),
            None => (word, None, 1),
        };
    let half = half.or_else(|| {
        let next = words
            .get(1)
            .copied()
            .filter(|w| matches!(*w, "am" | "pm"))?;
        taken = 2;
        Some(next)
    });
    if half.is_none() && word == "noon" {
        return Some((time(12, 0, 0, 0), 1));
    }
    let (hour, minute) = digits.split_once([':', '.']).unwrap_or((digits, "0"));
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match half {
        Some("pm") if (1..12).contains(&hour) => hour + 12,
        Some("am") if hour == 12 => 0,
        Some(_) if !(1..=12).contains(&hour) => return None,
        _ => hour,
    };
    let hour = if hour == 24 && minute == 0 { 0 } else { hour };
    Some((Time::new(hour, minute, 0, 0).ok()?, taken))
}

pub fn weekday(word: &str) -> Option<Weekday> {
    let all = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let word = word.trim_end_matches('.');
    let word = if word.len() > 5 {
        word.trim_end_matches('s')
    } else {
        word
    };
    all.iter()
        .find(|(name, _)| word.len() >= 3 && name.starts_with(word))
        .map(|(_, day)| *day)
}

pub fn month(word: &str) -> Option<i8> {
    let all = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.trim_end_matches('.');
    let at = all
        .iter()
        .position(|name| word.len() >= 3 && name.starts_with(word))?;
    i8::try_from(at + 1).ok()
}
