//! One name as it is read: which words it has, which of them may be the family's, and what is only said around it.

use super::around::{
    NAMES_AT_THE_FRONT, NOTES, PARTICLES, PERHAPS_TITLES, ROLES, SERVANTS, SURE_ROLES, TITLES,
    generation,
};
use super::fold::{Script, bones, fold, latin, script, sound};
use super::{company, given, han};

/// More words than this are no name; the rest is not looked at.
const WORDS_MAX: usize = 7;

#[derive(Debug, Clone)]
pub struct Word {
    pub text: String,
    pub latin: String,
    pub script: Script,
    /// One, or several where there are several romanisations; none for an initial.
    pub sounds: Vec<String>,
    pub bones: Vec<String>,
    /// Full names that it may stand for.
    pub roots: &'static [u16],
    /// Its spellings are known, and no others are meant.
    pub is_read: bool,
    pub is_initial: bool,
    pub may_be_family: bool,
    /// Words written together with a hyphen share a unit.
    pub unit: u8,
}

#[derive(Debug, Clone, Default)]
pub struct Name {
    pub words: Vec<Word>,
    /// Parts between blanks (or family and given name of a script without blanks) that are no initials.
    pub full_units: u8,
    /// Names among `words` that were written as two.
    divided: u8,
    /// 1 for the elder, 2 for the younger, 3 …
    pub generation: Option<u8>,
    /// All letters in a row, begun where that is alphabetically first: the same however the name is cut into
    /// words, and whichever end comes first. One more for a Korean name.
    pub rings: Vec<String>,
    /// With the letters made one that are spelled in two ways in Korean names: for a name in hangul.
    pub loose_ring: String,
}

/// Reads a stretch of text as one person's name. `None` when it names a company or a post, or nobody.
pub fn read(text: &str) -> Option<Name> {
    let (name, left_out) = read_with(text, false)?;
    // Don Johnson, Peter Sellers, Mai Le: what is usually said around a name is one of two here.
    if left_out && super::align::is_lone(&name) {
        return read_with(text, true).map(|(name, _)| name);
    }
    Some(name)
}

/// And whether words were left out that might be names.
fn read_with(text: &str, keeps_all: bool) -> Option<(Name, bool)> {
    let mut name = Name::default();
    let (family, rest) = at_comma(text);
    let mut reader = Reader {
        has_lower: text.chars().any(char::is_lowercase),
        keeps_all,
        particles: Vec::new(),
    };
    let mut unit = 0_u8;
    let mut roles = 0;
    let mut left_out = false;
    for (part, is_family) in [(family, true), (rest, false)] {
        for piece in part.split_whitespace() {
            if piece.chars().any(|c| c.is_ascii_digit()) {
                continue;
            }
            let folded = fold(piece);
            let first = name.words.is_empty();
            // "Sr." is "Señor" before a name, and the elder after it.
            if let Some(older) = generation(&folded).filter(|_| !first) {
                name.generation = Some(older);
                continue;
            }
            if TITLES.contains(folded.as_str()) || (first && folded == "sr") {
                continue;
            }
            if PERHAPS_TITLES.contains(folded.as_str()) || NOTES.contains(folded.as_str()) {
                left_out = true;
                if !keeps_all {
                    continue;
                }
            }
            if SURE_ROLES.contains(folded.as_str()) || (company::is_legal_form(&folded) && !first) {
                return None;
            }
            roles += usize::from(ROLES.contains(folded.as_str()));
            for part in piece.split(['.', '-', '‐', '–', '·', '・', '_', '/']) {
                if !TITLES.contains(fold(part).as_str()) {
                    reader.push(&mut name, part, is_family, unit);
                }
            }
            unit = unit.saturating_add(1).min(HIGHEST_UNIT);
        }
    }
    let is_firm = name.words.iter().any(|w| company::is_firm_noun(&w.text));
    if is_firm || roles >= name.words.len() {
        return None;
    }
    left_out |= !reader.particles.is_empty();
    settle(
        &mut name,
        &reader.particles,
        !rest.is_empty() && !family.is_empty(),
    );
    Some((name, left_out))
}

