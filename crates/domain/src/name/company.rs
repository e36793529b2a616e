//! Companies as evidence: from an answer, from what a record's name holds beside the person, from an address.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::fold::fold;

/// At these, everybody may have an address.
static FREE_MAIL: Words = Words::new(|| {
    words(
        " gmail googlemail outlook hotmail live msn yahoo ymail rocketmail icloud me mac aol aim \
protonmail proton pm tutanota tuta fastmail hey zoho hushmail mailbox posteo gmx web t-online freenet arcor online \
bluewin hispeed aon orange wanadoo free laposte sfr libero virgilio tiscali alice tin inbox mail bk list yandex ya \
rambler ukr i seznam centrum email post wp o2 interia onet op ziggo kpnmail xs4all planet home hetnet telenet skynet \
telia sapo uol bol terra ig globo qq 163 126 sina sohu foxmail aliyun naver daum hanmail nate docomo ezweb softbank \
nifty rediffmail sify mailinator comcast verizon att sbcglobal bellsouth cox charter btinternet sky ntlworld \
talktalk virginmedia shaw rogers bigpond optusnet xtra walla freemail citromail abv duck pobox cal sms ",
    )
});

/// Under a country these are no names of companies: acme.co.uk.
const SECOND_LEVEL: [&str; 14] = [
    "co", "com", "org", "net", "ac", "gov", "edu", "or", "ne", "go", "gob", "ltd", "plc", "me",
];

/// Says that a name is a company's.
static LEGAL_FORMS: Words = Words::new(|| {
    words(
        " gmbh mbh ug ag kg ohg gbr ev eg se inc incorporated llc llp lp ltd limited plc corp corporation \
co company pty pte ab aktiebolag as asa aps oy oyj hf ehf sa sas sarl sasu eurl sl slu srl spa snc scpa lda ltda eireli \
bv nv cv vof bvba sprl zoo kft zrt nyrt doo dd ad ood eood sro as ooo oao zao pao tov kk gk sdn bhd pvt fze fzco llp \
株式会社 有限会社 有限公司 주식회사 ооо зао оао ",
    )
});

/// A name that holds one is a firm's. None of them is a family name that is known to us.
static FIRM_NOUNS: Words = Words::new(|| {
    words(
        " realty properties holdings holding consulting solutions systems immobilien hausverwaltung agency \
agentur insurance logistics technologies software industries enterprises associates investments university ",
    )
});

/// What says nothing about which company it is, beside the legal form.
const FILLERS: [&str; 8] = ["und", "and", "et", "the", "y", "e", "i", "de"];

/// A list of words, separated by blanks.
pub type Words = LazyLock<HashSet<&'static str>>;

pub fn words(list: &'static str) -> HashSet<&'static str> {
    list.split_whitespace().collect()
}

pub fn is_legal_form(folded: &str) -> bool {
    LEGAL_FORMS.contains(folded)
}

pub fn is_firm_noun(folded: &str) -> bool {
    FIRM_NOUNS.contains(folded)
}

/// A company's name as one word, legal forms and small words left out; empty when nothing is left.
pub fn key(name: &str) -> String {
    // "S.A." and "GmbH & Co. KG".
    let undotted = name.replace('.', "");
    undotted
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’'))
        .map(word)
        .filter(|w| !w.is_empty() && !is_legal_form(w) && !FILLERS.contains(&w.as_str()))
        .collect()
}

fn word(text: &str) -> String {
    if text.chars().any(|c| c.is_ascii_digit()) {
        return text.to_lowercase();
    }
    fold(text)
}

/// The company an address speaks for: the name in its domain, unless everybody may have an address there.
pub fn of_email(email: &str) -> Option<String> {
    let (_, domain) = email.trim().rsplit_once('@')?;
    let domain = domain.to_lowercase();
    let labels: Vec<&str> = domain.split('.').filter(|l| !l.is_empty()).collect();
    let mut at = labels.len().checked_sub(2)?;
    if at > 0 && SECOND_LEVEL.contains(&labels[at]) {
        at -= 1;
    }
    if FREE_MAIL.contains(labels[at]) {
        return None;
    }
    let key = key(labels[at]);
    (key.len() > 1).then_some(key)
}

/// Whether two keys mean one company: the same, or one is the beginning of the other ("acme", "acmerealty").
pub fn is_same(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short == long || (short.chars().count() >= 4 && long.starts_with(short))
}

/// The beginning under which companies that are the same meet in an index.
pub fn stem(key: &str) -> String {
    key.chars().take(4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_company_is_known_by_its_name_without_its_legal_form_or_by_its_domain() {
        assert_eq!(key("ACME GmbH & Co. KG"), "acme");
        assert_eq!(key("Dupont & Fils S.A.R.L."), key("dupont et fils"));
        assert_eq!(of_email("Mike@mail.ACME.co.uk").as_deref(), Some("acme"));
        assert_eq!(
            of_email("m@rourke-films.example").as_deref(),
            Some("rourkefilms")
        );
        for free in [
            "a@gmail.com",
            "a@yahoo.co.jp",
            "a@web.de",
            "nobody",
            "a@localhost",
        ] {
            assert_eq!(of_email(free), None);
        }
        assert!(is_same("acme", "acmerealty"));
        assert!(!is_same("abc", "abcde"));
    }
}
