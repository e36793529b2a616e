//! How a stream of events becomes a reply.
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>

use domain::outcome::Failure;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::errors;

/// Blocks in one reply.
const BLOCKS_MAX: usize = 512;

/// One round, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The blocks in the API's own shape, for the assistant's turn in the next round's messages.
    pub content: Vec<Value>,
    pub text: String,
    pub tool_uses: Vec<ToolUse>,
    /// `end_turn`, `tool_use`, `max_tokens`, `refusal`, …
    pub stop_reason: String,
    pub usage: Usage,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ToolUse {
    pub id: String,
    pub name: String,
    /// `None` when it was cut off and is no JSON.
    pub input: Option<Value>,
}

/// In tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cache_creation_input_tokens: u64,
    pub cache_read_input_tokens: u64,
}

/// A reply as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Draft {
    blocks: Vec<Block>,
    usage: Usage,
    stop_reason: Option<String>,
    is_whole: bool,
}

#[derive(Debug, Default)]
struct Block {
    content: Map<String, Value>,
    /// A tool's input comes as pieces of JSON.
    input: String,
}

impl Draft {
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Gives the text that an event adds. Events and blocks of kinds that are not known are let be.
    pub fn take(&mut self, data: &str) -> Result<Option<String>, Failure> {
        let Ok(event) = serde_json::from_str::<Value>(data) else {
            return Err(errors::broken("an event of its stream is no JSON"));
        };
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => self.count(&event["message"]["usage"]),
            "content_block_start" => return self.begin(&event),
            "content_block_delta" => return self.add(&event),
            "message_delta" => {
                if let Some(reason) = event["delta"]["stop_reason"].as_str() {
                    self.stop_reason = Some(reason.to_owned());
                }
                self.count(&event["usage"]);
            }
            "message_stop" => self.is_whole = true,
            "error" => return Err(errors::in_stream(&event["error"])),
            _ => {}
        }
        Ok(None)
    }

    /// Later counts are of the whole message; what they leave out stays.
    fn count(&mut self, usage: &Value) {
        let of = |name: &str, had: u64| usage[name].as_u64().unwrap_or(had);
        let had = self.usage;
        self.usage = Usage {
            input_tokens: of("input_tokens", had.input_tokens),
            output_tokens: of("output_tokens", had.output_tokens),
            cache_creation_input_tokens: of(
                "cache_creation_input_tokens",
                had.cache_creation_input_tokens,
            ),
            cache_read_input_tokens: of("cache_read_input_tokens", had.cache_read_input_tokens),
        };
    }

    fn begin(&mut self, event: &Value) -> Result<Option<String>, Failure> {
        let content = event["content_block"].as_object().cloned();
        let index = event["index"].as_u64();
        if index != Some(self.blocks.len() as u64) || self.blocks.len() >= BLOCKS_MAX {
            return Err(errors::broken("the parts of its reply are out of order"));
        }
        let content = content.unwrap_or_default();
        let text = match content.get("type").and_then(Value::as_str) {
            Some("text") => content.get("text").and_then(Value::as_str),
            _ => None,
        };
        let text = text.filter(|text| !text.is_empty()).map(str::to_owned);
        self.blocks.push(Block {
            content,
            input: String::new(),
        });
        Ok(text)
    }

    fn add(&mut self, event: &Value) -> Result<Option<String>, Failure> {
        let index = event["index"].as_u64().unwrap_or(u64::MAX);
        let block = usize::try_from(index).ok();
        let Some(block) = block.and_then(|index| self.blocks.get_mut(index)) else {
            return Err(errors::broken("the parts of its reply are out of order"));
        };
        let delta = &event["delta"];
        let of = |name: &str| delta[name].as_str().unwrap_or_default();
        match of("type") {
            "text_delta" => {
                block.append("text", of("text"));
                return Ok(Some(of("text").to_owned()).filter(|text| !text.is_empty()));
            }
            "input_json_delta" => block.input.push_str(of("partial_json")),
            "thinking_delta" => block.append("thinking", of("thinking")),
            "signature_delta" => block.append("signature", of("signature")),
            "citations_delta" => {
                let all = block.content.entry("citations").or_insert(Value::Null);
                match all {
                    Value::Array(all) => all.push(delta["citation"].clone()),
                    other => *other = Value::Array(vec![delta["citation"].clone()]),
                }
            }
            _ => {}
        }
        Ok(None)
    }

    pub fn reply(self) -> Result<Reply, Failure> {
        let stop_reason = self.stop_reason;
        let stop_reason =
            stop_reason.ok_or_else(|| errors::broken("its reply ended without a reason"))?;
        let mut reply = Reply {
            content: Vec::with_capacity(self.blocks.len()),
            text: String::new(),
            tool_uses: Vec::new(),
            stop_reason,
            usage: self.usage,
        };
        for block in self.blocks {
            if let Some(content) = block.whole(&mut reply) {
                reply.content.push(Value::Object(content));
            }
        }
        Ok(reply)
    }
}

