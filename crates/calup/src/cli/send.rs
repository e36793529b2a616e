//! `calup send`: signs deliveries with the configured secret and sends them, as Cal.com would.

use std::path::Path;

use clap::Args;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use vendors::cal::signature;

use super::print;
use crate::config::Config;
use crate::inbox;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Files (a raw body, or a recording with `headers` and `body`) or triggers such as BOOKING_CREATED or PING.
    #[arg(required = true)]
    what: Vec<String>,
    /// Where to; by default the webhook address of this configuration.
    #[arg(long)]
    to: Option<String>,
    /// The person who books, for triggers.
    #[arg(long, default_value = "Ada Example")]
    name: String,
    #[arg(long, default_value = "ada@example.com")]
    email: String,
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments, config: Config) -> Result<(), String> {
    let secret = config
        .webhook_secrets
        .first()
        .ok_or("no webhook secret is set, so nothing can be signed; set CALCOM_WEBHOOK_SECRET")?;
    let to = arguments
        .to
        .clone()
        .unwrap_or_else(|| inbox::address(&config));
    reqwest::Url::parse(&to)
        .ok()
        .filter(reqwest::Url::has_host)
        .ok_or_else(|| {
            format!(
                "`{to}` is no address; give one such as https://calup.example.com/api/webhooks/cal"
            )
        })?;
    let client = reqwest::Client::builder()
        .timeout(std::time::Duration::from_secs(20))
        .build()
        .map_err(|e| format!("could not make an HTTP client: {e}"))?;
    let mut refused = 0;
    for what in &arguments.what {
        let (headers, body) = delivery(what, &arguments)?;
        let mut request = client
            .post(&to)
            .header(
                "x-cal-signature-256",
                signature::sign(secret.expose_secret().as_bytes(), &body),
            )
            .body(body);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let answer = request
            .send()
            .await
            .map_err(|e| format!("could not reach {to}: {}", e.without_url()))?;
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap_or_default();
        if arguments.json {
            print(&json!({ "sent": what, "status": status, "answer": text }).to_string());
        } else {
            print(&format!("{what}: {status} {text}"));
        }
        refused += u32::from(status != 200);
    }
    if refused == 0 {
        Ok(())
    } else {
        Err(format!(
            "{refused} of {} deliveries were not taken",
            arguments.what.len()
        ))
    }
}

type Headers = Vec<(String, String)>;

fn delivery(what: &str, arguments: &Arguments) -> Result<(Headers, Vec<u8>), String> {
    let json = || ("content-type".to_owned(), "application/json".to_owned());
    if !Path::new(what).exists() && is_trigger(what) {
        return Ok((
            vec![json(), version("2021-10-20")],
            sample(what, arguments)?,
        ));
    }
    let raw = super::plan::read(Path::new(what))?;
    let recorded: Option<Value> = serde_json::from_slice(&raw).ok();
    let headers = recorded
        .as_ref()
        .and_then(|r| r.get("headers"))
        .and_then(Value::as_object);
    let kept = |name: &str| {
        headers?
            .iter()
            .find(|(k, _)| k.eq_ignore_ascii_case(name))
            .and_then(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())))
    };
    let mut out = vec![kept("content-type").unwrap_or_else(json)];
    out.extend(kept("x-cal-webhook-version"));
    Ok((out, body_of(&raw)))
}

fn version(version: &str) -> (String, String) {
    ("x-cal-webhook-version".to_owned(), version.to_owned())
}

fn is_trigger(what: &str) -> bool {
    !what.is_empty() && what.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

/// The body of a recording, or the file itself.
pub fn body_of(raw: &[u8]) -> Vec<u8> {
    let recorded: Option<Value> = serde_json::from_slice(raw).ok();
    let body = recorded
        .as_ref()
        .filter(|r| r.get("triggerEvent").is_none())
        .and_then(|r| r.get("body"));
    match body {
        Some(Value::String(body)) => body.clone().into_bytes(),
        Some(other) => other.to_string().into_bytes(),
        None => raw.to_vec(),
    }
}

/// A delivery of that trigger, for a booking two days ahead.
fn sample(trigger: &str, arguments: &Arguments) -> Result<Vec<u8>, String> {
    let now = crate::clock::now();
    let day = jiff::SignedDuration::from_hours(24);
    let start = jiff::Timestamp::from_second((now + day * 2).as_second() / 3_600 * 3_600)
        .map_err(|e| e.to_string())?;
    let uid = uuid::Uuid::now_v7().simple().to_string();
    let cancelled = trigger == "BOOKING_CANCELLED";
    let payload = json!({
        "uid": uid,
        "type": "intro-call",
        "title": format!("Intro call between Nora Example and {}", arguments.name),
        "eventTitle": "Intro call",
        "startTime": start,
        "endTime": start + jiff::SignedDuration::from_mins(30),
        "organizer": { "name": "Nora Example", "email": "nora@calup.invalid", "timeZone": "Europe/Stockholm", "language": { "locale": "en" } },
        "attendees": [{ "name": arguments.name, "email": arguments.email, "timeZone": "Europe/Stockholm", "language": { "locale": "en" } }],
        "responses": {
            "name": { "label": "your_name", "value": arguments.name },
            "email": { "label": "email_address", "value": arguments.email },
        },
        "location": "https://meet.example.com/calup",
        "metadata": { "videoCallUrl": "https://meet.example.com/calup" },
        "status": if cancelled { "CANCELLED" } else { "ACCEPTED" },
        "cancellationReason": if cancelled { Value::from("Sent by `calup send`") } else { Value::Null },
    });
    serde_json::to_vec(&json!({ "triggerEvent": trigger, "createdAt": now, "payload": payload }))
        .map_err(|e| e.to_string())
}
