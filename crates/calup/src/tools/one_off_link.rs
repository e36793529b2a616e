//! `cal_one_off_link`: proposes to make a link that can be booked once.

use serde_json::{Value, json};

use super::{Answer, Desk, Input, Tool, Trouble, availability, booking_link};

pub struct OneOff;

#[async_trait::async_trait]
impl Tool for OneOff {
    fn name(&self) -> &'static str {
        "cal_one_off_link"
    }

    fn title(&self) -> &'static str {
        "Propose a one-off link"
    }

    fn description(&self) -> &'static str {
        "Proposes to make a private link for an event type, which is used up by one booking. It is made when the user \
         confirms the proposal themselves; the link comes with the confirmation."
    }

    fn input_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": { "event_type_slug": { "type": "string", "description": "The event type's slug" } },
            "required": ["event_type_slug"],
        })
    }

    fn proposes(&self) -> bool {
        true
    }

    async fn call(&self, desk: &Desk<'_>, input: &Input) -> Answer {
        let account = desk.account()?;
        let event_type = booking_link::by_slug(&account, input.needed("event_type_slug")?).await?;
        let summary = format!(
            "Make a link for `{}` that can be booked once",
            event_type.title
        );
        let arguments =
            json!({ "event_type_id": event_type.id, "event_type_slug": event_type.slug });
        desk.propose(self, arguments, summary).await
    }

    async fn carry_out(&self, desk: &Desk<'_>, arguments: &Value) -> Answer {
        let account = desk.account()?;
        let Some(id) = arguments["event_type_id"].as_i64() else {
            return Err(Trouble::ours("the proposal cannot be read"));
        };
        let event_type = availability::by_id(&account, id).await?;
        let made = account
            .cal
            .one_off_link(event_type.id, &event_type.slug)
            .await?;
        Ok(json!({ "booking_url": made.url, "event_type_slug": event_type.slug }))
    }
}
