//! A conversation with Claude: rounds of asking and of using tools, until it has answered. Bounded in rounds, calls and
//! tokens. What was said is kept, sealed, per conversation.

use std::time::Duration;

use domain::outcome::Failure;
use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::rows::{Paper, PaperKind};
use vendors::claude::{Ask, Claude, Reply, ToolUse};

use crate::app::App;
use crate::tools::{self, Blame, By, Trouble};
use crate::{clock, hosts, proposals};

/// Kept in one file that names its version, and compared by a test: a change of it is a change of what the assistant does.
pub const INSTRUCTIONS: &str = include_str!("chat/instructions.md");
const ROUNDS_MAX: usize = 8;
/// At once; what is more is answered with a word.
const TOOLS_AT_ONCE: usize = 8;
const TOKENS_OF_A_ROUND: u32 = 4_096;
/// Of one answer, over all its rounds: said, and read (but for what Anthropic had kept).
const TOKENS_MAX: u64 = 24_000;
const TOKENS_READ_MAX: u64 = 300_000;
/// In one answer: whoever is asked for more says yes without reading.
const PROPOSALS_MAX: usize = 5;
/// An overloaded Claude is asked again, as long as nothing was passed on.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(10);
const MESSAGES_MAX: usize = 200;
const CHARS_MAX: usize = 100_000;
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What happens while it answers.
#[derive(Debug, Clone)]
pub enum Event {
    Text(String),
    Tool {
        name: String,
        input: Value,
        ok: bool,
    },
    Proposal(Value),
}

#[derive(Debug, Clone, Default)]
pub struct Answered {
    pub conversation: String,
    pub reply: String,
    pub tools: Vec<Value>,
    pub proposals: Vec<Value>,
}

impl Answered {
    pub fn json(&self) -> Value {
        json!({
            "conversation": self.conversation, "reply": self.reply, "tools": self.tools, "proposals": self.proposals,
        })
    }
}

/// A conversation so far.
struct Conversation {
    id: String,
    /// 0 for a new one.
    version: i64,
    messages: Vec<Value>,
}

/// What a person asks: texts of theirs, perhaps with earlier ones of the assistant's.
pub fn asked(messages: &Value) -> Result<Vec<Value>, Trouble> {
    let wrong = |error: &str| {
        let hint =
            r#"send {"messages": [{"role": "user", "content": "…"}]}, the last one the user's"#;
        Trouble::input(error, hint)
    };
    let messages = messages.as_array().filter(|all| !all.is_empty());
    let messages = messages.ok_or_else(|| wrong("there are no messages"))?;
    if messages.len() > MESSAGES_MAX {
        return Err(wrong("there are more than 200 messages"));
    }
    let mut out: Vec<Value> = Vec::with_capacity(messages.len());
    let mut chars = 0;
    for message in messages {
        let role = message["role"].as_str().unwrap_or_default();
        if !matches!(role, "user" | "assistant") {
            return Err(wrong("a message's role is neither user nor assistant"));
        }
        let text = text_of(&message["content"]).ok_or_else(|| wrong("a message is no text"))?;
        chars += text.chars().count();
        if text.trim().is_empty() {
            return Err(wrong("a message is empty"));
        }
        out.push(json!({ "role": role, "content": text }));
    }
    if chars > CHARS_MAX {
        return Err(wrong("the messages are longer than 100,000 characters"));
    }
    if out.last().is_none_or(|last| last["role"] != "user") {
        return Err(wrong("the last message is not the user's"));
    }
    Ok(out)
}

/// Text, or blocks of text: nobody but Claude uses tools, and nobody but we answer it.
fn text_of(content: &Value) -> Option<String> {
    if let Some(text) = content.as_str() {
        return Some(text.to_owned());
    }
    let blocks = content.as_array()?;
    let texts: Option<Vec<&str>> = blocks
        .iter()
        .map(|block| block["text"].as_str().filter(|_| block["type"] == "text"))
        .collect();
    Some(texts?.concat())
}

pub fn no_model() -> Trouble {
    Trouble::setup(
        "the chat has no model",
        "set ANTHROPIC_API_KEY to a key from platform.claude.com; the tools work without it, over MCP and /api/tools",
    )
}

