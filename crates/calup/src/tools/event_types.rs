//! `cal_get_event_types`.

use serde_json::{Value, json};

use super::{Answer, Desk, Input, Tool, said};

pub struct EventTypes;

#[async_trait::async_trait]
impl Tool for EventTypes {
    fn name(&self) -> &'static str {
        "cal_get_event_types"
    }

    fn title(&self) -> &'static str {
        "Event types"
    }

    fn description(&self) -> &'static str {
        "Lists the user's event types at Cal.com: id, slug, title, length in minutes, booking link. Use it to find the id \
         or slug that other tools want. Hidden ones can be booked by their link all the same."
    }

    fn input_schema(&self) -> Value {
        json!({ "type": "object", "properties": {}, "required": [] })
    }

    async fn call(&self, desk: &Desk<'_>, _input: &Input) -> Answer {
        let found = desk.account()?.event_types().await?;
        let shown: Vec<Value> = found.iter().map(said::event_type).collect();
        let mut answer = json!({ "event_types": shown });
        if found.is_empty() {
            answer["note"] =
                "Cal.com lists no event types of the user's own (a team's are not looked at); they make them at Cal.com under Event types"
                    .into();
        }
        Ok(answer)
    }
}
