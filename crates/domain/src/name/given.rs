//! Given names and what people make of them: short forms, and the forms that one person uses in two languages or
//! alphabets. Written down from general knowledge, by language; docs/names.md says why no library is asked.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold::{Script, fold, latin, script, sound};

const NAMES: &str = include_str!("given.txt");

/// How many full names one form may stand for: "Jo" and "Sasha" stand for several.
pub type Roots = Vec<u16>;

struct Table {
    by_form: HashMap<String, Roots>,
    initials: Vec<char>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut by_form: HashMap<String, Roots> = HashMap::new();
    let mut initials = Vec::new();
    for line in NAMES.lines().filter(|l| !l.starts_with('#')) {
        let root = initials.len() as u16;
        let mut forms = line.split_whitespace().peekable();
        initials.push(
            forms
                .peek()
                .and_then(|f| sound(f).chars().next())
                .unwrap_or('a'),
        );
        for form in forms {
            let folded = fold(form);
            // As written, for what is not spelled out in Latin letters, and as it sounds.
            let native = matches!(script(&folded), Script::Abjad | Script::Han);
            let heard = if native {
                folded.clone()
            } else {
                sound(&latin(&folded))
            };
            for key in [heard, folded] {
                let roots = by_form.entry(key).or_default();
                if !roots.contains(&root) {
                    roots.push(root);
                }
            }
        }
    }
    Table { by_form, initials }
});

/// The full names that a word may stand for; empty when it is not known as a given name.
pub fn roots(folded: &str, sound: &str) -> &'static [u16] {
    let table = &*TABLE;
    let found = table.by_form.get(folded);
    // Without its vowels a word sounds like too many.
    let spelled_out = || script(folded) != Script::Abjad && script(folded) != Script::Han;
    found
        .or_else(|| spelled_out().then(|| table.by_form.get(sound)).flatten())
        .map_or(&[], Vec::as_slice)
}

/// The first letter, as it sounds, of a full name.
pub fn initial(root: u16) -> char {
    TABLE.initials[usize::from(root)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> &'static [u16] {
        let folded = fold(name);
        roots(&folded, &sound(&latin(&folded)))
    }

    #[test]
    fn a_short_form_shares_a_full_name_with_what_it_stands_for() {
        for (short, full) in [
            ("Mike", "Michael"),
            ("Саша", "Александр"),
            ("Лёша", "Алексей"),
            ("Zé", "José"),
        ] {
            assert!(of(short).iter().any(|r| of(full).contains(r)), "{short}");
        }
        assert!(!of("Ben").iter().any(|r| of("Bernard").contains(r)));
        assert!(of("Ross").is_empty());
    }
}
