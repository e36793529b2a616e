//! Block Kit's limits, and how Slack stores what it is sent. In which unit the real one counts is not established;
//! UTF-16 is the strictest guess. <https://docs.slack.dev/reference/block-kit/blocks>

use serde_json::Value;

type Checked = Result<(), String>;

pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The words in all blocks together.
pub(super) fn text_length(blocks: &[Value]) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| match value {
                    Value::String(text) if key == "text" => length(text),
                    other => of(other),
                })
                .sum(),
            Value::Array(list) => list.iter().map(of).sum(),
            _ => 0,
        }
    }
    blocks.iter().map(of).sum()
}

pub(super) fn check(blocks: &[Value]) -> Checked {
    if blocks.len() > 50 {
        return Err("no more than 50 items allowed [json-pointer:/blocks]".to_owned());
    }
    let mut ids = Vec::new();
    for (n, block) in blocks.iter().enumerate() {
        let at = format!("/blocks/{n}");
        check_block(block, &at)?;
        if let Some(id) = block["block_id"].as_str() {
            if ids.contains(&id) {
                return Err(format!(
                    "`block_id` {id} already exists [json-pointer:{at}]"
                ));
            }
            ids.push(id);
        }
    }
    Ok(())
}

fn check_block(block: &Value, at: &str) -> Checked {
    let (keys, kind): (&[&str], _) = match block["type"].as_str() {
        Some("section") => (&["text", "fields", "accessory", "expand"], "section"),
        Some("header") => (&["text"], "header"),
        Some("context") => (&["elements"], "context"),
        Some("actions") => (&["elements"], "actions"),
        Some("divider") => (&[], "divider"),
        Some(other) => {
            return Err(format!(
                "unsupported type: {other} [json-pointer:{at}/type]"
            ));
        }
        None => return Err(format!("missing required field: type [json-pointer:{at}]")),
    };
    known(block, &[keys, &["type", "block_id"]].concat(), at)?;
    words(block.get("block_id"), 255, false, &format!("{at}/block_id"))?;
    match kind {
        "section" => {
            let (text, fields) = (block.get("text"), block.get("fields"));
            if text.is_none() && fields.is_none() {
                return Err(format!("missing required field: text [json-pointer:{at}]"));
            }
            if let Some(text) = text {
                check_text(text, 3000, false, &format!("{at}/text"))?;
            }
            if let Some(fields) = fields {
                for (n, field) in items(fields, 10, &format!("{at}/fields"))?
                    .iter()
                    .enumerate()
                {
                    check_text(field, 2000, false, &format!("{at}/fields/{n}"))?;
                }
            }
            block
                .get("accessory")
                .map_or(Ok(()), |it| check_button(it, &format!("{at}/accessory")))
        }
        "header" => check_text(&block["text"], 150, true, &format!("{at}/text")),
        "context" => {
            let at = format!("{at}/elements");
            let elements = items(&block["elements"], 10, &at)?;
            elements
                .iter()
                .enumerate()
                .try_for_each(|(n, it)| check_text(it, 3000, false, &format!("{at}/{n}")))
        }
        "actions" => {
            let at = format!("{at}/elements");
            let mut ids = Vec::new();
            for (n, it) in items(&block["elements"], 25, &at)?.iter().enumerate() {
                check_button(it, &format!("{at}/{n}"))?;
                let id = it["action_id"].as_str();
                if id.is_some() && ids.contains(&id) {
                    return Err(format!(
                        "`action_id` already exists [json-pointer:{at}/{n}]"
                    ));
                }
                ids.push(id);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn check_button(button: &Value, at: &str) -> Checked {
    if button["type"] != "button" {
        return Err(format!("unsupported type [json-pointer:{at}/type]"));
    }
    let keys = [
        "type",
        "text",
        "action_id",
        "url",
        "value",
        "style",
        "confirm",
        "accessibility_label",
    ];
    known(button, &keys, at)?;
    check_text(&button["text"], 75, true, &format!("{at}/text"))?;
    words(
        button.get("action_id"),
        255,
        false,
        &format!("{at}/action_id"),
    )?;
    words(button.get("value"), 2000, true, &format!("{at}/value"))?;
    words(button.get("url"), 3000, true, &format!("{at}/url"))?;
    if let Some(style) = button.get("style")
        && style != "primary"
        && style != "danger"
    {
        return Err(format!(
            "failed to match all allowed schemas [json-pointer:{at}/style]"
        ));
    }
    let Some(confirm) = button.get("confirm") else {
        return Ok(());
    };
    let at = format!("{at}/confirm");
    known(confirm, &["title", "text", "confirm", "deny", "style"], &at)?;
    check_text(&confirm["title"], 100, true, &format!("{at}/title"))?;
    check_text(&confirm["text"], 300, false, &format!("{at}/text"))?;
    check_text(&confirm["confirm"], 30, true, &format!("{at}/confirm"))?;
    check_text(&confirm["deny"], 30, true, &format!("{at}/deny"))
}

fn check_text(text: &Value, max: usize, plain_only: bool, at: &str) -> Checked {
    match text["type"].as_str() {
        Some("plain_text") => known(text, &["type", "text", "emoji"], at)?,
        Some("mrkdwn") if !plain_only => known(text, &["type", "text", "verbatim"], at)?,
        _ => {
            return Err(format!(
                "failed to match all allowed schemas [json-pointer:{at}]"
            ));
        }
    }
    if text.get("text").is_none() {
        return Err(format!("missing required field: text [json-pointer:{at}]"));
    }
    words(text.get("text"), max, false, &format!("{at}/text"))
}

fn words(value: Option<&Value>, max: usize, may_be_empty: bool, at: &str) -> Checked {
    match value {
        None => Ok(()),
        Some(Value::String(text)) if text.is_empty() && !may_be_empty => Err(format!(
            "must be more than 0 characters [json-pointer:{at}]"
        )),
        Some(Value::String(text)) if length(text) > max => Err(format!(
            "must be less than {} characters [json-pointer:{at}]",
            max + 1
        )),
        Some(Value::String(_)) => Ok(()),
        Some(_) => Err(format!("must be a string [json-pointer:{at}]")),
    }
}

fn items<'a>(list: &'a Value, max: usize, at: &str) -> Result<&'a [Value], String> {
    match list.as_array() {
        Some(list) if list.is_empty() => {
            Err(format!("no less than 1 items required [json-pointer:{at}]"))
        }
        Some(list) if list.len() > max => Err(format!(
            "no more than {max} items allowed [json-pointer:{at}]"
        )),
        Some(list) => Ok(list),
        None => Err(format!("must be an array [json-pointer:{at}]")),
    }
}

fn known(value: &Value, keys: &[&str], at: &str) -> Checked {
    let Some(map) = value.as_object() else {
        return Err(format!("must be an object [json-pointer:{at}]"));
    };
    match map.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!(
            "invalid additional property: {key} [json-pointer:{at}]"
        )),
        None => Ok(()),
    }
}

