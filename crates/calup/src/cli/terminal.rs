//! What a person types. A question is answered by what is typed after it was asked: not by what was typed ahead, and not by
//! a line of something pasted.

use std::io::{Write, stdin};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};
use rustix::termios::{QueueSelector, tcflush};
use tokio::sync::oneshot;

const BYTES_MAX: usize = 400_000;
/// The lines of what is pasted come one after the other.
const PASTED_WITHIN: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

#[derive(Debug)]
pub enum Typed {
    Text(String),
    /// Ctrl-D.
    End,
    /// Ctrl-C.
    Stopped,
}

/// `None` where neither was said.
pub async fn yes(question: &str) -> Option<bool> {
    // It may be no terminal after all; then nothing was typed ahead.
    let _ = tcflush(stdin(), QueueSelector::IFlush);
    match typed(&format!("{question} [y/N] ")).await {
        Typed::Text(text) => Some(matches!(text.trim().to_lowercase().as_str(), "y" | "yes")),
        Typed::End => Some(false),
        Typed::Stopped => None,
    }
}

/// After Ctrl-C nothing more can be asked for.
pub async fn typed(prompt: &str) -> Typed {
    let mut out = std::io::stdout();
    let _ = out.write_all(prompt.as_bytes());
    let _ = out.flush();
    let (tell, told) = oneshot::channel();
    // Not one of the runtime's threads: nobody waits for it at the end.
    std::thread::spawn(move || {
        let _ = tell.send(text());
    });
    tokio::select! {
        text = told => text.ok().flatten().map_or(Typed::End, Typed::Text),
        _ = tokio::signal::ctrl_c() => Typed::Stopped,
    }
}

fn text() -> Option<String> {
    let mut text = Vec::new();
    loop {
        let mut line = [0; 4_096];
        let count = match read(stdin(), &mut line) {
            Ok(count) => count,
            Err(Errno::INTR) => continue,
            Err(_) => 0,
        };
        text.extend_from_slice(&line[..count]);
        if count == 0 || text.len() > BYTES_MAX || !more_comes() {
            break;
        }
    }
    (!text.is_empty()).then(|| String::from_utf8_lossy(&text).into_owned())
}

fn more_comes() -> bool {
    let stdin = stdin();
    let mut wanted = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut wanted, Some(&PASTED_WITHIN)).is_ok_and(|ready| ready > 0)
}
