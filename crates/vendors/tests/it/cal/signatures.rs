//! Who sent a delivery.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use vendors::cal::signature::{HEADER, OLDER_HEADER, sign, verify};

const BODY: &[u8] = br#"{"triggerEvent":"PING"}"#;

fn headers(values: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in values {
        let value = HeaderValue::from_str(value).expect("a header");
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}

fn signer(values: &[(&'static str, &str)]) -> Option<usize> {
    verify(&["old", "new"], &headers(values), BODY)
}

#[test]
fn the_signature_is_the_one_everybody_computes() {
    let known = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
    let text = b"The quick brown fox jumps over the lazy dog";
    assert_eq!(sign(b"key", text), known);
}

#[test]
fn any_live_secret_signs_and_is_named_by_its_place() {
    assert_eq!(signer(&[(HEADER, &sign(b"old", BODY))]), Some(0));
    assert_eq!(signer(&[(HEADER, &sign(b"new", BODY))]), Some(1));
    assert_eq!(signer(&[(HEADER, &sign(b"gone", BODY))]), None);
    let twice = verify(
        &["new", "new"],
        &headers(&[(HEADER, &sign(b"new", BODY))]),
        BODY,
    );
    assert_eq!(twice, Some(0));
}

#[test]
fn the_older_header_counts_only_where_the_real_one_is_absent() {
    let (good, bad) = (sign(b"new", BODY), sign(b"gone", BODY));
    assert_eq!(signer(&[(OLDER_HEADER, &good)]), Some(1));
    assert_eq!(signer(&[(OLDER_HEADER, &bad), (HEADER, &good)]), Some(1));
    assert_eq!(signer(&[(OLDER_HEADER, &good), (HEADER, &bad)]), None);
    assert_eq!(signer(&[(OLDER_HEADER, &good), (HEADER, "")]), None);
}

#[test]
fn a_signature_of_any_other_form_is_none() {
    let good = sign(b"new", BODY);
    let forms = [
        String::new(),
        "no-secret-provided".to_owned(),
        good.to_uppercase(),
        format!("sha256={good}"),
        format!("0x{good}"),
        format!(" {good}"),
        format!("{good} "),
        format!("{good},{good}"),
        format!("{good}{good}"),
        good[..62].to_owned(),
        good[..63].to_owned(),
        format!("{good}0"),
        format!("{good}00"),
        format!("{}g", &good[..63]),
        "0".repeat(64),
    ];
    for form in &forms {
        assert_eq!(signer(&[(HEADER, form)]), None, "{form:?}");
        assert_eq!(signer(&[(OLDER_HEADER, form)]), None, "{form:?}");
    }
    assert_eq!(signer(&[]), None);
}

#[test]
fn two_copies_of_a_signature_are_none() {
    let good = sign(b"new", BODY);
    assert_eq!(signer(&[(HEADER, &good), (HEADER, &good)]), None);
    assert_eq!(signer(&[(HEADER, &good), (HEADER, "x")]), None);
    assert_eq!(
        signer(&[(OLDER_HEADER, &good), (OLDER_HEADER, &good)]),
        None
    );
    let older_twice = [
        (HEADER, good.as_str()),
        (OLDER_HEADER, "x"),
        (OLDER_HEADER, "y"),
    ];
    assert_eq!(signer(&older_twice), Some(1));
}

#[test]
fn an_empty_secret_signs_nothing() {
    let by_nobody = headers(&[(HEADER, &sign(b"", BODY))]);
    assert_eq!(verify(&[""], &by_nobody, BODY), None);
    assert_eq!(verify(&["", "new"], &by_nobody, BODY), None);
    assert_eq!(verify(&[""; 0], &by_nobody, BODY), None);
    let by_new = headers(&[(HEADER, &sign(b"new", BODY))]);
    assert_eq!(verify(&["", "new"], &by_new, BODY), Some(1));
}

#[test]
fn every_byte_of_the_body_is_signed() {
    let good = headers(&[(HEADER, &sign(b"new", BODY))]);
    for at in 0..BODY.len() {
        let mut other = BODY.to_vec();
        other[at] ^= 1;
        assert_eq!(verify(&["new"], &good, &other), None, "byte {at}");
    }
    assert_eq!(verify(&["new"], &good, &BODY[..BODY.len() - 1]), None);
}

#[test]
fn a_header_that_is_no_text_is_no_signature() {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_bytes(&[0xff; 64]).expect("opaque bytes are a header");
    headers.insert(HEADER, value);
    assert_eq!(verify(&["new"], &headers, BODY), None);
}