/// Slack keeps the three characters that it reads itself as entities, whoever forgot to.
/// <https://github.com/slackapi/bolt-python/issues/513>
pub(super) fn stored(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = ["&amp;", "&lt;", "&gt;"]
            .into_iter()
            .find(|entity| rest.starts_with(entity));
        let control = control(rest);
        if let Some(whole) = entity.or(control) {
            out.push_str(whole);
            rest = &rest[whole.len()..];
        } else {
            out.push_str(match rest.as_bytes()[0] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                _ => "&gt;",
            });
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// What stands between angle brackets, with them, if Slack reads it as more than text.
pub(super) fn control(text: &str) -> Option<&str> {
    let end = text.strip_prefix('<')?.find(['<', '>', '\n'])? + 1;
    let inner = &text[1..end];
    let is_control = text.as_bytes()[end] == b'>'
        && (inner.starts_with(['@', '#', '!'])
            || inner.starts_with("http://")
            || inner.starts_with("https://")
            || inner.starts_with("mailto:"));
    (is_control && inner.len() > 1).then(|| &text[..=end])
}

/// The n-th block of a message, with an id if it came without.
pub(super) fn stored_block(n: usize, mut block: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(map) => {
                let plain = map.get("type").is_some_and(|kind| kind == "plain_text");
                for (key, value) in map {
                    match value {
                        Value::String(text) if key == "text" && plain => {
                            let whole = text.replace("&lt;", "<").replace("&gt;", ">");
                            let whole = whole.replace("&amp;", "&").replace('&', "&amp;");
                            *text = whole.replace('<', "&lt;").replace('>', "&gt;");
                        }
                        Value::String(text) if key == "text" => *text = stored(text),
                        other => walk(other),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut block);
    if block.get("block_id").is_none() {
        block["block_id"] = Value::String(format!("blk{n}"));
    }
    block
}
