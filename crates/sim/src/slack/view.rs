//! Setting the scene, and looking at it: channels, people, what they say, and what is to be seen.

use serde_json::Value;

use super::Slack;
use super::render::Seen;
use super::state::{Channel, LoggedCall, Message, User};

/// A message as a person finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageView {
    pub ts: String,
    /// Who posted it.
    pub user: String,
    /// In the channel.
    pub seen: Seen,
    /// In a notification.
    pub notified: Seen,
    pub buttons: Vec<ButtonView>,
    pub blocks: Vec<Value>,
    pub metadata: Option<Value>,
    pub edited: bool,
}

impl MessageView {
    fn of(message: &Message) -> Self {
        let notified = Seen::of_text(&message.text);
        let seen = if message.blocks.is_empty() {
            notified.clone()
        } else {
            Seen::of_blocks(&message.blocks)
        };
        Self {
            ts: message.ts.clone(),
            user: message.user.clone(),
            seen,
            notified,
            buttons: buttons(&message.blocks),
            blocks: message.blocks.clone(),
            metadata: message.metadata.clone(),
            edited: message.edited,
        }
    }

    /// Everybody who would be notified by name or by group, in the channel or by the notification's text.
    pub fn pings(&self) -> Vec<String> {
        let both = self.seen.pings.iter().chain(&self.notified.pings);
        both.cloned().collect()
    }

    pub fn button(&self, action_id: &str) -> Option<&ButtonView> {
        self.buttons.iter().find(|it| it.action_id == action_id)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ButtonView {
    pub block_id: String,
    pub action_id: String,
    /// As shown.
    pub label: String,
    pub value: String,
    pub style: Option<String>,
}

pub(super) fn buttons(blocks: &[Value]) -> Vec<ButtonView> {
    let mut found = Vec::new();
    for block in blocks {
        let elements = block["elements"].as_array().into_iter().flatten();
        for it in elements.chain([&block["accessory"]]) {
            if it["type"] == "button" {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let shown = Seen::of_blocks(&[serde_json::json!({"text": it["text"]})]);
                found.push(ButtonView {
                    block_id: text(&block["block_id"]),
                    action_id: text(&it["action_id"]),
                    label: shown.text,
                    value: text(&it["value"]),
                    style: it["style"].as_str().map(str::to_owned),
                });
            }
        }
    }
    found
}

impl Slack {
    /// A public channel with the app's bot in it.
    pub fn add_channel(&self, id: &str, name: &str) {
        self.state().channels.push(Channel {
            id: id.to_owned(),
            name: name.to_owned(),
            is_private: false,
            is_archived: false,
            is_member: true,
            messages: Vec::new(),
            ephemerals: Vec::new(),
        });
    }

    pub fn set_private(&self, channel: &str, is_private: bool) {
        self.with_channel(channel, |it| it.is_private = is_private);
    }

    pub fn set_archived(&self, channel: &str, is_archived: bool) {
        self.with_channel(channel, |it| it.is_archived = is_archived);
    }

    /// Whether the app's bot is in the channel.
    pub fn set_member(&self, channel: &str, is_member: bool) {
        self.with_channel(channel, |it| it.is_member = is_member);
    }

    pub fn add_user(&self, id: &str, name: &str) {
        self.state().users.push(User {
            id: id.to_owned(),
            name: name.to_owned(),
        });
    }

    /// A person writes this; its time stamp.
    pub fn human_say(&self, channel: &str, user: &str, text: &str) -> String {
        let message = self.state().blank_message(user, text, Vec::new());
        let ts = message.ts.clone();
        self.with_channel(channel, |it| it.messages.push(message));
        ts
    }

    /// A person deletes any message.
    pub fn human_delete(&self, channel: &str, ts: &str) {
        self.with_channel(channel, |it| {
            let messages = &mut it.messages;
            let message = messages.iter_mut().find(|it| it.ts == ts);
            message.expect("the message exists").deleted = true;
        });
    }

    /// What is to be seen there, oldest first.
    pub fn messages(&self, channel: &str) -> Vec<MessageView> {
        self.with_channel(channel, |it| {
            let there = it.messages.iter().filter(|it| !it.deleted);
            there.map(MessageView::of).collect()
        })
    }

    pub fn message(&self, channel: &str, ts: &str) -> Option<MessageView> {
        let all = self.messages(channel);
        all.into_iter().find(|it| it.ts == ts)
    }

    /// What only this person was told, oldest first.
    pub fn whispers(&self, channel: &str, user: &str) -> Vec<MessageView> {
        self.with_channel(channel, |it| {
            let theirs = it.ephemerals.iter().filter(|(who, _)| who == user);
            theirs.map(|(_, it)| MessageView::of(it)).collect()
        })
    }

    /// What the app asked, oldest first.
    pub fn calls(&self) -> Vec<LoggedCall> {
        self.state().calls.iter().cloned().collect()
    }

    /// How often this method of the Web API was called.
    pub fn calls_of(&self, method: &str) -> usize {
        let state = self.state();
        state.calls.iter().filter(|it| it.method == method).count()
    }

    pub fn refused_429(&self) -> u64 {
        self.state().refused_429
    }

    fn with_channel<T>(&self, id: &str, look: impl FnOnce(&mut Channel) -> T) -> T {
        let mut state = self.state();
        let at = state.channel(id);
        let at = at.unwrap_or_else(|| panic!("channel {id} was not added"));
        look(&mut state.channels[at])
    }
}
