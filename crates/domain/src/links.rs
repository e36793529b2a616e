//! What a language model says may refer to known hosts only: whatever it was talked into, nothing is fetched from, or leads
//! to, anywhere else. Text comes in pieces and is passed on at once, but for what may still become an address.

/// Longer than any address; what goes on longer is none, and is judged as it stands.
const WORD_BYTES_MAX: usize = 4_096;
pub const REMOVED: &str = "(link removed)";
/// They run, or show, what stands behind them.
const ACTIVE: [&str; 4] = ["javascript:", "vbscript:", "data:", "file:"];

/// One text. Whitespace ends a word, and a word is judged as a whole.
#[derive(Debug, Clone)]
pub struct Links {
    /// In lower case, without port.
    hosts: Vec<String>,
    word: String,
    /// Of the word, so many bytes have been passed on.
    passed: usize,
}

impl Links {
    pub fn to(hosts: impl IntoIterator<Item = String>) -> Self {
        Self {
            hosts: hosts.into_iter().map(|host| host.to_lowercase()).collect(),
            word: String::new(),
            passed: 0,
        }
    }

    /// What may be passed on now.
    pub fn take(&mut self, piece: &str) -> String {
        let mut out = String::new();
        for c in piece.chars() {
            if c.is_whitespace() {
                out.push_str(&self.end_word());
                out.push(c);
                continue;
            }
            self.word.push(c);
            if self.word.len() > WORD_BYTES_MAX {
                out.push_str(&self.end_word());
            }
        }
        // A word of letters is passed on as it comes: should it turn out to begin an address, the rest of it is not.
        let plain = self
            .word
            .chars()
            .all(|c| c.is_alphanumeric() || ",;-'’".contains(c));
        if plain {
            out.push_str(&self.word[self.passed..]);
            self.passed = self.word.len();
        }
        out
    }

    /// What is left at the end.
    pub fn end(&mut self) -> String {
        self.end_word()
    }

    fn end_word(&mut self) -> String {
        let word = std::mem::take(&mut self.word);
        let passed = std::mem::take(&mut self.passed);
        let judged = self.judged(&word);
        match judged.get(passed..) {
            Some(rest) if judged.as_bytes()[..passed] == word.as_bytes()[..passed] => {
                rest.to_owned()
            }
            _ => format!(" {REMOVED}"),
        }
    }

    fn judged(&self, word: &str) -> String {
        let mut word = word.replace("![", "[");
        while let Some((begin, end)) = self.foreign(&word) {
            word.replace_range(begin..end, REMOVED);
        }
        word
    }

    /// Where the first reference stands that is not to a known host.
    fn foreign(&self, word: &str) -> Option<(usize, usize)> {
        // As long as the word, byte for byte.
        let lower = word.to_ascii_lowercase().replace('\\', "/");
        for active in ACTIVE {
            if let Some(at) = lower
                .find(active)
                .filter(|at| at + active.len() < lower.len())
            {
                return Some((at, word.len()));
            }
        }
        let mut from = 0;
        while let Some(at) = lower[from..].find("//").map(|at| at + from) {
            from = at + 2;
            let begin = scheme(&lower, at);
            let end = ending(&lower, from);
            if !self.is_known(&lower[from..end]) {
                return Some((begin, end));
            }
        }
        let mut from = 0;
        while let Some(at) = lower[from..].find("www.").map(|at| at + from) {
            from = at + 4;
            let end = ending(&lower, at);
            if !self.is_known(&lower[at..end]) && !lower[..at].ends_with('/') {
                return Some((at, end));
            }
        }
        None
    }

    /// `rest` is what stands behind the slashes.
    fn is_known(&self, rest: &str) -> bool {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // Whoever stands before an @ is nobody's host, and there to deceive.
        let host = authority.split(':').next().unwrap_or_default();
        let is_plain = !authority.contains(['@', '%', '&']) && !host.is_empty();
        is_plain && self.hosts.iter().any(|known| known == host)
    }
}

/// Where the scheme before `//` begins.
fn scheme(lower: &str, slashes: usize) -> usize {
    let Some(head) = lower[..slashes].strip_suffix(':') else {
        return slashes;
    };
    let name = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
    head.rfind(|c: char| !name(c)).map_or(0, |at| {
        at + head[at..].chars().next().map_or(1, char::len_utf8)
    })
}

/// Where an address ends within a word.
fn ending(lower: &str, from: usize) -> usize {
    let end = lower[from..].find([')', ']', '>', '"', '<', '|', '`', '*']);
    let end = end.map_or(lower.len(), |end| from + end);
    let trimmed = lower[from..end].trim_end_matches(['.', ',', ';', '!', '?', '\'']);
    from + trimmed.len()
}

#[cfg(test)]
mod tests {
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
        assert!(!slowly.to_lowercase().contains("evil"), "{slowly}");
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
    fn an_image_is_never_shown_not_even_from_a_known_host() {
        assert_eq!(
            said("![x](https://cal.com/p.png)"),
            "[x](https://cal.com/p.png)"
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
}
