//! Two readings against each other: which word is which, and what that comes to.

use super::evidence::{Evidence, How, Resemblance};
use super::fold::Script;
use super::reading::{Name, Word};
use super::{Reading, company};

const OTHER_MIDDLE: i32 = -35;
const OTHER_FAMILY: i32 = -60;
const SAME_COMPANY: i32 = 20;
const OTHER_COMPANY: i32 = -10;
/// What a further name that agrees adds.
const FURTHER: i32 = 3;

/// A given name, and how the family name begins.
const INITIAL_FAMILY: i32 = 45;
/// The longer, the less likely that another name is meant.
const VERY_LONG_FAMILY: usize = 9;
const VERY_LONG: i32 = 7;

/// A shorter word that is one letter off is as likely another word.
const LONG_FAMILY: usize = 7;
const LONG_GIVEN: usize = 6;
/// Fewer consonants are too many names.
const BONES_MIN: usize = 3;
const RING_MIN: usize = 5;
const CUT_MIN: usize = 4;

pub fn compare(booker: &Reading, other: &Reading) -> Resemblance {
    let at_one_company = shares_company(booker, other);
    let names = booker.names.iter().flat_map(|a| {
        other
            .names
            .iter()
            .map(move |b| of_names(a, b, at_one_company))
    });
    let addresses = glued(booker, other, at_one_company)
        .into_iter()
        .chain(glued(other, booker, at_one_company));
    let Some((mut points, mut evidence)) = names.chain(addresses).max_by_key(|(points, _)| *points)
    else {
        return Resemblance::default();
    };
    if points > 0 && at_one_company {
        points += SAME_COMPANY;
        evidence.push(Evidence::SameCompany);
    } else if points > 0 && !booker.companies.is_empty() && !other.companies.is_empty() {
        points += OTHER_COMPANY;
        evidence.push(Evidence::OtherCompany);
    }
    Resemblance::new(points, evidence)
}

fn shares_company(a: &Reading, b: &Reading) -> bool {
    let any =
        |x: &[String], y: &[String]| x.iter().any(|x| y.iter().any(|y| company::is_same(x, y)));
    any(&a.companies, &b.companies) || any(&a.companies, &b.beside) || any(&a.beside, &b.companies)
}

type Judged = (i32, Vec<Evidence>);
const NOTHING: Judged = (0, Vec::new());

fn of_names(a: &Name, b: &Name, at_one_company: bool) -> Judged {
    if let (Some(x), Some(y)) = (a.generation, b.generation)
        && x != y
    {
        return (0, vec![Evidence::OtherGeneration]);
    }
    if is_lone(a) || is_lone(b) {
        return if at_one_company {
            family_only(a, b)
        } else {
            NOTHING
        };
    }
    if has_same_words(a, b) {
        return (95, vec![Evidence::SameNames]);
    }
    if has_same_ring(a, b) {
        return (90, vec![Evidence::SameLetters]);
    }
    aligned(a, b, at_one_company)
}

/// One name and not so much as an initial beside it.
pub fn is_lone(name: &Name) -> bool {
    let initials = name.words.iter().any(|w| w.is_initial);
    name.full_units == 0 || (name.full_units == 1 && !initials)
}

fn has_same_words(a: &Name, b: &Name) -> bool {
    fn sorted(name: &Name) -> Vec<&str> {
        let mut all: Vec<&str> = name.words.iter().map(|w| w.text.as_str()).collect();
        all.sort_unstable();
        all
    }
    a.words.len() == b.words.len() && sorted(a) == sorted(b)
}

fn has_same_ring(a: &Name, b: &Name) -> bool {
    let script = |name: &Name| name.words.first().map_or(Script::Latin, |w| w.script);
    // Among Chinese characters, and among syllables of hangul, the same sound is no evidence.
    if script(a) == script(b) && script(a) != Script::Latin {
        return false;
    }
    let is_korean = script(a) == Script::Hangul || script(b) == Script::Hangul;
    let is_shared = |r: &String| r.len() >= RING_MIN && b.rings.contains(r);
    a.rings.iter().any(is_shared) || (is_korean && a.loose_ring == b.loose_ring)
}

/// A family name without a given one says something only within one company.
fn family_only(a: &Name, b: &Name) -> Judged {
    let (lone, full) = if is_lone(a) { (a, b) } else { (b, a) };
    let [word] = lone.words.as_slice() else {
        return NOTHING;
    };
    if !word.roots.is_empty() || is_lone(full) {
        return NOTHING;
    }
    let hit = full
        .words
        .iter()
        .filter(|w| w.may_be_family && w.roots.is_empty())
        .filter_map(|w| how(word, w))
        .find(|how| matches!(how, How::Same | How::OtherSpelling | How::OtherScript));
    hit.map_or(NOTHING, |how| {
        (how.family_points(), vec![Evidence::FamilyOnly(how)])
    })
}