/// What would end the answer before it begins.
pub async fn may_begin(app: &App, conversation: Option<&str>) -> Result<(), Trouble> {
    app.claude().ok_or_else(no_model)?;
    open(app, conversation).await.map(|_| ())
}

pub async fn answer(
    app: &App,
    by: &By,
    conversation: Option<&str>,
    asked: Vec<Value>,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<Answered, Trouble> {
    let claude = app.claude().ok_or_else(no_model)?;
    let mut conversation = open(app, conversation).await?;
    // What was said before may name booking pages.
    if !conversation.messages.is_empty() || asked.len() > 1 {
        hosts::learn(app).await;
    }
    let before = conversation.messages.len();
    conversation.messages.extend(new(asked, before > 0));
    let tools = tools::schemas();
    let mut answered = Answered {
        conversation: conversation.id.clone(),
        ..Answered::default()
    };
    let (mut tokens, mut tokens_read) = (0, 0);
    for round in 0..ROUNDS_MAX {
        let is_spent = tokens >= TOKENS_MAX || tokens_read >= TOKENS_READ_MAX;
        let is_last = round + 1 == ROUNDS_MAX || is_spent;
        let ask = Ask {
            system: INSTRUCTIONS,
            tools: &tools,
            messages: &conversation.messages,
            tokens_max: TOKENS_OF_A_ROUND,
            may_use_tools: !is_last,
        };
        let mut links = hosts::links(app);
        let reply = &mut answered.reply;
        let mut is_begun = false;
        let mut pass_on = |text: String| {
            if text.is_empty() {
                return;
            }
            // Nor is an address made of what two rounds say.
            if !is_begun && !reply.is_empty() {
                reply.push_str("\n\n");
                tell(Event::Text("\n\n".to_owned()));
            }
            is_begun = true;
            reply.push_str(&text);
            tell(Event::Text(text));
        };
        let reply = ask_claude(&claude, ask, &mut |piece| pass_on(links.take(piece))).await;
        pass_on(links.end());
        let mut reply = reply?;
        tokens += reply.usage.output_tokens;
        tokens_read += reply.usage.input_tokens + reply.usage.cache_creation_input_tokens;
        if is_last {
            // Nobody answers it, and without an answer the conversation could not go on.
            reply.content.retain(|block| block["type"] == "text");
        }
        if !reply.content.is_empty() {
            conversation
                .messages
                .push(json!({ "role": "assistant", "content": reply.content }));
        }
        if reply.tool_uses.is_empty() || is_last {
            end(&reply, &mut answered, tell);
            if reply.stop_reason == "refusal" {
                // It would be declined with every question to come.
                conversation.messages.truncate(before);
            }
            break;
        }
        let results = use_tools(app, by, &reply.tool_uses, &mut answered, tell).await;
        conversation
            .messages
            .push(json!({ "role": "user", "content": results }));
    }
    keep(app, conversation).await?;
    Ok(answered)
}

/// What is not known yet: a program may send all that was said along with each question, and Claude wants the user to begin.
fn new(mut asked: Vec<Value>, goes_on: bool) -> Vec<Value> {
    let is_claudes = |message: &Value| message["role"] == "assistant";
    let known = if goes_on {
        asked
            .iter()
            .rposition(is_claudes)
            .map_or(0, |last| last + 1)
    } else {
        asked.iter().take_while(|m| is_claudes(m)).count()
    };
    asked.drain(..known);
    asked
}

/// Says why an answer is short, where it is.
fn end(reply: &Reply, answered: &mut Answered, tell: &mut (dyn FnMut(Event) + Send)) {
    let word = match reply.stop_reason.as_str() {
        "max_tokens" => "\n\n(The answer was cut off: it became too long.)",
        "refusal" if answered.reply.is_empty() => "(Claude declined to answer that.)",
        "refusal" => "\n\n(Claude declined to answer that.)",
        "tool_use" => "\n\n(It took too many steps; ask for less at once.)",
        _ if answered.reply.trim().is_empty() => "(No answer came.)",
        _ => return,
    };
    answered.reply.push_str(word);
    tell(Event::Text(word.to_owned()));
}

async fn ask_claude(
    claude: &Claude,
    ask: Ask<'_>,
    said: &mut (dyn FnMut(&str) + Send),
) -> Result<Reply, Trouble> {
    let mut tries = 1;
    loop {
        let mut has_begun = false;
        let asked = claude
            .reply(ask, &mut |piece| {
                has_begun = true;
                said(piece);
            })
            .await;
        let failure = match asked {
            Ok(reply) => return Ok(reply),
            Err(failure) => failure,
        };
        let pause = match &failure {
            Failure::Transient { .. } => Some(PAUSE * tries),
            Failure::Limited { until, .. } => {
                let left = until.duration_since(clock::now());
                Duration::try_from(left)
                    .ok()
                    .filter(|left| *left <= PAUSE_MAX)
            }
            _ => None,
        };
        match pause.filter(|_| !has_begun && tries < TRIES) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(told(failure)),
        }
        tries += 1;
    }
}

