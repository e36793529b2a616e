use storm::planted::Bug;
use storm::{Options, run};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let from: u64 = args[1].parse().unwrap();
    let to: u64 = args[2].parse().unwrap();
    let bug = args.get(3).and_then(|n| Bug::ALL.iter().find(|b| b.name() == n)).copied();
    let began = std::time::Instant::now();
    let mut steps = 0;
    for seed in from..to {
        let ended = run(seed, Options { bug, keep_trace: to - from == 1 });
        steps += ended.counts.steps;
        for line in &ended.trace { println!("{line}"); }
        if to - from < 5 { println!("{} {:?} {} {:?}", ended.hash, ended.violation, ended.lasted_ms, ended.counts); }
        if let Some(v) = ended.violation { println!("seed {seed}: {} {}", v.invariant, v.what); }
    }
    println!("{} seeds {} steps {:?}", to - from, steps, began.elapsed());
    storm::clean_up();
}