/// "Ross, Mike": what stands before the comma, and after it. A suffix or degree after a comma is no given name.
fn at_comma(text: &str) -> (&str, &str) {
    let Some((before, after)) = text.split_once([',', '，', '、']) else {
        return ("", text);
    };
    let mut words = after.split_whitespace().map(fold).filter(|w| !w.is_empty());
    let says_more = words.any(|w| generation(&w).is_none() && !TITLES.contains(w.as_str()));
    if says_more && !before.trim().is_empty() {
        (before, after)
    } else {
        ("", text)
    }
}

/// More are counted as one.
const HIGHEST_UNIT: u8 = 100;

struct Reader {
    has_lower: bool,
    keeps_all: bool,
    /// With the number of words before each.
    particles: Vec<(usize, String)>,
}

impl Reader {
    fn push(&mut self, name: &mut Name, part: &str, is_family: bool, unit: u8) {
        let mut folded = fold(part);
        let written_in = script(&folded);
        if matches!(written_in, Script::Han | Script::Hangul) {
            let bare = han::without_courtesy(&folded);
            if bare.len() < folded.len() {
                folded.truncate(bare.len());
            }
        }
        if let Some(rest) = folded
            .strip_prefix("ال")
            .filter(|rest| rest.chars().count() > 2)
        {
            self.particles.push((name.words.len(), "ال".to_owned()));
            folded = String::from(rest);
        }
        if folded.is_empty() || name.words.len() >= WORDS_MAX {
            return;
        }
        let begins = name.words.is_empty() && self.particles.is_empty();
        if !self.keeps_all
            && PARTICLES.contains(folded.as_str())
            && !(begins && !is_family && NAMES_AT_THE_FRONT.contains(folded.as_str()))
        {
            self.particles.push((name.words.len(), folded));
            return;
        }
        // Servant of …: one name, written as one word or as two, with or without the article.
        if let Some(rest) = SERVANTS
            .iter()
            .find_map(|s| folded.strip_prefix(s))
            .filter(|r| r.is_empty() || r.len() > 3)
        {
            folded = format!("abd{rest}");
        }
        let before = name
            .words
            .last()
            .is_some_and(|w| w.text == "abd" || w.text == "عبد");
        if before && let Some(servant) = name.words.pop() {
            add(
                name,
                servant.text + &folded,
                servant.script,
                is_family,
                servant.unit,
                false,
            );
            name.divided += 1;
            return;
        }
        let letters = folded.chars().count();
        // Van 't Hoff.
        if letters == 1 && part.starts_with(['\'', '’']) {
            self.particles.push((name.words.len(), folded));
            return;
        }
        if letters == 1 && !matches!(written_in, Script::Han | Script::Hangul) {
            add(name, folded, written_in, is_family, unit, true);
            return;
        }
        // TJ, JP: capitals in a name that has small letters too.
        let capitals = self.has_lower && letters <= 3 && part.chars().all(char::is_uppercase);
        let vowels = folded.contains(['a', 'e', 'i', 'o', 'u', 'y']);
        if capitals && !vowels && written_in == Script::Latin {
            for c in folded.chars() {
                add(name, c.to_string(), written_in, is_family, unit, true);
            }
            return;
        }
        if matches!(written_in, Script::Han | Script::Hangul)
            && let Some(end) = han::split(&folded, written_in == Script::Hangul)
            && name.words.is_empty()
            && !is_family
        {
            let given = folded.split_off(end);
            add(name, folded, written_in, true, unit, false);
            add(
                name,
                given,
                written_in,
                false,
                unit + HIGHEST_UNIT + 1,
                false,
            );
            return;
        }
        add(name, folded, written_in, is_family, unit, false);
    }
}

