//! The answers: each a number, what it is held against, and the verdict.

use std::fmt;

use comfy_table::{CellAlignment, presets};
use serde_json::{Value, json};

use crate::Effort;

pub struct Table {
    setting: Vec<String>,
    rows: Vec<Row>,
    /// What could not be asked, and why.
    skipped: Vec<String>,
}

struct Row {
    question: String,
    calup: f64,
    beside: f64,
    unit: &'static str,
    /// What `beside` is.
    of: Beside,
    must: Must,
    note: String,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Beside {
    Limit,
    Bare,
}

/// What the ratio of calup to what is beside it must be.
#[derive(Clone, Copy)]
pub enum Must {
    AtMost(f64),
    AtLeast(f64),
    /// Shown for comparison.
    Anything,
}

impl Table {
    pub fn new(effort: Effort) -> Self {
        let setting = vec![
            format!(
                "{} cores, load {} before the run, one fdatasync of 16 KiB takes {:.2} ms (median)",
                std::thread::available_parallelism().map_or(0, usize::from),
                std::fs::read_to_string("/proc/loadavg")
                    .ok()
                    .and_then(|text| text.split(' ').next().map(ToOwned::to_owned))
                    .unwrap_or_default(),
                one_fdatasync_ms(),
            ),
            effort.pick("the large run", "the quick run").to_owned(),
        ];
        Self {
            setting,
            rows: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// A number that must not be above `limit`.
    pub fn at_most(&mut self, question: &str, calup: f64, limit: f64, unit: &'static str) {
        self.add(
            question,
            calup,
            limit,
            unit,
            Beside::Limit,
            Must::AtMost(1.0),
        );
    }

    pub fn at_least(&mut self, question: &str, calup: f64, limit: f64, unit: &'static str) {
        self.add(
            question,
            calup,
            limit,
            unit,
            Beside::Limit,
            Must::AtLeast(1.0),
        );
    }

    pub fn add(
        &mut self,
        question: &str,
        calup: f64,
        beside: f64,
        unit: &'static str,
        of: Beside,
        must: Must,
    ) {
        let row = Row {
            question: question.to_owned(),
            calup,
            beside,
            unit,
            of,
            must,
            note: String::new(),
        };
        eprintln!("  {}: {}", row.question, row.number(row.calup));
        self.rows.push(row);
    }

    /// Said beside the last row.
    pub fn note(&mut self, note: String) {
        if let Some(row) = self.rows.last_mut() {
            row.note = note;
        }
    }

    pub fn skip(&mut self, what: &str) {
        eprintln!("*** SKIPPED: {what}");
        self.skipped.push(what.to_owned());
    }

    pub fn is_missed(&self) -> bool {
        self.rows.iter().any(|row| !row.is_met())
    }

    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "question": row.question, "calup": row.calup, "beside": row.beside, "unit": row.unit,
                    "beside_is": if row.of == Beside::Bare { "bare server" } else { "limit" },
                    "ratio": row.ratio(), "must": row.must(), "ok": row.is_met(), "note": row.note,
                })
            })
            .collect();
        json!({ "setting": self.setting, "rows": rows, "skipped": self.skipped })
    }
}

impl Row {
    fn ratio(&self) -> f64 {
        if self.calup == 0.0 && self.beside == 0.0 {
            return 1.0;
        }
        self.calup / self.beside
    }

    fn is_met(&self) -> bool {
        match self.must {
            Must::AtMost(most) => self.ratio() <= most,
            Must::AtLeast(least) => self.ratio() >= least,
            Must::Anything => true,
        }
    }

    fn must(&self) -> String {
        match self.must {
            Must::AtMost(most) => format!("≤ {most:.2}"),
            Must::AtLeast(least) => format!("≥ {least:.2}"),
            Must::Anything => String::new(),
        }
    }

    fn number(&self, number: f64) -> String {
        let digits = match number.abs() {
            n if n >= 100.0 || n.fract() == 0.0 => 0,
            n if n >= 10.0 => 1,
            _ => 2,
        };
        format!("{number:.digits$} {}", self.unit)
            .trim_end()
            .to_owned()
    }

    fn cells(&self) -> [String; 6] {
        let beside = self.number(self.beside);
        let beside = match (self.of, self.must) {
            (Beside::Bare, _) => format!("{beside} (bare)"),
            (Beside::Limit, Must::AtMost(_)) => format!("≤ {beside}"),
            (Beside::Limit, Must::AtLeast(_)) => format!("≥ {beside}"),
            (Beside::Limit, Must::Anything) => beside,
        };
        let verdict = match (self.is_met(), self.must()) {
            (_, must) if must.is_empty() => "–",
            (true, _) => "ok",
            (false, _) => "MISSED",
        };
        let note = if self.note.is_empty() {
            String::new()
        } else {
            format!("\n  {}", self.note)
        };
        [
            format!("{}{note}", self.question),
            self.number(self.calup),
            beside,
            format!("{:.2}", self.ratio()),
            self.must(),
            verdict.to_owned(),
        ]
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        for line in &self.setting {
            writeln!(out, "{line}")?;
        }
        let mut table = comfy_table::Table::new();
        table
            .load_preset(presets::ASCII_MARKDOWN)
            .set_header(["question", "calup", "beside", "ratio", "must be", "verdict"]);
        for row in &self.rows {
            table.add_row(row.cells());
        }
        for column in 1..5 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        write!(out, "{table}")?;
        for what in &self.skipped {
            write!(out, "\n*** SKIPPED: {what}")?;
        }
        let missed = self.rows.iter().filter(|row| !row.is_met()).count();
        if missed > 0 {
            write!(out, "\n{missed} of {} missed", self.rows.len())?;
        }
        Ok(())
    }
}

fn one_fdatasync_ms() -> f64 {
    use std::os::unix::fs::FileExt;
    let path = crate::server::new_folder("fdatasync");
    let file = std::fs::File::create(path.join("file")).expect("a file");
    let mut took: Vec<f64> = (0..100)
        .map(|n| {
            let offset = n * 16_384;
            file.write_all_at(&[1; 16_384], offset).expect("written");
            let began = std::time::Instant::now();
            file.sync_data().expect("synced");
            began.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    let _ = std::fs::remove_dir_all(&path);
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}
