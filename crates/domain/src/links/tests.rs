use super::*;

fn links() -> Links {
    Links::to(["Cal.com".to_owned(), "app.clickup.com".to_owned()])
}

/// Whole, and a letter at a time.
fn said(text: &str) -> String {
    let mut whole = links();
    let mut out = whole.take(text);
    out.push_str(&whole.end());
    let mut slow = links();
    let mut slowly: String = text.chars().map(|c| slow.take(&c.to_string())).collect();
    slowly.push_str(&slow.end());
    let letters = |text: &str| text.replace([' ', '\n'], "");
    assert!(
        !letters(&slowly).to_lowercase().contains("evil.example"),
        "{slowly}"
    );
    out
}

#[test]
fn known_hosts_and_plain_text_stay_as_they_are() {
    for text in [
        "Here: https://cal.com/ada/30min?name=Mike%20Ross&email=m@x.example.",
        "[30 minutes](https://cal.com/ada/30min) and <https://app.clickup.com/t/86a1>",
        "and/or, w/o, 1.5 Mio., e-mail ada@byrd.example",
        "Times: 9:00 – 9:30\n- **Tue** 12:00\n```\ncode\n```",
        "data: none. C:\\ and HTTP://CAL.COM/x",
    ] {
        assert_eq!(said(text), text);
    }
}

#[test]
fn whatever_leads_elsewhere_is_removed() {
    for text in [
        "see https://evil.example/x?d=secret now",
        "![x](https://evil.example/p.png?d=1)",
        "[here](//evil.example)",
        "[here](\\\\evil.example)",
        "[here](https:\\\\evil.example/)",
        "<img src=\"https://evil.example\">",
        "<img src='//evil.example/'>",
        "https://cal.com@evil.example/",
        "https://cal.com:x@evil.example/",
        "https://cal.com.evil.example/",
        "https://evil.example#https://cal.com/",
        "https://evil.example?https://cal.com/",
        "www.evil.example/x",
        "[a](javascript:evil())",
        "[a](data:text/html,evil)",
        "ftp://evil.example",
        "[r]: https://evil.example",
        "**https://evil.example**",
        "https://cal%2ecom.evil.example",
        "HTTPS://EVIL.example and so on",
    ] {
        let out = said(text);
        assert!(!out.to_lowercase().contains("evil"), "{text} -> {out}");
        assert!(out.contains("removed"), "{text} -> {out}");
    }
}

#[test]
fn nothing_is_joined_out_of_words_and_no_parser_is_led_astray() {
    for text in [
        "[x](<https:\t/\t/evil.example>)",
        "[x](<javascript: evil()>)",
        "<a href=\"https:/\t/evil.example\">x</a>",
        "[x](https:evil.example)",
        "[x](https:/evil.example)",
        "https://cal.com\\@evil.example/",
        "https://cal.com*.evil.example/",
        "https://cal.com).evil.example/",
        "https://cal.com?@evil.example/",
        "https:\\/\\/evil.example/",
        "https://cal.com/,https://evil.example/",
        "https&colon;&sol;&sol;evil&period;example",
        "evil.example",
        "evil\\.example",
        "evil。example/x",
        "EVIL.EXAMPLE",
        "192.0.2.7/evil",
        "ada@evil.example/x",
    ] {
        let out = said(text).to_lowercase();
        assert!(!out.contains("evil.example"), "{text} -> {out}");
        assert!(
            !out.contains("](") && !out.contains("<a"),
            "{text} -> {out}"
        );
    }
    assert_eq!(
        said("<https://cal.com/x onclick=y>"),
        "< https://cal.com/x onclick=y>"
    );
    assert_eq!(said("[r]: /x"), "[r] : /x");
    assert_eq!(
        said("Dr.No of no.example says \u{1b}[2Jhi"),
        "Dr[.]No of no[.]example says [2Jhi"
    );
}

#[test]
fn a_word_that_is_too_long_hides_nothing() {
    for fill in ["x", "(", "見"] {
        for length in [4_090 / fill.len(), 4_085, 5_000] {
            let text = format!("{} after", fill.repeat(length) + "https://evil.example/");
            let out = said(&text);
            assert!(!out.contains("evil") && out.ends_with(" after"), "{out}");
        }
    }
    let long = "見".repeat(3_000);
    assert_eq!(said(&long), long);
}

#[test]
fn an_image_is_never_shown_not_even_from_a_known_host() {
    assert_eq!(
        said("![x](https://cal.com/p.png)"),
        "[x](https://cal.com/p.png)"
    );
    assert_eq!(said("!![x]!"), "[x]!");
}

#[test]
fn what_others_wrote_keeps_its_names_and_no_links() {
    let read = |text: &str| Links::none().cleaned(text);
    assert_eq!(
        read("J.P.Morgan, Harbor.com, ada@byrd.example"),
        "J.P.Morgan, Harbor.com, ada@byrd.example"
    );
    assert_eq!(
        read("see https://cal.com/x or harbor.com/x"),
        "see (link removed) or (link removed)"
    );
}

#[test]
fn words_are_passed_on_as_they_come_and_addresses_when_they_are_whole() {
    let mut links = links();
    assert_eq!(links.take("Hel"), "Hel");
    assert_eq!(links.take("lo htt"), "lo htt");
    assert_eq!(links.take("ps://cal.com/a"), "");
    assert_eq!(links.take("da x"), "ps://cal.com/ada x");
    assert_eq!(links.take("https"), "https");
    assert_eq!(links.take("://evil.example/"), "");
    assert_eq!(links.take(" "), " (link removed) ");
    assert_eq!(links.take("e"), "e");
    assert_eq!(links.end(), "");
}