fn told(failure: Failure) -> Trouble {
    let is_refused = matches!(failure, Failure::Refused { .. });
    let mut trouble = Trouble::from(failure);
    if is_refused {
        trouble.hint = Some("ask for less at once, or begin a new conversation".to_owned());
    }
    trouble
}

async fn use_tools(
    app: &App,
    by: &By,
    uses: &[ToolUse],
    answered: &mut Answered,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Vec<Value> {
    let mut proposals_left = PROPOSALS_MAX.saturating_sub(answered.proposals.len());
    let uses_allowed = uses.iter().enumerate().map(|(n, used)| {
        let proposes = tools::tool(&used.name).is_ok_and(tools::Tool::proposes);
        let allowed = if n >= TOOLS_AT_ONCE {
            Err(Trouble::input(
                "too many tools at once",
                "use at most eight at once",
            ))
        } else if proposes && proposals_left == 0 {
            Err(Trouble::input(
                "too many proposals in one answer",
                "let the user decide about these first",
            ))
        } else {
            proposals_left -= usize::from(proposes);
            Ok(())
        };
        (used, allowed)
    });
    let answers = join_all(uses_allowed.map(|(used, allowed)| async move {
        allowed?;
        match &used.input {
            None => Err(Trouble::input(
                "the input was cut off",
                "send it anew, shorter",
            )),
            Some(input) => tools::call(app, by, &used.name, input).await,
        }
    }))
    .await;
    let links = hosts::links(app);
    let mut results = Vec::with_capacity(uses.len());
    for (used, answer) in uses.iter().zip(answers) {
        let input = hosts::shown(&links, &used.input.clone().unwrap_or_default());
        let name = hosts::text(&links, &used.name);
        let ok = answer.is_ok();
        answered
            .tools
            .push(json!({ "name": name, "input": input, "ok": ok }));
        tell(Event::Tool { name, input, ok });
        let content = match answer {
            Ok(result) => {
                if let Some(proposal) = proposals::for_people(&result) {
                    answered.proposals.push(proposal.clone());
                    tell(Event::Proposal(proposal));
                }
                result
            }
            Err(trouble) => {
                if trouble.blame == Blame::Ours {
                    tracing::error!(tool = used.name, "a tool failed: {}", trouble.error);
                }
                trouble.json()
            }
        };
        let text = content.to_string();
        let mut result = json!({ "type": "tool_result", "tool_use_id": used.id, "content": text });
        if !ok {
            result["is_error"] = true.into();
        }
        results.push(result);
    }
    results
}

async fn open(app: &App, id: Option<&str>) -> Result<Conversation, Trouble> {
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return Ok(Conversation {
            id: format!("c_{}", hex::encode(&clock::secret()[..16])),
            version: 0,
            messages: Vec::new(),
        });
    };
    let profile = &app.config.profile.name;
    let found = app
        .store
        .paper(profile, PaperKind::Conversation, id, clock::now())
        .await?;
    let found = found.and_then(|paper| {
        let messages = serde_json::from_slice(&paper.body).ok()?;
        Some(Conversation {
            id: paper.id,
            version: paper.version,
            messages,
        })
    });
    found.ok_or_else(|| {
        Trouble::not_there(
            "there is no such conversation",
            "leave `conversation` out to begin a new one; they are kept for 30 days",
        )
    })
}

