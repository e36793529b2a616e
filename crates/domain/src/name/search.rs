//! Tokens that two names share when they are worth asking about. One names a word's consonants and how another word
//! of the name begins, so that neither "Smith" nor "John" alone leads to everybody.

use std::collections::BTreeSet;

use super::align::{initial_and_family, is_lone};
use super::reading::{Name, Word, ring};
use super::{Reading, company, given};

/// From this length on a word may be one letter off.
const LONG: usize = 6;

pub fn tokens(reading: &Reading) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for name in &reading.names {
        if !is_lone(name) {
            of_words(name, &mut out);
            // Abdul Karim is two words, and one name.
            if let [word] = name.words.as_slice() {
                out.insert(format!("s:{}", word.text));
            }
            let rings = name.rings.iter().chain([&name.loose_ring]);
            out.extend(rings.map(|r| format!("r:{r}")));
            out.extend(initial_and_family(name).iter().map(|g| format!("a:{g}")));
        }
        let companies = reading.companies.iter().chain(&reading.beside);
        for stem in companies.map(|c| company::stem(c)) {
            for word in name
                .words
                .iter()
                .filter(|w| (w.may_be_family || is_lone(name)) && w.roots.is_empty())
            {
                out.extend(word.bones.iter().map(|b| format!("c:{b}:{stem}")));
            }
        }
    }
    for glued in &reading.glued {
        out.insert(format!("a:{glued}"));
        out.insert(format!("r:{}", ring(glued)));
    }
    out
}

/// Tokens under which somebody is found who is looked for by any part of a name: "Mike" leads to Michael Ross.
pub fn parts(reading: &Reading) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let words = reading.names.iter().flat_map(|name| &name.words);
    for word in words.filter(|word| !word.is_initial) {
        out.insert(format!("f:{}", word.text));
        out.insert(format!("f:{}", word.latin));
        out.extend(word.roots.iter().take(4).map(|root| format!("g:{root}")));
    }
    out
}

fn of_words(name: &Name, out: &mut BTreeSet<String>) {
    for (i, word) in name.words.iter().enumerate() {
        for (_, beside) in name.words.iter().enumerate().filter(|(j, _)| *j != i) {
            for begins in beginnings(beside) {
                out.extend(word.bones.iter().map(|b| format!("w:{b}:{begins}")));
                for sound in word.sounds.iter().filter(|s| s.len() >= LONG) {
                    out.insert(format!("h:{}:{begins}", head(sound)));
                    out.insert(format!("t:{}:{begins}", tail(sound)));
                }
            }
        }
    }
}

/// The letters that whatever the word may be paired with begins with, in one of its readings.
fn beginnings(word: &Word) -> BTreeSet<char> {
    let sounds = word.sounds.iter().chain(&word.bones).chain([&word.latin]);
    let roots = word.roots.iter().map(|r| given::initial(*r));
    sounds
        .filter_map(|s| s.chars().next())
        .chain(roots)
        .collect()
}

pub fn head(sound: &str) -> &str {
    &sound[..3.min(sound.len())]
}

pub fn tail(sound: &str) -> &str {
    &sound[sound.len().saturating_sub(3)..]
}
