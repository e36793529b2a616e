//! The short run: every seed, then as many changed seeds as fit into a test, the same ones each time.
//! `CALUP_FUZZ_INPUTS` says how many per target, `CALUP_FUZZ_SEED` which.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mutatis::{Candidates, Context, Mutate, Result, Session};
use properties::{Holds, TARGETS, seeds};

const INPUTS: u64 = 2_000;
const MUTATIONS_MAX: usize = 6;
/// What chance would take too long to write.
const WORDS: [&str; 40] = [
    "⟦ Cal.com meetings · kept by calup ⟧",
    "⟦ end of Cal.com meetings ⟧",
    "Cal.com booking b1 · mmmmmmmmmmmmmmmm",
    "\u{1e}",
    "\u{1f}",
    "\n",
    "\r\n",
    "\t",
    "\\",
    "\"",
    "\0",
    "\u{202e}",
    "\u{200b}",
    "\u{2060}",
    "\u{feff}",
    "`",
    "```",
    "**",
    "__",
    "~~",
    "- [ ] ",
    "| a | b |",
    "---",
    "# ",
    "> ",
    "<!-- ",
    "<b>",
    "![x](y)",
    "[x](https://x.example)",
    "<https://x.example/a_b>",
    "https://x.example/(a)*b",
    "@here",
    "&lt;",
    "\\ud83d",
    "null",
    "1e309",
    "-9223372036854775808",
    "\"oneTimePassword\":\"abcdefghijkl\"",
    "{\"tasks\":[]}",
    "429",
];

/// Bytes that other people's texts are made of.
struct Texts<'a> {
    others: &'a [Vec<u8>],
}

impl Mutate<Vec<u8>> for Texts<'_> {
    fn mutate(&mut self, c: &mut Candidates, text: &mut Vec<u8>) -> Result<()> {
        c.mutation(|at| {
            let (from, to) = span(at, text.len(), 16);
            text.drain(from..to);
            Ok(())
        })?;
        c.mutation(|at| {
            let (from, to) = span(at, text.len(), 64);
            let copy = text[from..to].to_vec();
            insert(at, text, &copy);
            Ok(())
        })?;
        c.mutation(|at| {
            let word = at.rng().choose(WORDS).expect("there are words");
            insert(at, text, word.as_bytes());
            Ok(())
        })?;
        c.mutation(|at| {
            let other = at.rng().choose(self.others).expect("there are seeds");
            let (from, to) = span(at, other.len(), 200);
            insert(at, text, &other[from..to]);
            Ok(())
        })?;
        c.mutation(|at| {
            if let Some(i) = at.rng().gen_index(text.len()) {
                text[i] = at.rng().gen_u8();
            }
            Ok(())
        })
    }
}

fn span(at: &mut Context, len: usize, longest: usize) -> (usize, usize) {
    let from = at.rng().gen_index(len + 1).unwrap_or(0);
    let wide = at.rng().gen_index(longest.min(len - from) + 1).unwrap_or(0);
    (from, from + wide)
}

fn insert(at: &mut Context, text: &mut Vec<u8>, piece: &[u8]) {
    let from = at.rng().gen_index(text.len() + 1).unwrap_or(0);
    text.splice(from..from, piece.iter().copied());
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn run(target: &str) {
    let (_, holds) = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .expect("a target");
    let seeds = seeds::of(target);
    assert!(!seeds.is_empty());
    for seed in &seeds {
        check(target, *holds, seed);
    }
    let mut session = Session::new().seed(number("CALUP_FUZZ_SEED", 1));
    let mut texts = Texts { others: &seeds };
    for n in 0..number("CALUP_FUZZ_INPUTS", INPUTS) as usize {
        let mut input = seeds[n % seeds.len()].clone();
        for _ in 0..=n % MUTATIONS_MAX {
            session
                .mutate_with(&mut texts, &mut input)
                .expect("there is always something to change");
        }
        check(target, *holds, &input);
    }
}

/// The input that failed is left in a file, for `fuzz/corpus/` once its cause is mended.
fn check(target: &str, holds: Holds, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| holds(input))) {
        let file = std::env::temp_dir().join(format!("calup-{target}-{}", std::process::id()));
        std::fs::write(&file, input).expect("a file");
        eprintln!("the input is in {}", file.display());
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn every_target_has_a_corpus_and_a_long_run() {
    let fuzz = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    for (target, _) in TARGETS {
        assert!(fuzz.join("corpus").join(target).is_dir(), "{target}");
        let long = fuzz.join("fuzz_targets").join(format!("{target}.rs"));
        assert!(long.is_file(), "{target}");
    }
}

#[test]
fn a_signature_counts_only_as_cal_com_writes_it() {
    run("signature");
}

#[test]
fn a_delivery_is_an_event_or_a_reason_without_its_passwords() {
    run("delivery");
}

#[test]
fn a_block_leaves_what_people_wrote_as_it_was() {
    run("fence");
}

#[test]
fn a_call_ends_with_a_value_or_a_classified_failure() {
    run("answers");
}

#[test]
fn what_an_attendee_types_is_shown_and_does_nothing() {
    run("wording");
}
