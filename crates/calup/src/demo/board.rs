//! What the demo shows: on a terminal a table that is drawn anew, elsewhere one line per thing that happened.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use sim::clickup::{ClickUp, TaskView};

const STEPS: usize = super::story::STEPS;
const BAR: usize = 30;
const LOG_LINES: usize = 12;
const WIDTH: u16 = 136;
const ROWS_MAX: usize = 8;

pub struct Board {
    live: bool,
    address: String,
    step: usize,
    log: Vec<String>,
    seen: HashMap<String, Seen>,
    left: u64,
}

#[derive(Clone, Default, PartialEq)]
struct Seen {
    status: String,
    meeting: String,
    comments: usize,
    last: String,
}

impl Board {
    pub fn new(once: bool, address: String) -> Self {
        let live = !once && std::io::stdout().is_terminal();
        let board = Self {
            live,
            address,
            step: 0,
            log: Vec::new(),
            seen: HashMap::new(),
            left: 0,
        };
        if !live {
            print(&format!(
                "A simulated Cal.com and ClickUp, and the real calup between them on http://{}.\n",
                board.address
            ));
        }
        board
    }

    /// A new step of the story begins.
    pub fn step(&mut self, what: &str) {
        self.step += 1;
        self.say(&format!("[{:>2}/{STEPS}] {what}", self.step));
    }

    pub fn say(&mut self, line: &str) {
        self.log.push(line.to_owned());
        if !self.live {
            print(line);
        }
    }

    /// Draws the table, on a terminal.
    pub fn show(&mut self, clickup: &ClickUp, left: u64) {
        self.left = left;
        if self.live {
            self.draw(clickup);
        }
    }

    /// Says what changed in which task since the last time.
    pub fn changes(&mut self, clickup: &ClickUp) {
        for task in told(clickup) {
            let now = seen(&task);
            let before = self.seen.insert(task.id.clone(), now.clone());
            let mut what = Vec::new();
            match &before {
                None if task.list_id == super::INBOUND => {
                    what.push(format!("made in {} as `{}`", task.list_name, now.status));
                }
                None => what.push(format!(
                    "matched in {}, now `{}`",
                    task.list_name, now.status
                )),
                Some(b) if b.status != now.status => {
                    what.push(format!("`{}` → `{}`", b.status, now.status));
                }
                Some(_) => {}
            }
            let b = before.unwrap_or_default();
            if b.meeting != now.meeting && !now.meeting.is_empty() {
                what.push(format!("description: {}", now.meeting));
            }
            if now.comments > b.comments {
                let said = now.last.split(" between ").next().unwrap_or_default();
                what.push(format!("comment: {said}"));
            }
            if !what.is_empty() {
                self.say(&format!("        {}: {}", task.name, what.join("; ")));
            }
        }
        if self.live {
            self.draw(clickup);
        }
    }

    pub fn end(&mut self, clickup: &ClickUp, summary: &str, wrong: &[String]) {
        if self.live {
            self.draw(clickup);
        } else {
            print(&format!("\n{}", table(clickup)));
        }
        print(&format!("\n{summary}"));
        for line in wrong {
            print(&format!("WRONG: {line}"));
        }
        if wrong.is_empty() {
            print("Every task is as it should be.");
        }
    }

    fn draw(&self, clickup: &ClickUp) {
        let done = BAR * self.step / STEPS;
        let bar = format!("{}{}", "█".repeat(done), "░".repeat(BAR - done));
        let from = self.log.len().saturating_sub(LOG_LINES);
        let frame = format!(
            "calup demo · http://{}\n\n{}\n\n{bar} {}/{STEPS}   {} at work\n\n{}\n",
            self.address,
            table(clickup),
            self.step,
            self.left,
            self.log[from..].join("\n")
        );
        print(&format!("\x1b[2J\x1b[H{frame}"));
    }
}

pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// Tasks that bookings touched: everybody but the crowd that only fills the lists.
pub fn told(clickup: &ClickUp) -> Vec<TaskView> {
    clickup
        .live_tasks()
        .into_iter()
        .filter(|t| t.markdown.contains('⟦') || !t.comments.is_empty())
        .collect()
}

fn seen(task: &TaskView) -> Seen {
    Seen {
        status: task.status.clone(),
        meeting: meeting(task),
        comments: task.comments.len(),
        last: task
            .comments
            .last()
            .map(|c| c.text.lines().next().unwrap_or_default().to_owned())
            .unwrap_or_default(),
    }
}

/// The block's first lines: what the meeting is, and when.
fn meeting(task: &TaskView) -> String {
    let mut lines = task
        .plain
        .lines()
        .skip_while(|l| !l.contains('⟦'))
        .skip(1)
        .map(|l| l.trim().trim_start_matches(['-', '*']).trim())
        .filter(|l| !l.is_empty());
    let what = lines.next().unwrap_or_default();
    let when = lines.next().unwrap_or_default();
    if what.is_empty() || what.contains('⟦') {
        return String::new();
    }
    let what = what.split(" between ").next().unwrap_or(what);
    let when = when.split_once(": ").map_or(when, |(_, when)| when);
    let when = when.split(" (").next().unwrap_or(when);
    let when = when.strip_suffix(" Europe/Stockholm").unwrap_or(when);
    format!("{what}, {when}")
}

pub fn table(clickup: &ClickUp) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    table.set_header(["person", "list", "status", "meeting", "comments"]);
    let all = told(clickup);
    for task in all.iter().take(ROWS_MAX) {
        table.add_row([
            task.name.clone(),
            task.list_name.clone(),
            task.status.clone(),
            meeting(task),
            task.comments.len().to_string(),
        ]);
    }
    if all.len() > ROWS_MAX {
        table.add_row([format!("… and {} more", all.len() - ROWS_MAX)]);
    }
    table.to_string()
}