impl Block {
    fn append(&mut self, name: &str, more: &str) {
        match self.content.get_mut(name) {
            Some(Value::String(text)) => text.push_str(more),
            _ => {
                self.content.insert(name.to_owned(), more.into());
            }
        }
    }

    /// `None` for what the API would not take back: a blank text.
    fn whole(mut self, reply: &mut Reply) -> Option<Map<String, Value>> {
        let of = |name: &str| self.content.get(name).and_then(Value::as_str);
        match of("type") {
            Some("text") => {
                let text = of("text").unwrap_or_default().to_owned();
                reply.text.push_str(&text);
                (!text.trim().is_empty()).then_some(self.content)
            }
            Some("tool_use") => {
                let input = if self.input.is_empty() {
                    self.content.get("input").cloned()
                } else {
                    serde_json::from_str(&self.input).ok()
                };
                let input = input.filter(Value::is_object);
                reply.tool_uses.push(ToolUse {
                    id: of("id").unwrap_or_default().to_owned(),
                    name: of("name").unwrap_or_default().to_owned(),
                    input: input.clone(),
                });
                let input = input.unwrap_or_else(|| Value::Object(Map::new()));
                self.content.insert("input".to_owned(), input);
                Some(self.content)
            }
            _ => Some(self.content),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn drafted(events: &[Value]) -> (Result<Reply, Failure>, Vec<String>) {
        let mut draft = Draft::default();
        let mut said = Vec::new();
        for event in events {
            match draft.take(&event.to_string()) {
                Ok(text) => said.extend(text),
                Err(failure) => return (Err(failure), said),
            }
        }
        (draft.reply(), said)
    }

    #[test]
    fn text_thinking_and_tools_in_parallel_become_one_reply() {
        let (reply, said) = drafted(&[
            json!({"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1, "cache_read_input_tokens": 7}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "ping"}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "I look"}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": " it up"}}),
            json!({"type": "content_block_stop", "index": 1}),
            json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "t1", "name": "a", "input": {}}}),
            json!({"type": "content_block_start", "index": 3, "content_block": {"type": "tool_use", "id": "t2", "name": "b", "input": {}}}),
            json!({"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": "{\"x\":"}}),
            json!({"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": "1}"}}),
            json!({"type": "new_kind_of_event"}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 30}}),
            json!({"type": "message_stop"}),
        ]);
        let reply = reply.expect("a reply");
        assert_eq!(said, ["I look", " it up"]);
        assert_eq!(reply.text, "I look it up");
        assert_eq!(reply.stop_reason, "tool_use");
        let used = |name: &str, id: &str, input| ToolUse {
            id: id.into(),
            name: name.into(),
            input: Some(input),
        };
        assert_eq!(
            reply.tool_uses,
            [used("a", "t1", json!({})), used("b", "t2", json!({"x": 1}))]
        );
        assert_eq!(
            reply.content[0],
            json!({"type": "thinking", "thinking": "hm", "signature": "c2ln"})
        );
        let usage = Usage {
            input_tokens: 9,
            output_tokens: 30,
            cache_creation_input_tokens: 0,
            cache_read_input_tokens: 7,
        };
        assert_eq!(reply.usage, usage);
    }

    #[test]
    fn a_tool_s_input_that_was_cut_off_is_told_from_an_empty_one() {
        let (reply, _) = drafted(&[
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "a", "input": {}}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{\"x\":"}}),
            json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}),
        ]);
        let reply = reply.expect("a reply");
        assert_eq!(reply.tool_uses[0].input, None);
        assert_eq!(reply.content[0]["input"], json!({}));
    }

    #[test]
    fn an_error_in_the_middle_ends_the_draft() {
        let (reply, said) = drafted(&[
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Half"}}),
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        ]);
        assert_eq!(said, ["Half"]);
        assert!(matches!(reply, Err(Failure::Transient { .. })));
    }

    #[test]
    fn parts_out_of_order_are_no_reply() {
        for event in [
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
        ] {
            assert!(drafted(&[event]).0.is_err());
        }
    }
}
