//! What stands in a field called "name": a person, several, a company, notes, an address.

use super::{Reading, company, fold, reading};

/// More is not looked at, of text as of its parts.
const CHARS_MAX: usize = 200;
const NAMES_MAX: usize = 4;

pub fn read(name: &str, emails: &[&str], company: Option<&str>) -> Reading {
    let mut out = Reading::default();
    let name: String = name.chars().take(CHARS_MAX).collect();
    for segment in split(&name) {
        if out.names.len() >= NAMES_MAX {
            break;
        }
        if let Some(address) = segment.split_whitespace().find(|w| is_address(w)) {
            of_address(&mut out, address);
            continue;
        }
        people(&mut out, segment);
    }
    let answered = company.map(company::key).into_iter();
    let domains = emails.iter().filter_map(|e| company::of_email(e));
    for key in answered.chain(domains).filter(|k| !k.is_empty()) {
        if !out.companies.contains(&key) {
            out.companies.push(key);
        }
    }
    spelled_out(&mut out, emails);
    out
}

fn is_address(word: &str) -> bool {
    word.split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
}

fn split(name: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let signs = [
        '|', '•', '/', '(', ')', '[', ']', ':', ';', '–', '—', '>', '<', '"', '\n', '（', '）',
        '【', '】',
    ];
    for part in name.split(signs) {
        out.extend(
            part.split(" - ")
                .flat_map(|p| p.split(" @ "))
                .map(str::trim),
        );
    }
    out.retain(|p| !p.is_empty());
    out
}

/// "Ken & Julie Watts" are two people of one family.
fn people(out: &mut Reading, segment: &str) {
    let Some((first, second)) = segment
        .split_once(" & ")
        .or_else(|| segment.split_once(" + "))
        .or_else(|| segment.split_once(" und "))
        .or_else(|| segment.split_once(" and "))
    else {
        person(out, segment);
        return;
    };
    beside(out, segment);
    let family = second
        .split_whitespace()
        .skip(1)
        .collect::<Vec<_>>()
        .join(" ");
    if first.split_whitespace().count() == 1 && !family.is_empty() {
        person(out, &format!("{first} {family}"));
    } else {
        person(out, first);
    }
    person(out, second);
}

fn person(out: &mut Reading, text: &str) {
    beside(out, text);
    out.names.extend(reading::read(text));
}

/// Any part may be the company, also one that reads as a name.
fn beside(out: &mut Reading, text: &str) {
    let key = company::key(text);
    if key.is_empty() {
        return;
    }
    let is_firm = text
        .replace('.', "")
        .split_whitespace()
        .skip(1)
        .any(|w| company::is_legal_form(&fold::fold(w)));
    if is_firm {
        out.companies.push(key);
    } else {
        out.beside.push(key);
    }
}

fn of_address(out: &mut Reading, address: &str) {
    let local = address.split('@').next().unwrap_or_default();
    out.companies.extend(company::of_email(address));
    let words = words_of(local);
    match words.as_slice() {
        [] => {}
        [one] => out.glued.push(one.clone()),
        several => out.names.extend(reading::read(&several.join(" "))),
    }
}

fn words_of(local: &str) -> Vec<String> {
    let own = local.split('+').next().unwrap_or_default();
    own.split(|c: char| !c.is_alphabetic())
        .map(fold::fold)
        .filter(|w| !w.is_empty())
        .collect()
}

/// "Mike" with mike.ross@… is Mike Ross.
fn spelled_out(out: &mut Reading, emails: &[&str]) {
    let [only] = out.names.as_slice() else { return };
    let [word] = only.words.as_slice() else {
        return;
    };
    for email in emails {
        let words = words_of(email.split('@').next().unwrap_or_default());
        let full =
            words.len() > 1 && words.iter().all(|w| w.len() > 1) && words.contains(&word.latin);
        if let Some(name) = full.then(|| reading::read(&words.join(" "))).flatten() {
            out.names.push(name);
            return;
        }
    }
}
