//! How well names are matched: precision and recall of "worth asking" over pairs that a person labelled.
//! `cargo test -p domain --test names -- --nocapture` prints the table; `NAMES_SHOW=1` also prints what goes wrong among
//! the pairs that are there for tuning. The held-out ones are never shown.

mod random;

use domain::name::{Booker, Candidate, Reading};
use random::Lcg;

const FILES: [(&str, &str); 2] = [
    ("first", include_str!("names/pairs.tsv")),
    ("harder", include_str!("names/fresh.tsv")),
];

struct Labelled {
    file: &'static str,
    booker: [&'static str; 3],
    lead: [&'static str; 3],
    is_ask: bool,
    is_held_out: bool,
    note: &'static str,
}

impl Labelled {
    fn booker(&self) -> Reading {
        let [name, email, company] = self.booker;
        Booker {
            name,
            email: some(email),
            company: some(company),
        }
        .read()
    }

    fn lead(&self) -> Reading {
        let [name, email, company] = self.lead;
        let emails: Vec<String> = some(email).map(str::to_owned).into_iter().collect();
        Candidate {
            name,
            emails: &emails,
            company: some(company),
        }
        .read()
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn pairs() -> Vec<Labelled> {
    let rows = FILES
        .iter()
        .flat_map(|(file, text)| text.lines().map(move |row| (*file, row)));
    rows.filter(|(_, row)| !row.starts_with('#') && !row.is_empty())
        .map(|(file, row)| labelled(file, row))
        .collect()
}

fn labelled(file: &'static str, row: &'static str) -> Labelled {
    let cells: Vec<&str> = row.split('\t').collect();
    let [.., label, note] = cells[..] else {
        panic!("no label: {row}")
    };
    assert!(matches!(label, "ask" | "not") && cells.len() == 8, "{row}");
    let hash = fnv(format!("{}\t{}", cells[0], cells[3]).as_bytes());
    Labelled {
        file,
        booker: [cells[0], cells[1], cells[2]],
        lead: [cells[3], cells[4], cells[5]],
        is_ask: label == "ask",
        is_held_out: hash >> 32 & 1 == 1,
        note,
    }
}

/// FNV-1a: the same split everywhere, decided by nobody.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| {
        (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[derive(Default)]
struct Figures {
    asked_rightly: u32,
    asked_wrongly: u32,
    missed: u32,
    left_rightly: u32,
}

impl Figures {
    fn of<'a>(pairs: impl Iterator<Item = &'a Labelled>) -> Self {
        let mut out = Self::default();
        for pair in pairs {
            let asks = pair.booker().resemblance(&pair.lead()).is_worth_asking();
            *match (asks, pair.is_ask) {
                (true, true) => &mut out.asked_rightly,
                (true, false) => &mut out.asked_wrongly,
                (false, true) => &mut out.missed,
                (false, false) => &mut out.left_rightly,
            } += 1;
        }
        out
    }

    fn print(&self, which: &str) {
        let ask = self.asked_rightly + self.missed;
        let not = self.asked_wrongly + self.left_rightly;
        println!(
            "{which:<18} {ask:>4} {not:>4} {:>15} {:>7} {:>11.3} {:>7.3}",
            self.asked_wrongly,
            self.missed,
            self.precision(),
            self.recall()
        );
    }

    fn precision(&self) -> f64 {
        f64::from(self.asked_rightly) / f64::from(self.asked_rightly + self.asked_wrongly)
    }

    fn recall(&self) -> f64 {
        f64::from(self.asked_rightly) / f64::from(self.asked_rightly + self.missed)
    }
}

#[test]
fn names_are_matched_well_enough_on_pairs_that_were_not_used_for_tuning() {
    let pairs = pairs();
    println!("pairs               ask  not   asked wrongly  missed   precision  recall");
    for (file, _) in FILES {
        for (half, is_held_out) in [("tuning", false), ("held out", true)] {
            let of_both = pairs
                .iter()
                .filter(|p| p.file == file && p.is_held_out == is_held_out);
            Figures::of(of_both).print(&format!("{file}, {half}"));
        }
    }
    let held_out = Figures::of(pairs.iter().filter(|p| p.is_held_out));
    held_out.print("all held out");
    if std::env::var_os("NAMES_SHOW").is_some() {
        show(pairs.iter().filter(|p| !p.is_held_out));
    }
    assert!(held_out.precision() >= 0.90);
    assert!(held_out.recall() >= 0.85);
}

fn show<'a>(pairs: impl Iterator<Item = &'a Labelled>) {
    for pair in pairs {
        let found = pair.booker().resemblance(&pair.lead());
        if found.is_worth_asking() != pair.is_ask {
            let wanted = if pair.is_ask { "ask" } else { "not" };
            println!(
                "{wanted} {:?} {:?} ({}): {} {found}",
                pair.booker,
                pair.lead,
                pair.note,
                found.score()
            );
        }
    }
}

#[test]
fn what_is_worth_asking_shares_a_search_token() {
    for pair in pairs() {
        let (booker, lead) = (pair.booker(), pair.lead());
        if booker.resemblance(&lead).is_worth_asking() {
            let shared = booker
                .search_tokens()
                .intersection(&lead.search_tokens())
                .count();
            assert!(shared > 0, "{:?} {:?}", pair.booker, pair.lead);
        }
    }
}

/// As somebody else would write it: a letter lost, doubled or swapped, a word left out, cut or moved.
fn rewritten(random: &mut Lcg, name: &str) -> String {
    let mut words: Vec<String> = name.split(' ').map(str::to_owned).collect();
    for _ in 0..random.below(3) {
        let at = random.below(words.len());
        let mut letters: Vec<char> = words[at].chars().collect();
        let i = random.below(letters.len().max(1));
        match random.below(7) {
            0 if letters.len() > 3 => drop(letters.remove(i)),
            1 if !letters.is_empty() => letters.insert(i, letters[i]),
            2 if i > 0 => letters.swap(i - 1, i),
            3 => letters.truncate(1),
            4 => letters.push('.'),
            5 => letters = letters.iter().flat_map(|c| c.to_uppercase()).collect(),
            _ => {}
        }
        words[at] = letters.into_iter().collect();
    }
    if words.len() > 2 && random.one_in(4) {
        words.remove(random.below(words.len()));
    }
    if random.one_in(3) {
        words.rotate_left(1);
    }
    words.join(random.pick(&[" ", " ", " ", "-", ", ", "", " & ", " / "]))
}

#[test]
fn whatever_the_names_what_is_worth_asking_shares_a_search_token_either_way_round() {
    let pairs = pairs();
    let words: Vec<&str> = pairs
        .iter()
        .flat_map(|p| [p.booker[0], p.lead[0]])
        .flat_map(str::split_whitespace)
        .collect();
    let companies = ["Acme Inc.", "", "", "Globex"];
    let mut random = Lcg(7);
    let mut asked = 0;
    for _ in 0..20_000 {
        let count = 1 + random.below(3);
        let name: Vec<&str> = (0..count).map(|_| random.pick(&words)).collect();
        let name = name.join(" ");
        let other = rewritten(&mut random, &name);
        let booker = Booker {
            name: &name,
            email: some(random.pick(&["mike.ross@acme.example", "ann@gmail.com", ""])),
            company: some(random.pick(&companies)),
        };
        let lead = Candidate {
            name: &other,
            emails: &[],
            company: some(random.pick(&companies)),
        };
        let (booker, lead) = (booker.read(), lead.read());
        let found = booker.resemblance(&lead);
        assert_eq!(
            found.score(),
            lead.resemblance(&booker).score(),
            "{name}, {other}"
        );
        if found.is_worth_asking() {
            asked += 1;
            let (ours, theirs) = (booker.search_tokens(), lead.search_tokens());
            assert!(!ours.is_disjoint(&theirs), "{name}, {other}: {found}");
        }
    }
    assert!(asked > 5_000, "{asked} of them are worth asking");
}