fn add(
    name: &mut Name,
    text: String,
    written_in: Script,
    may_be_family: bool,
    unit: u8,
    is_initial: bool,
) {
    let spelled = latin(&text);
    let mut sounds = Vec::new();
    let mut all_bones: Vec<String> = Vec::new();
    let mut roots: &'static [u16] = &[];
    let mut is_read = false;
    if !is_initial {
        let usual = sound(&spelled);
        roots = given::roots(&text, &usual);
        all_bones = bones(&spelled, written_in);
        if written_in != Script::Latin {
            for reading in han::readings(&text) {
                sounds.push(sound(reading));
                all_bones.extend(bones(reading, Script::Latin));
                is_read = true;
            }
        }
        if !is_read || written_in == Script::Han {
            sounds.push(usual);
        }
        all_bones.sort_unstable();
        all_bones.dedup();
    }
    name.words.push(Word {
        text,
        latin: spelled,
        script: written_in,
        sounds,
        bones: all_bones,
        roots,
        is_read,
        is_initial,
        may_be_family,
        unit,
    });
}

/// What can only be said of the whole name.
fn settle(name: &mut Name, particles: &[(usize, String)], family_is_said: bool) {
    let full: Vec<usize> = (0..name.words.len())
        .filter(|i| !name.words[*i].is_initial)
        .collect();
    let mut units: Vec<u8> = full.iter().map(|i| name.words[*i].unit).collect();
    units.dedup();
    name.full_units = units.len() as u8 + name.divided;
    if !family_is_said {
        let front = full.first().copied();
        for (n, i) in full.iter().enumerate() {
            let next = full.get(n + 1).map(|j| &name.words[*j]);
            let word = &name.words[*i];
            let first_of_all = Some(*i) == front && units.len() > 1;
            // Ross Michael, Wang Xiaoming, Tóth Anna: what follows is known as a given name, and this is not.
            let leads = first_of_all
                && (han::is_family_first(&word.latin)
                    || next.is_some_and(|w| !w.roots.is_empty() && word.roots.is_empty()));
            let native = matches!(word.script, Script::Han | Script::Hangul);
            let may = if native {
                word.may_be_family || n == 0
            } else {
                !first_of_all || leads
            };
            name.words[*i].may_be_family = may;
        }
    }
    let mut joined = String::new();
    for (i, word) in name.words.iter().enumerate() {
        for (_, particle) in particles.iter().filter(|(at, _)| *at == i) {
            joined.push_str(&latin(particle));
        }
        joined.push_str(&word.latin);
    }
    name.rings.push(ring(&joined));
    name.rings.extend(korean(name));
    name.loose_ring = ring(&han::korean_given(&joined));
}

/// Family name in its usual spelling, then the rest with what is spelled in two ways made one.
fn korean(name: &Name) -> Option<String> {
    let units = name.full_units;
    let of = |word: &Word| match word.script {
        Script::Hangul => han::readings(&word.text)
            .first()
            .and_then(|r| han::korean_family(r)),
        Script::Latin => han::korean_family(&word.latin),
        _ => None,
    };
    let last = name.words.len().checked_sub(1)?;
    let at = [0, last]
        .into_iter()
        .find(|i| of(&name.words[*i]).is_some())?;
    let rest: String = (0..=last)
        .filter(|i| *i != at)
        .map(|i| name.words[i].latin.as_str())
        .collect();
    (units > 1 && rest.len() > 2).then(|| {
        format!(
            "{}:{}",
            of(&name.words[at]).unwrap_or(""),
            han::korean_given(&rest)
        )
    })
}

/// The rotation that is alphabetically first.
pub fn ring(letters: &str) -> String {
    if !letters.is_ascii() {
        return letters.to_owned();
    }
    let bytes = letters.as_bytes();
    let at = |start: usize, i: usize| bytes[(start + i) % bytes.len()];
    let mut best = 0;
    for start in 1..bytes.len() {
        let order = (0..bytes.len())
            .map(|i| at(start, i).cmp(&at(best, i)))
            .find(|o| o.is_ne());
        if order == Some(std::cmp::Ordering::Less) {
            best = start;
        }
    }
    format!("{}{}", &letters[best..], &letters[..best])
}