/// An address like mross@ or mikeross@.
fn glued(named: &Reading, address: &Reading, at_one_company: bool) -> Option<Judged> {
    let spelled = |name: &Name, glued: &String| {
        let in_full = name.rings.contains(&super::reading::ring(glued));
        let abbreviated = at_one_company && initial_and_family(name).contains(glued);
        !is_lone(name) && (in_full || abbreviated)
    };
    let mut pairs = named
        .names
        .iter()
        .flat_map(|n| address.glued.iter().map(move |g| (n, g)));
    pairs
        .any(|(n, g)| spelled(n, g))
        .then(|| (70, vec![Evidence::Address]))
}

/// "mross" for Mike Ross.
pub fn initial_and_family(name: &Name) -> Vec<String> {
    let Some(first) = name.words.first() else {
        return Vec::new();
    };
    let family = name
        .words
        .iter()
        .skip(1)
        .filter(|w| w.may_be_family && !w.is_initial);
    family
        .filter_map(|w| Some(format!("{}{}", first.latin.chars().next()?, w.latin)))
        .collect()
}

struct Pair {
    a: usize,
    b: usize,
    how: How,
}

fn aligned(a: &Name, b: &Name, at_one_company: bool) -> Judged {
    let pairs = pair_up(a, b);
    let both_may = |p: &Pair| a.words[p.a].may_be_family && b.words[p.b].may_be_family;
    let strong = pairs.iter().filter(|p| p.how.is_strong());
    let Some(family) = strong.max_by_key(|p| (both_may(p), p.how, p.a + p.b)) else {
        return NOTHING;
    };
    let left_a: Vec<usize> = unpaired(a, pairs.iter().map(|p| p.a));
    let left_b: Vec<usize> = unpaired(b, pairs.iter().map(|p| p.b));
    let unit_differs = |p: &&Pair| {
        let (x, y) = (a.words[p.a].unit, b.words[p.b].unit);
        left_a.iter().any(|i| a.words[*i].unit == x) && left_b.iter().any(|i| b.words[*i].unit == y)
    };
    let apart_from_family = |p: &&Pair| {
        !std::ptr::eq(*p, family)
            && (a.words[p.a].unit != a.words[family.a].unit
                || b.words[p.b].unit != b.words[family.b].unit)
    };
    let mut given: Vec<&Pair> = pairs
        .iter()
        .filter(apart_from_family)
        .filter(|p| !unit_differs(p))
        .collect();
    given.sort_by_key(|p| std::cmp::Reverse(p.how.given_points()));
    let mut evidence = vec![Evidence::Family(family.how)];
    let Some(best) = given.first() else {
        if at_one_company && both_may(family) && (is_unread(a, family.a) || is_unread(b, family.b))
        {
            return (
                family.how.family_points(),
                vec![Evidence::FamilyOnly(family.how)],
            );
        }
        return (0, evidence);
    };
    evidence.push(Evidence::Given(best.how));
    let mut points =
        family.how.family_points() + best.how.given_points() + FURTHER * (given.len() as i32 - 1);
    let is_full = |name: &Name, i: &usize| !name.words[*i].is_initial;
    if best.how == How::Initial {
        // "M. Ross" and "Ross Miller": an initial is evidence only beside a family name in its place.
        let other_given =
            left_a.iter().any(|i| is_full(a, i)) || left_b.iter().any(|i| is_full(b, i));
        if other_given {
            return (0, evidence);
        }
        if !both_may(family) {
            // "Mike R." says so much only within one company.
            let evidence = vec![Evidence::Given(family.how), Evidence::Family(How::Initial)];
            let is_family = a.words[best.a].may_be_family || b.words[best.b].may_be_family;
            let tells = at_one_company && is_family && family.how == How::Same;
            return (if tells { INITIAL_FAMILY } else { 0 }, evidence);
        }
    }
    if family.how == How::OneLetterOff
        && a.words[family.a]
            .latin
            .len()
            .min(b.words[family.b].latin.len())
            >= VERY_LONG_FAMILY
    {
        points += VERY_LONG;
    }
    if !left_a.is_empty() && !left_b.is_empty() {
        let after = |left: &[usize], at: usize| left.iter().any(|i| *i > at);
        let (cost, why) = if after(&left_a, family.a) && after(&left_b, family.b) {
            (OTHER_FAMILY, Evidence::OtherFamilyName)
        } else {
            (OTHER_MIDDLE, Evidence::OtherMiddleName)
        };
        points += cost;
        evidence.push(why);
    }
    (points, evidence)
}

/// Chinese characters of a Japanese name: the family name is known, and how the given name is read is not.
fn is_unread(name: &Name, family: usize) -> bool {
    let mut others = name.words.iter().enumerate().filter(|(i, _)| *i != family);
    let family = &name.words[family];
    family.script == Script::Han && family.is_read && others.all(|(_, w)| !w.is_read)
}

fn unpaired(name: &Name, paired: impl Iterator<Item = usize> + Clone) -> Vec<usize> {
    (0..name.words.len())
        .filter(|i| !paired.clone().any(|p| p == *i))
        .collect()
}

