//! The decisions, told as stories: `scenarios/*.txt` say what is given and what happens, the `.out` beside each
//! records what calup does about it. `UPDATE_SCENARIOS=1 cargo test -p domain` records anew; then read the diff.

mod random;
#[path = "scenarios/story.rs"]
mod story;
#[path = "scenarios/world.rs"]
mod world;

use std::path::{Path, PathBuf};

use random::Lcg;
use story::{Step, Story};
use world::World;

const SHUFFLES: usize = 200;

fn stories() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of scenarios stands in the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Story {
    let text = std::fs::read_to_string(path).expect("a readable story");
    story::parse(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

#[test]
fn every_story_ends_as_recorded() {
    let updating = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let mut differing = Vec::new();
    let paths = stories();
    assert!(!paths.is_empty());
    for path in paths {
        let story = read(&path);
        let told = World::new(&story).tell(&story.steps);
        let recorded = path.with_extension("out");
        if updating {
            std::fs::write(&recorded, told).expect("a writable folder");
            continue;
        }
        let before = std::fs::read_to_string(&recorded).unwrap_or_default();
        if before != told {
            let line = before.lines().zip(told.lines()).position(|(a, b)| a != b);
            let at = line.unwrap_or(before.lines().count().min(told.lines().count()));
            differing.push(format!(
                "{}, line {}:\n  recorded: {}\n  now:      {}",
                recorded.display(),
                at + 1,
                before.lines().nth(at).unwrap_or("(its end)"),
                told.lines().nth(at).unwrap_or("(its end)"),
            ));
        }
    }
    assert!(
        differing.is_empty(),
        "{}\nif that is right: UPDATE_SCENARIOS=1 cargo test -p domain",
        differing.join("\n")
    );
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    let mut tried = 0;
    let mut differing = Vec::new();
    for path in stories() {
        let story = read(&path);
        if !story.any_order {
            continue;
        }
        tried += 1;
        let steps = &story.steps;
        assert!(
            steps.iter().all(|s| matches!(s, Step::Delivery { .. })),
            "{}: what people do has its place in a story of any order",
            path.display()
        );
        let settled = |order: &[usize]| {
            let steps: Vec<Step> = order.iter().map(|&i| steps[i].clone()).collect();
            let mut world = World::new(&story);
            world.tell(&steps);
            world.settled()
        };
        let told: Vec<usize> = (0..steps.len()).collect();
        let expected = settled(&told);
        let other = orders(steps.len())
            .into_iter()
            .find(|order| settled(order) != expected);
        if let Some(order) = other {
            differing.push(format!(
                "{}\n  as told: {expected:#?}\n  in the order {order:?}: {:#?}",
                path.display(),
                settled(&order),
            ));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(tried > 10, "only {tried} stories are told in any order");
}

/// All permutations up to five, else shuffles; each also with everything delivered once more.
fn orders(n: usize) -> Vec<Vec<usize>> {
    let mut random = Lcg(n as u64);
    let mut all = Vec::new();
    if n <= 5 {
        permute(&mut (0..n).collect(), 0, &mut all);
    } else {
        for _ in 0..SHUFFLES {
            let mut order: Vec<usize> = (0..n).collect();
            random.shuffle(&mut order);
            all.push(order);
        }
    }
    let doubled: Vec<Vec<usize>> = all
        .iter()
        .map(|order| {
            let mut twice = [order.as_slice(), order.as_slice()].concat();
            random.shuffle(&mut twice);
            twice
        })
        .collect();
    all.extend(doubled);
    all
}

fn permute(order: &mut Vec<usize>, from: usize, all: &mut Vec<Vec<usize>>) {
    if from == order.len() {
        all.push(order.clone());
        return;
    }
    for i in from..order.len() {
        order.swap(from, i);
        permute(order, from + 1, all);
        order.swap(from, i);
    }
}

/// Lives as Cal.com could tell them, of a known person and of an unknown one.
#[test]
fn any_life_settles_the_same_in_any_order() {
    // More than on every run: LIVES=20000 cargo test -p domain --release --test scenarios any_life
    let lives = std::env::var("LIVES").ok().and_then(|n| n.parse().ok());
    for seed in 0..lives.unwrap_or(100) {
        let text = life(&mut Lcg(seed));
        let story = story::parse(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
        let settled = |order: &[usize]| {
            let mut world = World::new(&story);
            let steps: Vec<Step> = order.iter().map(|&i| story.steps[i].clone()).collect();
            world.tell(&steps);
            world.settled()
        };
        let mut order: Vec<usize> = (0..story.steps.len()).collect();
        let expected = settled(&order);
        let mut random = Lcg(seed ^ 0x5eed);
        for _ in 0..12 {
            random.shuffle(&mut order);
            let twice = [order.as_slice(), &order[..order.len() / 2]].concat();
            assert_eq!(
                settled(&twice),
                expected,
                "seed {seed}, in the order {twice:?}\n{text}"
            );
        }
    }
}

/// A story of up to three meetings that are asked for, booked, moved, cancelled and declined before they begin.
fn life(random: &mut Lcg) -> String {
    use std::fmt::Write as _;
    let mut lines: Vec<(usize, String)> = Vec::new();
    for meeting in 0..=random.below(3) {
        let mut hour = random.below(40);
        let mut moves = 0;
        let mut asked = false;
        let mut is_waiting = random.below(3) == 0;
        let mut tell = |hour: usize, what: String| lines.push((hour * 3 + meeting, what));
        let next_time = |random: &mut Lcg, hour: usize| {
            let starts = hour + 2 + random.below(60);
            (
                starts,
                format!("at {} Sep {}:00", 1 + starts / 24, starts % 24),
            )
        };
        let first = if is_waiting { "REQUESTED" } else { "CREATED" };
        let (mut starts, at) = next_time(random, hour);
        tell(hour, format!("{first} m{meeting}x0 by Mira, {at}"));
        for _ in 0..random.below(6) {
            hour += 1 + random.below(8);
            if hour >= starts {
                break;
            }
            let this = format!("m{meeting}x{moves}");
            let next = format!("m{meeting}x{}", moves + 1);
            match random.below(6) {
                0 if is_waiting => {
                    tell(hour, format!("REJECTED {this}"));
                    break;
                }
                _ if is_waiting => {
                    is_waiting = false;
                    tell(hour, format!("CREATED {this}"));
                }
                1 => {
                    tell(hour, format!("CANCELLED {this}"));
                    break;
                }
                2 if !asked => {
                    asked = true;
                    tell(hour, format!("CANCELLED {this} asking-for-another-time"));
                }
                kind => {
                    moves += 1;
                    asked = false;
                    is_waiting = kind == 3;
                    let what = if is_waiting {
                        "REQUESTED"
                    } else {
                        "RESCHEDULED"
                    };
                    let at = next_time(random, hour);
                    starts = at.0;
                    tell(hour, format!("{what} {next} from {this}, {}", at.1));
                }
            }
        }
    }
    lines.sort();
    let mut text = "A life.\ngiven\n  any order\n".to_owned();
    if random.below(2) == 0 {
        text.push_str("  lead \"Mira\" on Brokers: \"In contact\" mira@house.example\n");
    }
    text.push_str("when\n");
    for (at, what) in lines {
        let (hour, minute) = (at / 3, at % 3 * 20);
        let _ = writeln!(
            text,
            "  {} Sep {}:{minute:02} {what}",
            1 + hour / 24,
            hour % 24
        );
    }
    text
}
