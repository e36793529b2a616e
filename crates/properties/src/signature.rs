//! A signature counts only where Cal.com would have written exactly these characters.
//!
//! Input: a line of header values between tabs, in which `%s` stands for the right signature, `%u` for it in upper
//! case, `%h` for its first half, and a leading `~` for the older header's name; a line of secrets between commas; the
//! body.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use vendors::cal::signature::{HEADER, OLDER_HEADER, verify};

pub fn holds(input: &[u8]) {
    let (values, rest) = line(input);
    let (secrets, body) = line(rest);
    let secrets: Vec<&str> = match std::str::from_utf8(secrets) {
        Ok(text) => text.split(',').collect(),
        Err(_) => return,
    };
    let right = sim::cal::sign(secrets[0], body);
    let mut headers = HeaderMap::new();
    for value in values.split(|b| *b == b'\t') {
        let (name, value) = match value.strip_prefix(b"~") {
            Some(value) => (OLDER_HEADER, value),
            None => (HEADER, value),
        };
        // What HTTP cannot carry does not come.
        if let Ok(value) = HeaderValue::from_bytes(&filled(value, &right)) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    assert_eq!(
        verify(&secrets, &headers, body),
        signer(&secrets, &headers, body)
    );
}

fn signer(secrets: &[&str], headers: &HeaderMap, body: &[u8]) -> Option<usize> {
    let name = if headers.contains_key(HEADER) {
        HEADER
    } else {
        OLDER_HEADER
    };
    let values: Vec<&HeaderValue> = headers.get_all(name).iter().collect();
    let [only] = values.as_slice() else {
        return None;
    };
    secrets
        .iter()
        .position(|s| !s.is_empty() && only.as_bytes() == sim::cal::sign(s, body).as_bytes())
}

fn filled(template: &[u8], right: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some((first, tail)) = rest.split_first() {
        let (part, taken) = match (first, tail.first()) {
            (b'%', Some(b's')) => (right.as_bytes().to_vec(), 2),
            (b'%', Some(b'u')) => (right.to_uppercase().into_bytes(), 2),
            (b'%', Some(b'h')) => (right.as_bytes()[..right.len() / 2].to_vec(), 2),
            _ => (vec![*first], 1),
        };
        out.extend(part);
        rest = &rest[taken..];
    }
    out
}

fn line(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|b| *b == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[]),
    }
}
