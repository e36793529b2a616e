//! A request against a vendor's own specification. What a vendor asks for beside it is looked at by its own tests.

use serde_json::Value;

/// As it was sent; the path as the specification has it.
pub struct Sent<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    /// Null where there was none.
    pub body: &'a Value,
}

/// The template of its path, and what the specification says of it; or what is wrong already.
pub fn operation<'a>(spec: &'a Value, sent: &Sent<'_>) -> Result<(&'a str, &'a Value), String> {
    let paths = spec["paths"].as_object().expect("paths");
    let fitting = paths
        .iter()
        .filter(|(template, _)| fits(template, sent.path));
    // A template without parameters is closer than one with.
    let Some((template, item)) = fitting.min_by_key(|(template, _)| template.matches('{').count())
    else {
        return Err(format!("no path {}", sent.path));
    };
    let operation = &item[sent.method.to_lowercase()];
    if operation.is_null() {
        return Err(format!("no {} {template}", sent.method));
    }
    Ok((template, operation))
}

pub fn parameter<'a>(operation: &'a Value, place: &str, name: &str) -> Option<&'a Value> {
    let mut all = operation["parameters"].as_array().into_iter().flatten();
    all.find(|it| it["in"] == place && it["name"] == name)
}

/// What is wrong with its query and its body.
pub fn violations(spec: &Value, sent: &Sent<'_>) -> Vec<String> {
    let (template, operation) = match operation(spec, sent) {
        Ok(found) => found,
        Err(wrong) => return vec![wrong],
    };
    let mut found = Vec::new();
    let mut given = Vec::new();
    for (name, value) in url::form_urlencoded::parse(sent.query.as_bytes()) {
        match parameter(operation, "query", &name) {
            None => found.push(format!("{template} has no query parameter {name}")),
            Some(known) => {
                if !is_of_type(&known["schema"], &value) {
                    found.push(format!("{template}?{name}={value}"));
                }
            }
        }
        given.push(name.into_owned());
    }
    let all = operation["parameters"].as_array().into_iter().flatten();
    for needed in all.filter(|it| it["in"] == "query" && it["required"] == true) {
        let name = needed["name"].as_str().expect("a name");
        if !given.iter().any(|it| it == name) {
            found.push(format!("{template} lacks {name}"));
        }
    }
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    match (sent.body, schema) {
        (Value::Null, Value::Null) => {}
        (Value::Null, _) => found.push(format!("{} {template} lacks a body", sent.method)),
        (_, Value::Null) => found.push(format!("{} {template} takes no body", sent.method)),
        (body, schema) => conforms(spec, template, schema, body, &mut found),
    }
    found
}

fn fits(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(part)) if wanted == part => {}
            (Some(wanted), Some(part)) if wanted.starts_with('{') && !part.is_empty() => {}
            _ => return false,
        }
    }
}

// A query's values are texts; of several in one, each counts.
fn is_of_type(schema: &Value, value: &str) -> bool {
    let allowed = |schema: &Value, value: &str| match schema["enum"].as_array() {
        Some(allowed) => allowed.iter().any(|it| it == value),
        None => true,
    };
    match schema["type"].as_str() {
        Some("boolean") => ["true", "false"].contains(&value),
        Some("integer") => value.parse::<i64>().is_ok(),
        Some("number") => value.parse::<f64>().is_ok(),
        Some("array") => value.split(',').all(|it| allowed(&schema["items"], it)),
        _ => allowed(schema, value),
    }
}

fn conforms(spec: &Value, at: &str, schema: &Value, value: &Value, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().expect("a name");
        return conforms(spec, at, &spec["components"]["schemas"][name], value, found);
    }
    for all in schema["allOf"].as_array().into_iter().flatten() {
        conforms(spec, at, all, value, found);
    }
    for key in ["anyOf", "oneOf"] {
        let Some(any) = schema[key].as_array() else {
            continue;
        };
        let tries: Vec<Vec<String>> = any
            .iter()
            .map(|schema| {
                let mut found = Vec::new();
                conforms(spec, at, schema, value, &mut found);
                found
            })
            .collect();
        if tries.iter().all(|found| !found.is_empty()) {
            found.push(format!("{at} is none of the alternatives: {tries:?}"));
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |kind: &&str| match *kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => false,
    };
    if !types.is_empty() && !types.iter().any(is) {
        found.push(format!("{at}: {value} is not {types:?}"));
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        found.push(format!("{at}: {value} is not allowed"));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        found.push(format!("{at}: {number} is less than {least}"));
    }
    if let Some(object) = value.as_object() {
        for required in schema["required"].as_array().into_iter().flatten() {
            let name = required.as_str().expect("a name");
            if !object.contains_key(name) {
                found.push(format!("{at}.{name} is missing"));
            }
        }
        if let Some(properties) = schema["properties"].as_object() {
            for (name, value) in object {
                match properties.get(name) {
                    Some(schema) => conforms(spec, &format!("{at}.{name}"), schema, value, found),
                    None => found.push(format!("{at}.{name} is not in the specification")),
                }
            }
        }
    }
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        conforms(spec, &format!("{at}[{n}]"), &schema["items"], item, found);
    }
}
