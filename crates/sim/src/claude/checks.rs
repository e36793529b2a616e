//! Which requests the Messages API takes, and what it says to others.
//! <https://platform.claude.com/docs/en/api/messages>

use serde_json::{Value, json};

use super::Config;
use crate::http::Call;

type Refusal = (u16, Value);

pub(super) fn error(kind: &str, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "req_sim" })
}

fn invalid(message: &str) -> Refusal {
    (400, error("invalid_request_error", message))
}

pub(super) fn request(call: &Call, config: &Config) -> Result<Value, Refusal> {
    let header = |name: &str| call.headers.get(name).and_then(|it| it.to_str().ok());
    if call.path != "/v1/messages" {
        return Err((404, error("not_found_error", "Not found")));
    }
    if call.method != "POST" {
        return Err((405, error("invalid_request_error", "Method Not Allowed")));
    }
    if header("x-api-key") != Some(config.api_key.as_str()) {
        return Err((401, error("authentication_error", "invalid x-api-key")));
    }
    if header("anthropic-version") != Some("2023-06-01") {
        return Err(invalid("anthropic-version: header is required"));
    }
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|_| invalid("The request body is not valid JSON"))?;
    let model = body["model"].as_str().unwrap_or_default();
    if model.is_empty() {
        return Err(invalid("model: Field required"));
    }
    if !config.models.is_empty() && !config.models.iter().any(|it| it == model) {
        return Err((404, error("not_found_error", &format!("model: {model}"))));
    }
    if body["max_tokens"].as_u64().unwrap_or_default() == 0 {
        return Err(invalid("max_tokens: Field required"));
    }
    tools(&body["tools"])?;
    messages(&body)?;
    Ok(body)
}

fn tools(tools: &Value) -> Result<(), Refusal> {
    for (index, tool) in tools.as_array().into_iter().flatten().enumerate() {
        let name = tool["name"].as_str().unwrap_or_default();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if name.is_empty() || name.len() > 128 || !name.bytes().all(is_plain) {
            return Err(invalid(&format!(
                "tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
            )));
        }
        if tool["input_schema"]["type"] != json!("object") {
            return Err(invalid(&format!(
                "tools.{index}.custom.input_schema.type: Field required"
            )));
        }
    }
    Ok(())
}

fn messages(body: &Value) -> Result<(), Refusal> {
    let messages = body["messages"].as_array();
    let messages = messages.filter(|all| !all.is_empty());
    let messages = messages.ok_or_else(|| invalid("messages: at least one message is required"))?;
    let mut awaited: Vec<String> = Vec::new();
    let mut cached = usize::from(has_mark(&body["system"]));
    for (index, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if !matches!(role, "user" | "assistant") {
            return Err(invalid(&format!(
                "messages.{index}.role: Input should be 'user' or 'assistant'"
            )));
        }
        let blocks = blocks(&message["content"]);
        if blocks.is_empty() {
            return Err(invalid(&format!(
                "messages.{index}: all messages must have non-empty content"
            )));
        }
        let empty = |block: &Value| {
            block["type"] == "text" && block["text"].as_str().unwrap_or_default().trim().is_empty()
        };
        if blocks.iter().any(empty) {
            return Err(invalid("messages: text content blocks must be non-empty"));
        }
        cached += usize::from(has_mark(&message["content"]));
        let results: Vec<String> = ids(&blocks, "tool_result", "tool_use_id");
        if let Some(missing) = awaited.iter().find(|id| !results.contains(id)) {
            return Err(invalid(&format!(
                "messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {missing}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
            )));
        }
        if let Some(foreign) = results.iter().find(|id| !awaited.contains(id)) {
            return Err(invalid(&format!(
                "messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {foreign}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )));
        }
        awaited = match role {
            "assistant" => ids(&blocks, "tool_use", "id"),
            _ => Vec::new(),
        };
    }
    if !awaited.is_empty() {
        return Err(invalid(
            "messages: `tool_use` ids were found without `tool_result` blocks immediately after",
        ));
    }
    if cached > 4 {
        return Err(invalid(
            "A maximum of 4 blocks with cache_control may be provided.",
        ));
    }
    Ok(())
}

fn blocks(content: &Value) -> Vec<Value> {
    match content {
        Value::String(text) => vec![json!({ "type": "text", "text": text })],
        Value::Array(blocks) => blocks.clone(),
        _ => Vec::new(),
    }
}

fn ids(blocks: &[Value], kind: &str, name: &str) -> Vec<String> {
    let of_kind = blocks.iter().filter(|block| block["type"] == kind);
    of_kind
        .map(|block| block[name].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn has_mark(content: &Value) -> bool {
    let blocks = content.as_array().into_iter().flatten();
    blocks
        .into_iter()
        .any(|block| !block["cache_control"].is_null())
}
