//! `calup questions`: what people are asked, and answering it here; works beside a running server, on its database.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use store::Store;
use store::rows::{Answer, Answered, Question, QuestionFilter, QuestionState};

use super::{open, print};
use crate::answers::{self, Given};
use crate::app::App;
use crate::config::Config;
use crate::{clock, view};

const NO_SUCH: &str = "there is no question with that id";

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// One of open, answered, closed.
    #[arg(long, value_parser = state, default_value = "open")]
    state: QuestionState,
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answers a question: `person TASK`, `meeting TASK`, `new`, or `ignore` (not a lead).
    Answer {
        id: String,
        answer: String,
        task: Option<String>,
    },
    /// Addresses that people said belong to a lead.
    Aliases {
        /// Forgets this one.
        #[arg(long)]
        forget: Option<String>,
    },
}

fn state(name: &str) -> Result<QuestionState, String> {
    QuestionState::parse(name).ok_or_else(|| "it must be one of open, answered, closed".to_owned())
}

pub async fn run(arguments: Arguments, config: &Config) -> Result<(), String> {
    match arguments.command {
        Some(Command::Answer { id, answer, task }) => {
            let given = Given::of(answer, task).meant();
            let given = given.unwrap_or_else(|why| super::wrong_usage(why));
            let app = app(config, open(config).await?)?;
            let own = answers::own(app.store.as_ref(), app.profile(), &id).await;
            let question = own.map_err(|e| e.to_string())?.ok_or(NO_SUCH)?;
            let said = give(&app, &question, given).await?;
            if arguments.json {
                let found = app.store.question(&id).await.map_err(|e| e.to_string())?;
                print(
                    &found
                        .as_ref()
                        .map_or(Value::Null, view::question)
                        .to_string(),
                );
            } else {
                print(&said);
            }
            Ok(())
        }
        Some(Command::Aliases { forget }) => {
            let store = open(config).await?;
            aliases(store.as_ref(), config, forget, arguments.json).await
        }
        None => {
            let store = open(config).await?;
            let filter = QuestionFilter {
                profile: Some(config.profile.name.clone()),
                state: Some(arguments.state),
                limit: arguments.limit.clamp(1, 500),
                after: None,
            };
            let found = store.questions(&filter).await.map_err(|e| e.to_string())?;
            if arguments.json {
                let questions: Vec<Value> = found.iter().map(view::question).collect();
                print(&json!({ "questions": questions }).to_string());
                return Ok(());
            }
            if found.is_empty() {
                print(&format!("no {} questions", arguments.state.name()));
            }
            let asks = arguments.state == QuestionState::Open && std::io::stdin().is_terminal();
            // What is only shown wants no ClickUp.
            let app = asks.then(|| app(config, store)).transpose()?;
            for question in &found {
                print(&told(question));
                if let Some(app) = &app {
                    ask(app, question).await?;
                }
            }
            Ok(())
        }
    }
}

async fn aliases(
    store: &dyn Store,
    config: &Config,
    forget: Option<String>,
    as_json: bool,
) -> Result<(), String> {
    let profile = &config.profile.name;
    if let Some(email) = forget {
        let was_there = store
            .forget_alias(profile, &email)
            .await
            .map_err(|e| e.to_string())?;
        if !was_there {
            return Err("there is no alias of that address".to_owned());
        }
        if as_json {
            print(&json!({ "forgotten": email }).to_string());
        } else {
            print("forgotten; leads that were linked by it stay linked");
        }
        return Ok(());
    }
    let all = store.aliases(profile).await.map_err(|e| e.to_string())?;
    if as_json {
        print(&json!({ "aliases": all }).to_string());
        return Ok(());
    }
    if all.is_empty() {
        print("no aliases");
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(["address", "task", "by", "since"]);
    for alias in &all {
        let since = alias.at.strftime("%F").to_string();
        table.add_row([&alias.email, &alias.lead, &alias.by, &since]);
    }
    print(&table.to_string());
    Ok(())
}

fn app(config: &Config, store: Arc<dyn Store>) -> Result<Arc<App>, String> {
    App::new(config.clone(), store).map_err(|failure| failure.to_string())
}

async fn give(app: &App, question: &Question, answer: Answer) -> Result<String, String> {
    if answers::is_about_no_task(app, question, &answer).await {
        let fix = "take the task of one of the candidates, or another one";
        return Err(format!("{}; {fix}", answers::NO_TASK));
    }
    let who = std::env::var("USER").unwrap_or_default();
    let by = if who.is_empty() {
        "the command line".to_owned()
    } else {
        format!("{who} (command line)")
    };
    let answered = app
        .store
        .answer(&question.id, answer, &by, clock::now())
        .await
        .map_err(|e| e.to_string())?;
    match answered {
        Answered::First => Ok("answered: its deliveries go on".to_owned()),
        Answered::Late => {
            Ok("answered late: a new lead had been made, and is linked anew".to_owned())
        }
        Answered::Before(given) => Err(format!(
            "{} has answered it already, at {}",
            given.by, given.at
        )),
        Answered::NoSuch => Err(NO_SUCH.to_owned()),
    }
}

fn told(question: &Question) -> String {
    let asked = &question.asked;
    let mut out = format!(
        "question {}\n  {}{}\n  {}, {}\n",
        question.id,
        asked.person_name,
        asked
            .email
            .as_ref()
            .map_or_else(String::new, |e| format!(" <{e}>")),
        asked.title,
        domain::when::moment(asked.starts_at, &asked.time_zone),
    );
    for (n, c) in asked.candidates.iter().enumerate() {
        out.push_str(&format!(
            "  {}. {} ({}, {}) task {}: {}\n",
            n + 1,
            c.name,
            c.list,
            c.status,
            c.lead,
            c.why
        ));
    }
    if question.state == QuestionState::Open {
        out.push_str(&format!(
            "  unanswered, it becomes a new lead: {}\n",
            domain::when::moment(asked.closes_at, &asked.time_zone)
        ));
    } else {
        out.push_str(&format!("  {}\n", crate::slack::outcome(question)));
    }
    out
}

/// One line from the terminal: a candidate's number for the person, `2m` for the meeting only.
async fn ask(app: &App, question: &Question) -> Result<(), String> {
    loop {
        eprint!(
            "  number = this person, number and m = only this meeting, n = new lead, i = not a lead, Enter = later: "
        );
        let _ = std::io::stderr().flush();
        let mut line = String::new();
        if std::io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|e| format!("could not read the answer: {e}"))?
            == 0
        {
            return Ok(());
        }
        let typed = line.trim().to_lowercase();
        let candidate = |digits: &str| {
            let n: usize = digits.trim().parse().ok()?;
            question.asked.candidates.get(n.checked_sub(1)?)
        };
        let answer = match typed.as_str() {
            "" => return Ok(()),
            "n" => Some(Answer::New),
            "i" => Some(Answer::Ignore),
            other => match other.strip_suffix('m') {
                Some(digits) => candidate(digits).map(|c| Answer::Meeting(c.lead.clone())),
                None => candidate(other).map(|c| Answer::Person(c.lead.clone())),
            },
        };
        let Some(answer) = answer else {
            continue;
        };
        match give(app, question, answer).await {
            Ok(said) | Err(said) => print(&format!("  {said}")),
        }
        return Ok(());
    }
}
