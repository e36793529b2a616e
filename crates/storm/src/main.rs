//! Runs storms, shows one, or shows that mistakes are caught.

use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use storm::planted::Bug;
use storm::{Counts, Options, Violation, run};

// Saves a tenth of the time of a storm.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Storms over the real intake and worker, the same each time for the same seed")]
struct Arguments {
    /// From (included) to (excluded).
    #[arg(long, default_value = "0..1000", value_parser = range)]
    seeds: Range<u64>,
    /// Ends after so long, however many seeds are left.
    #[arg(long)]
    seconds: Option<u64>,
    /// This one only.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints everything that happened.
    #[arg(long)]
    trace: bool,
    /// Plants a mistake, or `all` of them one after the other; it succeeds when each is caught.
    #[arg(long)]
    planted: Option<String>,
    /// How many seeds each planted mistake gets.
    #[arg(long, default_value_t = 5_000)]
    within: u64,
    /// Where storms may be run at once.
    #[arg(long, default_value_t = 2)]
    threads: u32,
    /// Also what no client can survive unharmed: requests carried out later than ClickUp is believed to.
    #[arg(long)]
    beyond: bool,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let parsed = text.split_once("..").and_then(|(from, to)| {
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        (from < to).then_some(from..to)
    });
    parsed.ok_or_else(|| "give two numbers, such as 0..1000".to_owned())
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        arguments.seeds = seed..seed + 1;
    }
    let went_well = match arguments.planted.as_deref() {
        None => storms(&arguments),
        Some(name) => planted(&arguments, name),
    };
    storm::clean_up();
    if went_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn options(arguments: &Arguments, bug: Option<Bug>) -> Options {
    Options {
        bug,
        keep_trace: arguments.trace,
        beyond: arguments.beyond,
    }
}

/// Seeds are taken in turn by every thread, until one of them says stop.
fn each(arguments: &Arguments, run_one: impl Fn(u64) -> bool + Sync) -> (u64, Duration) {
    let began = Instant::now();
    let next = AtomicU64::new(arguments.seeds.start);
    let done = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let patience = arguments.seconds.map(Duration::from_secs);
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.max(1) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed)
                    && patience.is_none_or(|patience| began.elapsed() < patience)
                {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= arguments.seeds.end {
                        return;
                    }
                    if !run_one(seed) {
                        stop.store(true, Ordering::Relaxed);
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    (done.load(Ordering::Relaxed), began.elapsed())
}

fn storms(arguments: &Arguments) -> bool {
    let sum = Mutex::new((Counts::default(), 0_u64));
    let (seeds, took) = each(arguments, |seed| {
        let ended = run(seed, options(arguments, None));
        for line in &ended.trace {
            println!("{line}");
        }
        if arguments.seed.is_some() {
            println!("hash {}", ended.hash);
        }
        let mut sum = sum.lock().expect("no holder panics");
        sum.0.add(&ended.counts);
        if let Some(violation) = ended.violation {
            sum.1 += 1;
            report(arguments, seed, &violation);
        }
        true
    });
    let (counts, violations) = sum.into_inner().expect("no holder panics");
    println!(
        "{seeds} seeds in {:.1} s ({:.1} a second), {} steps, {} calls, {violations} violations",
        took.as_secs_f64(),
        seeds as f64 / took.as_secs_f64(),
        counts.steps,
        counts.calls
    );
    for (name, times) in &counts.faults {
        println!("  {times:>9}  {name}");
    }
    violations == 0
}

fn report(arguments: &Arguments, seed: u64, violation: &Violation) {
    let beyond = if arguments.beyond { " --beyond" } else { "" };
    println!(
        "seed {seed}: {} {}\n  cargo run --release -p storm -- --seed {seed}{beyond} --trace",
        violation.invariant, violation.what
    );
}

fn planted(arguments: &Arguments, name: &str) -> bool {
    let bugs: Vec<Bug> = Bug::ALL
        .iter()
        .copied()
        .filter(|bug| name == "all" || bug.name() == name)
        .collect();
    if bugs.is_empty() {
        println!("no mistake is named {name}; there are:");
        for bug in Bug::ALL {
            println!("  {:<20} {}", bug.name(), bug.what());
        }
        return false;
    }
    let mut all_caught = true;
    for bug in bugs {
        let tried = Arguments {
            seeds: arguments.seeds.start..arguments.seeds.start + arguments.within,
            ..Arguments::parse()
        };
        let tried = match arguments.seed {
            Some(seed) => Arguments {
                seeds: seed..seed + 1,
                ..tried
            },
            None => tried,
        };
        let caught: Mutex<Option<(u64, Violation)>> = Mutex::default();
        let (seeds, took) = each(&tried, |seed| {
            let ended = run(seed, options(arguments, Some(bug)));
            for line in &ended.trace {
                println!("{line}");
            }
            let Some(violation) = ended.violation else {
                return true;
            };
            let mut caught = caught.lock().expect("no holder panics");
            if caught.as_ref().is_none_or(|(known, _)| seed < *known) {
                *caught = Some((seed, violation));
            }
            false
        });
        if let Some((seed, violation)) = caught.into_inner().expect("no holder panics") {
            println!(
                "{:<20} {seed:>5} {:<4} {} ({:.1} s)",
                bug.name(),
                violation.invariant,
                violation.what,
                took.as_secs_f64()
            );
        } else {
            println!("{:<20} NOT CAUGHT within {seeds} seeds", bug.name());
            all_caught = false;
        }
    }
    all_caught
}
