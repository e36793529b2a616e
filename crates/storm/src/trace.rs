//! What happened, line by line: hashed always, kept only when somebody wants to read it.

use sha2::{Digest, Sha256};

#[derive(Default)]
pub struct Trace {
    hash: Sha256,
    pub lines: Option<Vec<String>>,
}

impl Trace {
    pub fn keeping(lines: bool) -> Self {
        Self {
            hash: Sha256::new(),
            lines: lines.then(Vec::new),
        }
    }

    pub fn tell(&mut self, at_ms: u64, what: std::fmt::Arguments) {
        let line = format!("{:>9.3} {what}", at_ms as f64 / 1000.0);
        self.hash.update(line.as_bytes());
        self.hash.update(b"\n");
        if let Some(lines) = &mut self.lines {
            lines.push(line);
        }
    }

    pub fn hash(&self) -> String {
        hex::encode(&self.hash.clone().finalize()[..8])
    }
}
