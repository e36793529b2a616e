//! `calup chat`: the assistant in a terminal. What it proposes is asked about here, of whoever sits here.

use std::io::{IsTerminal, Read, Write};

use clap::Args;
use serde_json::{Value, json};

use super::terminal::{self, Typed};
use super::{confirm, open, print};
use crate::app::App;
use crate::chat::{self, Answered, Event};
use crate::config::Config;
use crate::tools::By;

const QUESTION_BYTES_MAX: u64 = 400_000;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The question. Without it, standard input is the question; in a terminal, ask as many as you like.
    question: Vec<String>,
    /// Continues a conversation from the last 30 days.
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
    /// The whole answer as JSON; nothing is asked.
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments, config: Config) -> Result<(), String> {
    let store = open(&config).await?;
    let app = App::new(config, store).map_err(|failure| failure.to_string())?;
    if app.claude().is_none() {
        return Err(chat::no_model().to_string());
    }
    let mut talk = Talk::new(&app, arguments.conversation.clone());
    let question = question(&arguments)?;
    match question {
        None => {
            talk.go_on().await;
            if let Some(id) = &talk.conversation {
                print(&format!("\nTo go on: calup chat --conversation {id}"));
            }
        }
        Some(question) if arguments.json => {
            let answered = talk.answer(&question, &mut |_| ()).await?;
            print(&answered.json().to_string());
        }
        Some(question) => talk.ask(&question).await?,
    }
    Ok(())
}

/// `None` where they are to be typed.
fn question(arguments: &Arguments) -> Result<Option<String>, String> {
    let mut question = arguments.question.join(" ");
    let stdin = std::io::stdin();
    if question.trim().is_empty() && !stdin.is_terminal() {
        let read = stdin.take(QUESTION_BYTES_MAX).read_to_string(&mut question);
        read.map_err(|e| format!("could not read the question: {e}"))?;
        if question.trim().is_empty() {
            return Err("nothing was asked".to_owned());
        }
    }
    if question.trim().is_empty() {
        if arguments.json {
            super::wrong_usage("with --json, give the question as an argument or pipe it in");
        }
        return Ok(None);
    }
    Ok(Some(question))
}

/// One conversation.
pub struct Talk<'a> {
    app: &'a App,
    by: By,
    conversation: Option<String>,
    /// Of proposals, for the model to know with the next question.
    decided: Vec<String>,
    /// Nothing more is read here.
    is_stopped: bool,
}

impl<'a> Talk<'a> {
    pub fn new(app: &'a App, conversation: Option<String>) -> Self {
        let by = By {
            name: "terminal".to_owned(),
        };
        Self {
            app,
            by,
            conversation,
            decided: Vec::new(),
            is_stopped: false,
        }
    }

    /// Until whoever asks has enough.
    pub async fn go_on(&mut self) {
        print("Ask about your meetings. Ctrl-C ends an answer, Ctrl-D the conversation.");
        while !self.is_stopped {
            match terminal::typed("\n> ").await {
                Typed::Text(question) if question.trim().is_empty() => {}
                Typed::Text(question) => {
                    if let Err(error) = self.ask(&question).await {
                        print(&format!("error: {error}"));
                    }
                }
                Typed::End | Typed::Stopped => break,
            }
        }
    }

    /// Shows the answer as it comes, and asks about what it proposes.
    async fn ask(&mut self, question: &str) -> Result<(), String> {
        let mut is_line_open = false;
        let mut tell = |event: Event| is_line_open = show(&event, is_line_open);
        let answered = self.answer(question, &mut tell).await;
        if is_line_open {
            print("\n");
        }
        for proposal in &answered?.proposals {
            self.decide(proposal).await?;
        }
        Ok(())
    }

    pub async fn answer(
        &mut self,
        question: &str,
        tell: &mut (dyn FnMut(Event) + Send),
    ) -> Result<Answered, String> {
        let mut said = self.decided.clone();
        said.push(question.trim().to_owned());
        let asked = json!([{ "role": "user", "content": said.join("\n") }]);
        let asked = chat::asked(&asked).map_err(|trouble| trouble.to_string())?;
        let answering = chat::answer(
            self.app,
            &self.by,
            self.conversation.as_deref(),
            asked,
            tell,
        );
        let answered = tokio::select! {
            answered = answering => answered.map_err(|trouble| trouble.to_string())?,
            _ = tokio::signal::ctrl_c() => return Err("the answer was stopped".to_owned()),
        };
        self.decided.clear();
        self.conversation = Some(answered.conversation.clone());
        Ok(answered)
    }

    async fn decide(&mut self, proposal: &Value) -> Result<(), String> {
        let text = |name: &str| proposal[name].as_str().unwrap_or_default();
        let id = text("id");
        print(&format!("\nProposed: {}", text("summary")));
        if !std::io::stdin().is_terminal() {
            print(&format!("A person carries it out with: calup confirm {id}"));
            return Ok(());
        }
        let Some(is_yes) = terminal::yes(confirm::QUESTION).await else {
            self.is_stopped = true;
            return Err(confirm::UNDECIDED.to_owned());
        };
        let told = confirm::settle(self.app, &self.by, id, is_yes).await;
        // Without its result: a link that can be used once is not the model's to know.
        self.decided.push(match &told {
            Ok(told) => format!(
                "(calup: proposal {id} is now {}.)",
                told["state"].as_str().unwrap_or_default()
            ),
            Err(error) => format!("(calup: proposal {id}: {error}.)"),
        });
        let told = told?;
        let state = told["state"].as_str().unwrap_or_default();
        print(match state {
            "done" => "Done.",
            "declined" => "Left undone.",
            other => other,
        });
        if let Some(link) = told["result"]["booking_url"].as_str() {
            print(link);
        }
        Ok(())
    }
}

/// Whether a line of the answer is open afterwards. Tools go to standard error, so that what is piped on is the answer.
fn show(event: &Event, is_line_open: bool) -> bool {
    match event {
        Event::Text(whole) => {
            // A tool has ended the line before.
            let text = whole.strip_prefix(if is_line_open { "" } else { "\n" });
            let text = text.unwrap_or(whole);
            let mut out = std::io::stdout();
            let _ = out.write_all(text.as_bytes());
            let _ = out.flush();
            !text.ends_with('\n')
        }
        Event::Tool { name, input, ok } => {
            if is_line_open {
                print("\n");
            }
            let failed = if *ok { "" } else { " failed" };
            eprintln!("  · {name} {input}{failed}");
            false
        }
        Event::Proposal(_) => is_line_open,
    }
}
