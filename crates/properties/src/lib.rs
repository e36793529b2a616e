//! What holds for any bytes at all, at each place where somebody else's bytes come in. A target takes an input and
//! panics where a promise is broken. `tests/short.rs` runs them in every `cargo test`; `fuzz/` runs the same functions
//! for as long as one likes, led by coverage (docs/fuzzing.md). What is promised for chosen inputs is tested elsewhere.

pub mod answers;
pub mod delivery;
pub mod fence;
pub mod seeds;
pub mod signature;
pub mod wording;

/// Panics where a promise is broken.
pub type Holds = fn(&[u8]);

/// By the name of the folder of its corpus.
pub const TARGETS: [(&str, Holds); 5] = [
    ("signature", signature::holds),
    ("delivery", delivery::holds),
    ("fence", fence::holds),
    ("answers", answers::holds),
    ("wording", wording::holds),
];
