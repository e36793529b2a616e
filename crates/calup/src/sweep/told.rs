//! Which comments say the same of the same. Pure.

use domain::lead::Posted;

use super::oldest_first;

/// Comments of the younger that the older lacks, the oldest first. What the younger holds twice is carried once, and what
/// was told on both, on each under the marker for that lead, is told.
pub fn only_there<'a>(older: &[Posted], younger: &'a [Posted]) -> Vec<&'a Posted> {
    let own = oldest_first(younger.iter().collect(), |c: &&Posted| (c.at, &c.id));
    let mut only: Vec<&Posted> = Vec::new();
    for comment in own {
        let mut there = older.iter().chain(only.iter().copied());
        if !there.any(|o| is_of_one_effect(o, comment)) {
            only.push(comment);
        }
    }
    // A change that happens twice is told twice: each telling there stands for one.
    let is_of_younger = |o: &Posted| younger.iter().any(|c| is_of_one_effect(o, c));
    let mut told: Vec<&Posted> = older.iter().collect();
    told.retain(|o| !is_of_younger(o));
    only.retain(|comment| {
        let place = told.iter().position(|o| said(o) == said(comment));
        place.map(|place| told.remove(place)).is_none()
    });
    only
}

/// Of comments with a marker, the oldest first: each that says the same under the same marker as an earlier one, beside that.
pub fn told_twice(comments: &[Posted]) -> Vec<(&Posted, &Posted)> {
    let mut twice = Vec::new();
    for (n, comment) in comments.iter().enumerate() {
        let is_same = |o: &&Posted| o.text.trim() == comment.text.trim();
        let older = comments[..n].iter().find(is_same);
        if let (Some(older), true) = (older, has_marker(comment)) {
            twice.push((older, comment));
        }
    }
    twice
}

/// A person may use a dot too, and write as the token's user.
fn has_marker(comment: &Posted) -> bool {
    let is_marker = |word: &str| {
        let mut signs = word.bytes();
        word.len() == 16 && signs.all(|sign| matches!(sign, b'a'..=b'z' | b'2'..=b'7'))
    };
    let behind = parts(comment).1.filter(|behind| !behind.is_empty());
    behind.is_some_and(|behind| behind.split_whitespace().all(is_marker))
}

/// Perhaps in other words.
fn is_of_one_effect(one: &Posted, other: &Posted) -> bool {
    let marker = |c: &Posted| parts(c).1.map(str::to_owned);
    one.text.trim() == other.text.trim() || marker(one).is_some() && marker(one) == marker(other)
}

/// What people read, and of which booking.
fn said(comment: &Posted) -> &str {
    parts(comment).0
}

/// Before and behind the dot of the last line.
fn parts(comment: &Posted) -> (&str, Option<&str>) {
    let text = comment.text.trim();
    match text.rsplit_once('·') {
        Some((said, marker)) if !marker.contains('\n') => (said.trim(), Some(marker.trim())),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn comment(id: &str, text: &str, second: i64) -> Posted {
        Posted {
            id: id.into(),
            text: text.into(),
            at: Timestamp::from_second(1_790_000_000 + second).expect("in range"),
            ours: true,
            taken_up: false,
        }
    }

    fn ids(older: &[Posted], younger: &[Posted]) -> Vec<String> {
        let only = only_there(older, younger);
        only.iter().map(|c| c.id.clone()).collect()
    }

    #[test]
    fn comments_are_moved_once() {
        let younger = [comment("2", "moved", 9), comment("1", "paid", 7)];
        assert_eq!(ids(&[], &younger), ["1", "2"]);
        assert_eq!(ids(&[comment("3", "paid\n", 70)], &younger), ["2"]);
    }

    #[test]
    fn what_stands_on_the_younger_twice_or_was_told_on_both_is_not_carried_twice() {
        let line = |uid: &str, mark: &str| format!("Cal.com booking {uid} · {mark}");
        let said = |id: &str, text: &str, mark: &str, second| {
            comment(id, &format!("{text}\n{}", line("bk", mark)), second)
        };
        let younger = [
            said("1", "cancelled", "aa", 7),
            said("2", "cancelled", "aa", 8),
            said("3", "cancelled, status kept", "aa", 9),
        ];
        assert_eq!(ids(&[], &younger), ["1"]);
        assert!(ids(&[said("9", "cancelled", "aa", 70)], &younger).is_empty());

        // By a database that had forgotten the older.
        let older = [said("9", "cancelled", "zz", 3)];
        assert!(ids(&older, &[said("1", "cancelled", "aa", 7)]).is_empty());
        let other = format!("cancelled\n{}", line("other", "bb"));
        assert_eq!(ids(&older, &[comment("1", &other, 7)]), ["1"]);

        // Told twice because it happened twice.
        let younger = [said("1", "no-show", "aa", 7), said("2", "no-show", "bb", 8)];
        assert_eq!(ids(&[], &younger), ["1", "2"]);
        assert_eq!(ids(&[said("9", "no-show", "bb", 70)], &younger), ["1"]);
    }

    #[test]
    fn what_was_carried_twice_says_the_same_under_the_same_marker() {
        let line = |mark: &str| format!("no-show\nCal.com booking bk · {mark}");
        let comments = [
            comment("1", &line("abcdefghijklmnop"), 7),
            comment("2", &line("qrstuvwxyz234567"), 8),
            comment("3", &line("abcdefghijklmnop"), 9),
            comment("4", "Called · no answer", 10),
            comment("5", "Called · no answer", 11),
            comment("6", "as was said", 12),
            comment("7", "as was said", 13),
        ];
        let twice = told_twice(&comments);
        let ids: Vec<(&str, &str)> = twice.iter().map(|(o, c)| (&*o.id, &*c.id)).collect();
        assert_eq!(ids, [("1", "3")]);
    }
}
