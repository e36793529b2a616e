//! A person's own wording, as a template: <https://docs.rs/minijinja/latest/minijinja/syntax/>. It sees values and
//! nothing else, takes a bounded number of steps and makes a bounded text; what it names must exist.

use std::io::{self, Write};

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

/// About one per tag, filter and turn of a loop.
const STEPS_MAX: u64 = 5_000;
const OUT_BYTES_MAX: usize = 64 * 1024;
pub const SOURCE_BYTES_MAX: usize = 16 * 1024;

/// What a template can name. What an event lacks is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Values {
    /// "Meeting booked".
    pub heading: String,
    /// The meeting's title, or the form's name.
    pub title: String,
    /// What calup would have said, line by line.
    pub text: String,
    pub uid: String,
    /// The booker, or who filled in the form.
    pub name: String,
    pub email: String,
    pub phone: String,
    /// Times in the host's zone and the person's: when it is, or was, or is moved from and to.
    pub when: String,
    pub was: String,
    pub from: String,
    pub to: String,
    pub asked_for: String,
    pub host: String,
    /// A guest who is told of somebody's meeting.
    pub guest: String,
    pub with: String,
    pub guests: String,
    pub join: String,
    #[serde(rename = "where")]
    pub place: String,
    pub notes: String,
    pub reason: String,
    pub moved_by: String,
    pub cancelled_by: String,
    pub asked_by: String,
    pub amount: String,
    pub status_kept: String,
    /// The booker's answers.
    pub answers: Vec<Answer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub label: String,
    pub value: String,
}

/// The text that a template makes, or what is wrong with it, as a clause without a full stop.
pub fn render(source: &str, values: &Values) -> Result<String, String> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(format!("it is longer than {SOURCE_BYTES_MAX} bytes"));
    }
    let mut environment = Environment::empty();
    environment.set_fuel(Some(STEPS_MAX));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    for (name, filter) in [
        ("upper", str::to_uppercase as fn(&str) -> String),
        ("lower", str::to_lowercase),
        ("trim", |text| text.trim().to_owned()),
    ] {
        environment.add_filter(name, move |text: String| filter(&text));
    }
    environment.add_filter("default", minijinja::filters::default);
    environment.add_filter("length", minijinja::filters::length);
    environment.add_filter("first", minijinja::filters::first);
    environment.add_filter("join", minijinja::filters::join);
    let template = environment
        .template_from_str(source)
        .map_err(|e| said(&e))?;
    let mut out = Bounded(Vec::new());
    template
        .render_captured_to(Value::from(Serde(values)), &mut out)
        .map_err(|e| said(&e))?;
    String::from_utf8(out.0).map_err(|_| "it makes no text".to_owned())
}

fn said(error: &minijinja::Error) -> String {
    let what = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    match error.line() {
        Some(line) => format!("{what} in line {line}"),
        None => what,
    }
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUT_BYTES_MAX {
            return Err(io::Error::other("it makes more than 64 KiB of text"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(source: &str) -> Result<String, String> {
        let values = Values {
            name: "Ann <b> {{ uid }}".into(),
            answers: vec![Answer {
                label: "Team".into(),
                value: "5".into(),
            }],
            ..Values::default()
        };
        render(source, &values)
    }

    #[test]
    fn a_template_says_what_it_is_given() {
        for (source, text) in [
            ("Hi {{ name }}", "Hi Ann <b> {{ uid }}"),
            (
                "{% if reason %}Because {{ reason }}{% else %}-{% endif %}",
                "-",
            ),
            (
                "{% for a in answers %}{{ a.label }}={{ a.value | upper }};{% endfor %}",
                "Team=5;",
            ),
        ] {
            assert_eq!(made(source).as_deref(), Ok(text), "{source}");
        }
    }

    #[test]
    fn a_template_that_cannot_work_says_why() {
        for (source, why) in [
            ("{{ nmae }}", "undefined"),
            ("{% if %}", "syntax"),
            ("{% include 'x' %}", ""),
            ("{{ name | nothing }}", "filter"),
            (
                "{% for a in [1,2,3,4,5,6,7,8,9,10] %}{% for b in [1,2,3,4,5,6,7,8,9,10] %}{% for c in [1,2,3,4,5,6,7,8,9,10] %}{% for d in [1,2,3,4,5,6,7,8,9,10] %}{{ name }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
                "fuel",
            ),
        ] {
            let error = made(source).expect_err(source);
            assert!(error.contains(why), "{source}: {error}");
        }
    }
}
