//! What CI holds the program to; `cargo run --release -p storm` goes further.

use std::time::{Duration, Instant};

use storm::planted::Bug;
use storm::{Options, run};

const SEEDS: u64 = 1_000;
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn the_same_seed_gives_the_same_storm() {
    for seed in 0..12 {
        let (first, again) = (run(seed, Options::default()), run(seed, Options::default()));
        assert_eq!(first.hash, again.hash, "seed {seed}");
    }
    let other = run(7, Options::default());
    assert_ne!(run(6, Options::default()).hash, other.hash);
}

#[test]
fn nothing_happens_that_must_never_happen() {
    let began = Instant::now();
    let mut seeds = 0;
    while seeds < SEEDS && began.elapsed() < PATIENCE {
        let ended = run(seeds, Options::default());
        let broken = ended
            .violation
            .map(|v| format!("{} {}", v.invariant, v.what));
        assert_eq!(
            broken, None,
            "cargo run --release -p storm -- --seed {seeds} --trace"
        );
        seeds += 1;
    }
    assert!(seeds >= 20, "{seeds} seeds are too few to tell anything");
}

/// A storm that was not seen to catch mistakes says nothing when it finds none.
#[test]
fn every_planted_mistake_is_caught_by_its_seed() {
    let table = include_str!("../planted.txt");
    let recorded = |bug: Bug| {
        let line = table
            .lines()
            .find(|line| line.split_whitespace().next() == Some(bug.name()));
        let line = line.unwrap_or_else(|| panic!("{} is not in planted.txt", bug.name()));
        let mut words = line.split_whitespace().skip(1);
        let seed: u64 = words.next().and_then(|w| w.parse().ok()).expect("a seed");
        (seed, words.next().expect("an invariant").to_owned())
    };
    let mut missed = Vec::new();
    for bug in Bug::ALL {
        let (seed, invariant) = recorded(*bug);
        let options = Options {
            bug: Some(*bug),
            ..Options::default()
        };
        let caught = run(seed, options).violation.map(|v| v.invariant);
        if caught != Some(invariant.as_str()) {
            missed.push(format!("{}: {caught:?} by seed {seed}", bug.name()));
        }
    }
    assert_eq!(missed, Vec::<String>::new());
}
