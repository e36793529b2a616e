//! `crm_find_person`.

use serde_json::{Value, json};

use super::{Answer, Desk, Input, Tool, people};

pub struct FindPerson;

#[async_trait::async_trait]
impl Tool for FindPerson {
    fn name(&self) -> &'static str {
        "crm_find_person"
    }

    fn title(&self) -> &'static str {
        "Find a person in the CRM"
    }

    fn description(&self) -> &'static str {
        "Finds people in the CRM (ClickUp) by e-mail address or by any part of their name. All who fit are given, the best \
         first: if more than one may be meant, ask which one. Take task_id for the other tools."
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": { "query": { "type": "string", "description": "A name, part of one, or an e-mail address" } },
            "required": ["query"],
        })
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let found = people::find(desk, input.needed("query")?).await?;
        let shown: Vec<Value> = found.people.iter().map(people::shown).collect();
        let next = match shown.len() {
            0 if found.note.is_some() => {
                "nobody is found yet, which says little: see the note, or ask for the e-mail address, by which everybody is found"
            }
            0 => {
                "nobody in the CRM fits: ask for the e-mail address, or for another spelling; without a record the plain booking link is the right one"
            }
            1 => "one fits",
            _ => "several fit: ask the user which one is meant, unless what they said decides it",
        };
        let mut answer = json!({ "people": shown, "next": next });
        if found.more {
            answer["more"] =
                "others fit less well: ask for more of the name, or for the e-mail".into();
        }
        if let Some(note) = found.note {
            answer["note"] = note.into();
        }
        Ok(answer)
    }
}
