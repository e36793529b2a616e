//! How what is said becomes an answer: a stream of events, or a whole message.
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Config, Part, Say, checks};
use crate::http::{Answer, Paced, Reply};

const SIGNATURE: &str = "c2ltdWxhdGVk";

pub(super) fn paced(
    say: &Say,
    request: &Value,
    id: u64,
    config: &Config,
    sent: Arc<Mutex<Vec<Instant>>>,
) -> Reply {
    let mut events = events(say, request, id, config.piece_chars.max(1));
    let mut cut = false;
    if let Some((after, kind)) = &say.error_after {
        events.truncate(*after);
        events.push(checks::error(kind, "Overloaded"));
    } else if let Some(after) = say.cut_after {
        events.truncate(after);
        cut = true;
    }
    let mut pieces: VecDeque<(Duration, Bytes)> = VecDeque::new();
    for (index, event) in events.iter().enumerate() {
        let kind = event["type"].as_str().unwrap_or_default();
        let pause = if index == 0 {
            Duration::ZERO
        } else {
            config.pause
        };
        let text = format!("event: {kind}\ndata: {event}\n\n");
        pieces.push_back((pause, Bytes::from(text)));
    }
    let mut paced = Paced::new(pieces, sent);
    paced.cut = cut;
    let answer = Answer {
        status: 200,
        headers: vec![
            (
                "content-type".to_owned(),
                "text/event-stream; charset=utf-8".to_owned(),
            ),
            ("cache-control".to_owned(), "no-cache".to_owned()),
        ],
        body: Bytes::new(),
    };
    Reply::Paced(answer, paced)
}

pub(super) fn whole(say: &Say, request: &Value, id: u64) -> Answer {
    let content: Vec<Value> = say
        .parts
        .iter()
        .enumerate()
        .map(|(index, part)| match part {
            Part::Text(text) => json!({ "type": "text", "text": text }),
            Part::Thinking(text) => json!({ "type": "thinking", "thinking": text, "signature": SIGNATURE }),
            Part::Tool { name, input } => json!({ "type": "tool_use", "id": tool_id(id, index), "name": name, "input": input }),
            Part::RawTool { name, input } => json!({ "type": "tool_use", "id": tool_id(id, index), "name": name, "input": serde_json::from_str::<Value>(input).unwrap_or_else(|_| json!({})) }),
        })
        .collect();
    let mut message = head(request, id);
    message["content"] = content.into();
    message["stop_reason"] = stop_reason(say).into();
    Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Bytes::from(message.to_string()),
    }
}

fn events(say: &Say, request: &Value, id: u64, piece_chars: usize) -> Vec<Value> {
    let mut events = vec![json!({ "type": "message_start", "message": head(request, id) })];
    let mut output_tokens = 1;
    for (index, part) in say.parts.iter().enumerate() {
        let (block, deltas) = match part {
            Part::Text(text) => (
                json!({ "type": "text", "text": "" }),
                deltas(
                    text,
                    piece_chars,
                    |piece| json!({ "type": "text_delta", "text": piece }),
                ),
            ),
            Part::Thinking(text) => {
                let mut all = deltas(
                    text,
                    piece_chars,
                    |piece| json!({ "type": "thinking_delta", "thinking": piece }),
                );
                all.push(json!({ "type": "signature_delta", "signature": SIGNATURE }));
                (
                    json!({ "type": "thinking", "thinking": "", "signature": "" }),
                    all,
                )
            }
            Part::Tool { name, input } => {
                let text = input.to_string();
                // A tool without input has an empty piece only.
                let text = if text == "{}" { "" } else { &text };
                tool(name, text, &tool_id(id, index), piece_chars)
            }
            Part::RawTool { name, input } => tool(name, input, &tool_id(id, index), piece_chars),
        };
        output_tokens += deltas.len();
        events
            .push(json!({ "type": "content_block_start", "index": index, "content_block": block }));
        if index == 0 {
            events.push(json!({ "type": "ping" }));
        }
        events.extend(
            deltas.into_iter().map(
                |delta| json!({ "type": "content_block_delta", "index": index, "delta": delta }),
            ),
        );
        events.push(json!({ "type": "content_block_stop", "index": index }));
    }
    events.push(json!({
        "type": "message_delta",
        "delta": { "stop_reason": stop_reason(say), "stop_sequence": null },
        "usage": { "output_tokens": output_tokens },
    }));
    events.push(json!({ "type": "message_stop" }));
    events
}

fn tool(name: &str, input: &str, id: &str, piece_chars: usize) -> (Value, Vec<Value>) {
    let piece = |piece: &str| json!({ "type": "input_json_delta", "partial_json": piece });
    let mut all = vec![piece("")];
    all.extend(deltas(input, piece_chars, piece));
    (
        json!({ "type": "tool_use", "id": id, "name": name, "input": {} }),
        all,
    )
}

fn deltas(text: &str, piece_chars: usize, delta: impl Fn(&str) -> Value) -> Vec<Value> {
    let chars: Vec<char> = text.chars().collect();
    chars
        .chunks(piece_chars)
        .map(|piece| delta(&piece.iter().collect::<String>()))
        .collect()
}

fn head(request: &Value, id: u64) -> Value {
    json!({
        "id": format!("msg_sim{id:04}"), "type": "message", "role": "assistant", "model": request["model"],
        "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {
            "input_tokens": request.to_string().len() / 4, "output_tokens": 1,
            "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        },
    })
}

fn stop_reason(say: &Say) -> &str {
    let uses_tool = |part: &Part| matches!(part, Part::Tool { .. } | Part::RawTool { .. });
    match &say.stop_reason {
        Some(reason) => reason,
        None if say.parts.iter().any(uses_tool) => "tool_use",
        None => "end_turn",
    }
}

fn tool_id(id: u64, index: usize) -> String {
    format!("toolu_sim{id:04}{index:02}")
}