/// The best pairs first, each word once.
fn pair_up(a: &Name, b: &Name) -> Vec<Pair> {
    let mut all: Vec<Pair> = Vec::new();
    for (i, x) in a.words.iter().enumerate() {
        for (j, y) in b.words.iter().enumerate() {
            all.extend(how(x, y).map(|how| Pair { a: i, b: j, how }));
        }
    }
    // Among equals something that is the same either way round.
    let spelled = |p: &Pair| {
        let (x, y) = (&a.words[p.a].text, &b.words[p.b].text);
        if x <= y { (x, y) } else { (y, x) }
    };
    all.sort_by(|p, q| {
        let by = |p: &Pair| (std::cmp::Reverse(p.how), p.a.abs_diff(p.b), p.a + p.b);
        by(p).cmp(&by(q)).then_with(|| spelled(p).cmp(&spelled(q)))
    });
    let mut out: Vec<Pair> = Vec::new();
    for pair in all {
        if out.iter().all(|p| p.a != pair.a && p.b != pair.b) {
            out.push(pair);
        }
    }
    out
}

fn how(a: &Word, b: &Word) -> Option<How> {
    if a.is_initial || b.is_initial {
        let fits = a.latin.chars().next() == b.latin.chars().next() && !a.latin.is_empty();
        let same_script =
            a.script == b.script || a.script != Script::Han && b.script != Script::Han;
        return (fits && same_script).then_some(How::Initial);
    }
    if a.text == b.text {
        return Some(How::Same);
    }
    let across = a.script != b.script;
    // Among Chinese characters the same sound is no evidence.
    let comparable = across || matches!(a.script, Script::Latin | Script::Other);
    if !comparable {
        return shares_root(a, b).then_some(How::ShortForm);
    }
    if a.sounds.iter().any(|s| b.sounds.contains(s)) && !are_short_and_begin_otherwise(a, b) {
        return Some(if across {
            How::OtherScript
        } else {
            How::OtherSpelling
        });
    }
    let vowelless = |w: &Word| matches!(w.script, Script::Abjad | Script::Syllabic);
    let long = |bones: &String| bones.len() >= BONES_MIN;
    if across
        && (vowelless(a) || vowelless(b))
        && a.bones.iter().any(|x| long(x) && b.bones.contains(x))
    {
        return Some(How::OtherScript);
    }
    if shares_root(a, b) || is_cut_short(a, b) {
        return Some(How::ShortForm);
    }
    let near = a
        .sounds
        .iter()
        .any(|x| b.sounds.iter().any(|y| is_one_letter_off(x, y, a, b)));
    near.then_some(if across {
        How::OtherScript
    } else {
        How::OneLetterOff
    })
}

/// Young and Jung, Ian and Jan: only in longer words does one of these stand for another.
fn are_short_and_begin_otherwise(a: &Word, b: &Word) -> bool {
    let begins = |w: &Word| {
        w.latin
            .chars()
            .next()
            .filter(|c| matches!(c, 'i' | 'j' | 'y'))
    };
    a.latin.len().min(b.latin.len()) <= 5
        && begins(a).is_some()
        && begins(b).is_some()
        && begins(a) != begins(b)
}

fn shares_root(a: &Word, b: &Word) -> bool {
    a.roots.iter().any(|r| b.roots.contains(r))
}

/// Zsuzsa and Zsuzsanna, Javi and Javier: cut after a vowel. What is cut by one letter is another name.
fn is_cut_short(a: &Word, b: &Word) -> bool {
    let cut = |short: &str, long: &str| {
        let enough = short.len() >= CUT_MIN && long.len() >= short.len() + 2;
        enough && short.ends_with(['a', 'e', 'i', 'o', 'u']) && long.starts_with(short)
    };
    let any = |x: &Word, y: &Word| x.sounds.iter().any(|s| y.sounds.iter().any(|l| cut(s, l)));
    any(a, b) || any(b, a)
}

fn is_one_letter_off(x: &str, y: &str, a: &Word, b: &Word) -> bool {
    let shorter = x.len().min(y.len());
    if shorter < LONG_GIVEN || x.len().abs_diff(y.len()) > 1 || x.as_bytes()[0] != y.as_bytes()[0] {
        return false;
    }
    // Andrea and Andreas, Daniel and Daniela: the end tells a sister from a brother.
    let ends_alike = x[x.len() - 2..] == y[y.len() - 2..];
    let is_family = a.may_be_family && b.may_be_family && a.roots.is_empty() && b.roots.is_empty();
    let is_long = is_family && shorter >= LONG_FAMILY && !is_feminine(x, y);
    if !(is_long || ends_alike) {
        return false;
    }
    let reachable = super::search::head(x) == super::search::head(y)
        || super::search::tail(x) == super::search::tail(y);
    reachable && strsim::osa_distance(x, y) <= 1
}

/// Ivanov and Ivanova.
fn is_feminine(x: &str, y: &str) -> bool {
    let (short, long) = if x.len() < y.len() { (x, y) } else { (y, x) };
    long.strip_suffix('a') == Some(short)
}
