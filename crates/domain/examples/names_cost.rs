//! What matching names costs: `cargo run --release -p domain --example names_cost`. Made-up leads, their given and
//! family names as unevenly common as people's are.

use std::collections::HashMap;
use std::time::Instant;

use domain::name::{Candidate, Reading};

const LEADS: usize = 100_000;
const SYLLABLES: [&str; 24] = [
    "ka", "ber", "mann", "sto", "ric", "lin", "gra", "son", "wei", "tor", "hal", "man", "ding",
    "fer", "nan", "dez", "ro", "ssi", "ko", "val", "chuk", "mar", "tin", "schmi",
];

struct Lcg(u64);

impl Lcg {
    /// Small numbers more often.
    fn uneven(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let part = (self.0 >> 33) as f64 / f64::from(1_u32 << 31);
        ((part * part * n as f64) as usize).min(n - 1)
    }
}

fn main() {
    let mut random = Lcg(1);
    let given: Vec<&str> = include_str!("../src/name/given.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| l.split(' ').next())
        .collect();
    let mut name = || {
        let family: String = (0..3)
            .map(|_| SYLLABLES[random.uneven(SYLLABLES.len())])
            .collect();
        format!("{} {family}", given[random.uneven(given.len())])
    };
    let names: Vec<String> = (0..LEADS).map(|_| name()).collect();

    let start = Instant::now();
    let leads: Vec<Reading> = names
        .iter()
        .map(|name| {
            Candidate {
                name,
                ..Candidate::default()
            }
            .read()
        })
        .collect();
    println!(
        "read a lead: {} ns",
        start.elapsed().as_nanos() / LEADS as u128
    );

    let start = Instant::now();
    let mut index: HashMap<String, Vec<u32>> = HashMap::new();
    let mut kept = 0_u32;
    for (i, lead) in leads.iter().enumerate() {
        for token in lead.search_tokens() {
            kept += 1;
            index.entry(token).or_default().push(i as u32);
        }
    }
    println!(
        "search tokens: {:.1} a lead, {} ns",
        f64::from(kept) / LEADS as f64,
        start.elapsed().as_nanos() / LEADS as u128
    );

    let start = Instant::now();
    let asked = leads
        .iter()
        .filter(|lead| leads[0].resemblance(lead).is_worth_asking())
        .count();
    println!(
        "compare: {} ns; {asked} of {LEADS} are worth asking about",
        start.elapsed().as_nanos() / LEADS as u128
    );

    let start = Instant::now();
    let (mut found, mut asked) = (0, 0);
    for booker in &leads[..1_000] {
        let mut hits: Vec<u32> = booker
            .search_tokens()
            .iter()
            .flat_map(|t| index[t].clone())
            .collect();
        hits.sort_unstable();
        hits.dedup();
        found += hits.len();
        asked += hits
            .iter()
            .filter(|i| booker.resemblance(&leads[**i as usize]).is_worth_asking())
            .count();
    }
    println!(
        "a booking: {} leads share a token, {} are worth asking about, {} us",
        found / 1_000,
        asked / 1_000,
        start.elapsed().as_micros() / 1_000
    );
}