async fn keep(app: &App, conversation: Conversation) -> Result<(), Trouble> {
    let now = clock::now();
    let paper = Paper {
        id: conversation.id,
        version: conversation.version,
        body: serde_json::to_vec(&shortened(conversation.messages)).unwrap_or_default(),
        until: Some(now + KEPT_FOR),
    };
    let profile = &app.config.profile.name;
    // Of two who ask in one conversation at once, the first to be answered is kept.
    app.store
        .write_paper(profile, PaperKind::Conversation, &paper, now)
        .await?;
    Ok(())
}

/// Without its oldest turns, when it has become long. A turn begins with what the user wrote.
fn shortened(mut messages: Vec<Value>) -> Vec<Value> {
    let chars = |all: &[Value]| all.iter().map(|m| m.to_string().len()).sum::<usize>();
    while chars(&messages) > 3 * CHARS_MAX {
        let is_users = |m: &Value| m["role"] == "user" && m["content"].is_string();
        let next = messages.iter().skip(1).position(is_users);
        match next {
            Some(at) => drop(messages.drain(..=at)),
            None => break,
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_of_people_are_taken() {
        let good = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}, {"role": "user", "content": [{"type": "text", "text": "Am I free?"}]}]);
        let taken = asked(&good).expect("taken");
        assert_eq!(taken[2], json!({"role": "user", "content": "Am I free?"}));
        for wrong in [
            json!(null),
            json!([]),
            json!([{"role": "system", "content": "x"}]),
            json!([{"role": "assistant", "content": "x"}]),
            json!([{"role": "user", "content": " "}]),
            json!([{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]}]),
            json!([{"role": "user", "content": "x".repeat(CHARS_MAX + 1)}]),
        ] {
            assert!(asked(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_was_said_before_is_said_once_and_the_user_begins() {
        let message = |role: &str, text: &str| json!({"role": role, "content": text});
        let (hello, hi) = (message("assistant", "Hello!"), message("user", "Hi"));
        let free = message("user", "Am I free?");
        let all = vec![hello.clone(), hi.clone(), hello, free.clone()];
        assert_eq!(new(all.clone(), false), all[1..]);
        assert_eq!(new(all.clone(), true), all[3..]);
        assert_eq!(new(vec![hi.clone(), free.clone()], true), [hi, free]);
    }

    #[test]
    fn a_long_conversation_loses_its_oldest_turns_whole() {
        let turn = |n: usize| {
            let long = "x".repeat(CHARS_MAX);
            [
                json!({"role": "user", "content": format!("{n}")}),
                json!({"role": "assistant", "content": [{"type": "tool_use"}]}),
                json!({"role": "user", "content": [{"type": "tool_result", "content": long}]}),
                json!({"role": "assistant", "content": [{"type": "text", "text": "done"}]}),
            ]
        };
        let left = shortened((0..5).flat_map(turn).collect());
        assert_eq!(left.len(), 8);
        assert_eq!(left[0]["content"], "3");
    }

    /// Each version is told apart: whoever changes the instructions counts on, and adds theirs here.
    const VERSIONS: [(u32, &str); 2] = [
        (
            1,
            "4e1b4aa116c78454762e1006fe9487ea096ed47c3f95a0bb3d9597cfb3b3c22a",
        ),
        (
            2,
            "73ac0df0831781ea283d9072000bb6b96684b0599803d337b2aaece690e9d589",
        ),
    ];

    #[test]
    fn the_instructions_are_those_of_their_version() {
        let (version, sha256) = VERSIONS[VERSIONS.len() - 1];
        let line = format!("(Version {version} of these instructions.)");
        assert_eq!(INSTRUCTIONS.lines().last(), Some(line.as_str()));
        let is = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(INSTRUCTIONS));
        assert_eq!(is, sha256, "they were changed: count the version on");
    }

    #[test]
    fn the_instructions_name_every_tool() {
        for tool in tools::TOOLS {
            assert!(INSTRUCTIONS.contains(tool.name()), "{}", tool.name());
        }
    }
}
