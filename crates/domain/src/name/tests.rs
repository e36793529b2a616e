use super::*;

fn booker(name: &str) -> Booker<'_> {
    Booker {
        name,
        ..Booker::default()
    }
}

fn lead(name: &str) -> Candidate<'_> {
    Candidate {
        name,
        ..Candidate::default()
    }
}

fn found(a: &str, b: &str) -> Resemblance {
    resemblance(&booker(a), &lead(b))
}

#[test]
fn the_same_words_in_any_order_are_always_worth_asking() {
    for (a, b) in [
        ("Mike Ross", "ROSS mike"),
        ("José Álvarez", "Alvarez, Jose"),
        ("Don Johnson", "Johnson Don"),
        ("Peter Sellers", "Sellers, Peter"),
        ("Mai Le", "Le Mai"),
        ("Ma Long", "Long Ma"),
        ("Abdul Rahman", "Rahman, Abdul"),
        ("M. Ross", "M Ross"),
        ("Al Pacino", "al pacino"),
        ("Steve Jobs", "Jobs, Steve"),
        ("Ursula von der Leyen", "von der Leyen Ursula"),
    ] {
        let elsewhere = Booker {
            company: Some("Globex"),
            ..booker(a)
        };
        let here = Candidate {
            company: Some("Acme"),
            ..lead(b)
        };
        let found = resemblance(&elsewhere, &here);
        assert!(found.is_worth_asking(), "{a}, {b}: {found}");
    }
}

#[test]
fn one_name_alone_is_never_enough() {
    for name in [
        "Mike",
        "Anna-Maria",
        "Mr. Mike",
        "Dr. Peter",
        "小明",
        "민수",
        "محمد",
        "J.",
        "M. R.",
        "🔥",
        "",
    ] {
        let here = Booker {
            company: Some("Acme"),
            ..booker(name)
        };
        let there = Candidate {
            company: Some("Acme"),
            ..lead(name)
        };
        assert!(!resemblance(&here, &there).is_worth_asking(), "{name}");
    }
    let mike = Booker {
        email: Some("mike@acme.example"),
        ..booker("Mike")
    };
    let full = Candidate {
        company: Some("Acme"),
        ..lead("Mike Ross")
    };
    assert!(!resemblance(&mike, &full).is_worth_asking());
}

#[test]
fn neither_a_company_nor_a_post_is_a_person() {
    for name in [
        "Acme GmbH",
        "Sales Team",
        "Info",
        "Acme Realty",
        "Customer Service",
        "Acme Support",
    ] {
        let here = Booker {
            company: Some("Acme"),
            ..booker(name)
        };
        let there = Candidate {
            company: Some("Acme"),
            ..lead(name)
        };
        assert!(!resemblance(&here, &there).is_worth_asking(), "{name}");
    }
}

#[test]
fn evidence_reads_as_a_sentence() {
    for (a, b, told) in [
        ("Mike Ross", "Ross, Mike", "same names"),
        (
            "Mike Ross",
            "Michael Ross",
            "same family name, given name is a form of it",
        ),
        (
            "M. Ross",
            "Mike Ross",
            "same family name, initial fits the given name",
        ),
        (
            "Чайковский Пётр",
            "Pyotr Tchaikovsky",
            "family name in another script, given name is a form of it",
        ),
        (
            "Laura Bernstein",
            "Laura Bernstien",
            "family name one letter off, same given name",
        ),
        (
            "王小明",
            "Xiao Ming Wang",
            "same name, divided or written differently",
        ),
        ("John Smith Jr.", "John Smith Sr.", "another generation"),
        (
            "John F. Kennedy",
            "John R. Kennedy",
            "same family name, same given name, another middle name",
        ),
        ("Mike Ross", "Ann Lee", "nothing in common"),
    ] {
        assert_eq!(found(a, b).to_string(), told, "{a}, {b}");
    }
    let acme = Candidate {
        company: Some("Acme Inc."),
        ..lead("M. Ross")
    };
    let mike = Booker {
        email: Some("mike@acme.example"),
        ..booker("Mike Ross")
    };
    let told = "same family name, initial fits the given name, same company";
    assert_eq!(resemblance(&mike, &acme).to_string(), told);
}

#[test]
fn the_likeliest_come_first_and_the_rest_not_at_all() {
    let names = [
        "Peter Ross",
        "M. Ross",
        "Michael Ross",
        "Mike Ross",
        "Ann Lee",
        "Ross, Mike",
    ];
    let all = names.iter().map(|n| (*n, lead(n)));
    let best = likeliest(&booker("Mike Ross"), all, 3);
    let names: Vec<_> = best.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["Mike Ross", "Ross, Mike", "Michael Ross"]);
}
