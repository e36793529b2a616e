//! A phrase's words, and the single ones that name a weekday, a month or a number, in English.

use jiff::civil::{Date, Weekday};

/// In lower case. A hyphen is a word of its own, except in 2026-03-12.
pub fn split(said: &str) -> Vec<String> {
    let plain = said
        .to_lowercase()
        .replace(['–', '—', '−'], "-")
        .replace("..", " to ")
        .replace(['\'', '’'], "")
        .replace([',', ';', '?', '!', '"', '“', '”', '(', ')'], " ");
    let mut out = Vec::new();
    for word in plain.split_whitespace() {
        let word = word.trim_matches('.');
        if word.parse::<Date>().is_ok() {
            out.push(word.to_owned());
            continue;
        }
        let is_between_words =
            word.contains('/') && !word.contains(|letter: char| letter.is_ascii_digit());
        let spaced = word.replace('-', " - ");
        let spaced = if is_between_words {
            spaced.replace('/', " or ")
        } else {
            spaced
        };
        out.extend(spaced.split_whitespace().map(str::to_owned));
    }
    out
}

pub fn is_to(word: &str) -> bool {
    matches!(word, "to" | "until" | "till" | "through" | "thru" | "-")
}

/// "2", "two", "a".
pub fn count(word: &str) -> Option<i64> {
    let all = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ];
    if matches!(word, "a" | "an") {
        return Some(1);
    }
    let named = all.iter().position(|name| *name == word);
    let named = named.and_then(|at| i64::try_from(at + 1).ok());
    named.or_else(|| word.parse().ok())
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
