//! How a question looks in Slack, as it stands.

use domain::lead::{RichText, Run};
use domain::text::{NAME_CHARS_MAX, one_line};
use domain::when;
use store::rows::{Answer, Candidate, Closed, Question, QuestionState};
use vendors::slack::{Block, Button, Message, Style};

pub const PERSON: &str = "calup_person";
pub const MEETING: &str = "calup_meeting";
pub const NEW: &str = "calup_new";
pub const IGNORE: &str = "calup_ignore";

pub fn of(question: &Question) -> Message {
    let mut blocks = vec![
        Block::Header(heading(question).to_owned()),
        Block::Section(booker(question)),
    ];
    match question.state {
        QuestionState::Open => choices(&mut blocks, question),
        QuestionState::Answered | QuestionState::Closed => {
            blocks.push(Block::Section(vec![bold(&outcome(question))]));
        }
    }
    Message {
        text: format!(
            "{}: {}",
            heading(question),
            shown(&question.asked.person_name)
        ),
        blocks,
        marker: None,
    }
}

fn heading(question: &Question) -> &'static str {
    match question.state {
        QuestionState::Open => "Whose meeting is this?",
        QuestionState::Answered => "Answered: whose meeting is this?",
        QuestionState::Closed => "Closed: whose meeting is this?",
    }
}

fn booker(question: &Question) -> RichText {
    let asked = &question.asked;
    let mut text = vec![bold(&shown(&asked.person_name))];
    let about = [&asked.email, &asked.phone, &asked.company];
    for known in about.into_iter().flatten() {
        text.push(plain(&format!(" · {}", shown(known))));
    }
    let at = when::moment(asked.starts_at, &asked.time_zone);
    text.push(plain(&format!("\n{}\n{at}", shown(&asked.title))));
    text
}

fn choices(blocks: &mut Vec<Block>, question: &Question) {
    let id = &question.id;
    for (n, candidate) in question.asked.candidates.iter().enumerate() {
        blocks.push(Block::Section(described(candidate)));
        let value = format!("{id} {}", candidate.lead);
        blocks.push(Block::Actions {
            id: format!("{id}-{n}"),
            buttons: vec![
                button(
                    &format!("{PERSON}_{n}"),
                    "This person",
                    &value,
                    Style::Primary,
                ),
                button(
                    &format!("{MEETING}_{n}"),
                    "Only this meeting",
                    &value,
                    Style::Plain,
                ),
            ],
        });
    }
    blocks.push(Block::Divider);
    blocks.push(Block::Actions {
        id: format!("{id}-none"),
        buttons: vec![
            button(NEW, "New lead", id, Style::Plain),
            button(IGNORE, "Not a lead", id, Style::Danger),
        ],
    });
    let closes = when::moment(question.asked.closes_at, &question.asked.time_zone);
    blocks.push(Block::Context(vec![plain(&format!(
        "Only the name matches. Unanswered, it becomes a new lead: {closes}."
    ))]));
}

fn described(candidate: &Candidate) -> RichText {
    let mut name = bold(&shown(&candidate.name));
    name.link.clone_from(&candidate.url);
    let mut about = vec![shown(&candidate.list), shown(&candidate.status)];
    about.extend(candidate.email.as_deref().map(shown));
    about.push(format!(
        "updated {}",
        candidate.updated_at.strftime("%-d %b %Y")
    ));
    vec![
        name,
        plain(&format!("\n{}\n{}", about.join(" · "), candidate.why)),
    ]
}

/// Who decided what, or why nobody did.
pub fn outcome(question: &Question) -> String {
    if let Some(given) = &question.given {
        let what = match &given.answer {
            Answer::Person(lead) => format!("this person is {}", named(question, lead)),
            Answer::Meeting(lead) => format!("this meeting is {}'s", named(question, lead)),
            Answer::New => "this is a new lead".to_owned(),
            Answer::Ignore => "this is not a lead".to_owned(),
        };
        let late = if question.closed.is_some() {
            ", after it had become a new lead"
        } else {
            ""
        };
        return format!("{} decided{late}: {what}.", given.by);
    }
    match question.closed {
        Some((Closed::Cancelled, _)) => {
            "The meeting was cancelled before anybody answered: nothing was made.".to_owned()
        }
        Some((Closed::Expired, _)) | None => {
            "Nobody answered in time: it became a new lead.".to_owned()
        }
    }
}

fn named(question: &Question, lead: &str) -> String {
    let candidate = question.asked.candidates.iter().find(|c| c.lead == lead);
    candidate.map_or_else(|| format!("task {lead}"), |c| shown(&c.name))
}

fn button(action_id: &str, label: &str, value: &str, style: Style) -> Button {
    Button {
        action_id: action_id.to_owned(),
        label: label.to_owned(),
        value: value.to_owned(),
        style,
    }
}

fn shown(text: &str) -> String {
    one_line(text, NAME_CHARS_MAX)
}

fn bold(text: &str) -> Run {
    Run {
        text: text.to_owned(),
        bold: true,
        link: None,
    }
}

fn plain(text: &str) -> Run {
    Run {
        text: text.to_owned(),
        ..Run::default()
    }
}
