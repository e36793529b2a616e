use jiff::civil::{date, time};

use super::*;

/// A Wednesday.
fn read(words: &str) -> Result<String, Unclear> {
    read_at("2026-11-25T10:00", words)
}

fn read_at(now: &str, words: &str) -> Result<String, Unclear> {
    let told = it_at(now, words)?.to_string();
    Ok([" 2026", " 2027", ", all day"]
        .iter()
        .fold(told, |told, left_out| told.replace(left_out, "")))
}

fn it_at(now: &str, words: &str) -> Result<During, Unclear> {
    let now = format!("{now}[Europe/Stockholm]").parse().expect("a time");
    during(words, &now)
}

#[test]
fn what_people_say_means_these_times() {
    for (said, means) in [
        ("today", "Wed 25 Nov"),
        ("Tomorrow morning", "Thu 26 Nov, 06:00–12:00"),
        ("the day after tomorrow", "Fri 27 Nov"),
        ("tonight", "Wed 25 Nov, 18:00–22:00"),
        ("Tuesday afternoon", "Tue 1 Dec, 12:00–18:00"),
        ("next Tuesday afternoon?", "Tue 1 Dec, 12:00–18:00"),
        (
            "Am I free next Tuesday afternoon?",
            "Tue 1 Dec, 12:00–18:00",
        ),
        (
            "When are we available next week, please?",
            "Mon 30 Nov to Sun 6 Dec",
        ),
        (
            "Can we meet on Tuesday, 9 am to 11 am?",
            "Tue 1 Dec, 09:00–11:00",
        ),
        ("on Wednesday", "Wed 25 Nov"),
        ("next Friday", "Fri 4 Dec"),
        ("this Friday", "Fri 27 Nov"),
        ("Fri", "Fri 27 Nov"),
        ("Mondays", "Mon 30 Nov"),
        ("this week", "Wed 25 Nov to Sun 29 Nov"),
        ("next week", "Mon 30 Nov to Sun 6 Dec"),
        (
            "afternoons next week",
            "Mon 30 Nov to Sun 6 Dec, 12:00–18:00",
        ),
        ("this weekend", "Sat 28 Nov to Sun 29 Nov"),
        ("in 3 days", "Sat 28 Nov"),
        ("next 5 days", "Wed 25 Nov to Sun 29 Nov"),
        ("2026-12-03", "Thu 3 Dec"),
        ("2026-12-03..2026-12-05", "Thu 3 Dec to Sat 5 Dec"),
        (
            "2026-12-03 to 2026-12-05 between 9 and 11:30",
            "Thu 3 Dec to Sat 5 Dec, 09:00–11:30",
        ),
        ("12 March", "Fri 12 Mar"),
        ("March 12th, 2027 after 2 pm", "Fri 12 Mar, 14:00–00:00"),
        ("Dec 3 before 10", "Thu 3 Dec, 00:00–10:00"),
        ("Monday to Wednesday", "Mon 30 Nov to Wed 2 Dec"),
        ("Friday from 9 to 3pm", "Fri 27 Nov, 09:00–15:00"),
        ("friday 9-12", "Fri 27 Nov, 09:00–12:00"),
        ("Friday at lunch", "Fri 27 Nov, 11:00–14:00"),
    ] {
        assert_eq!(read(said).as_deref(), Ok(means), "{said}");
    }
}

const ONE_HOUR: &str = " (no end was named: one hour)";

#[test]
fn a_time_without_an_end_is_an_hour_and_that_is_told() {
    for (said, means) in [
        ("tomorrow at 3pm", "Thu 26 Nov, 15:00–16:00"),
        ("tomorrow 3 pm", "Thu 26 Nov, 15:00–16:00"),
        ("3pm tomorrow", "Thu 26 Nov, 15:00–16:00"),
        ("Tuesday at 15:00", "Tue 1 Dec, 15:00–16:00"),
        ("Tuesday 15h", "Tue 1 Dec, 15:00–16:00"),
        ("Tuesday around 10.30", "Tue 1 Dec, 10:30–11:30"),
        ("Tuesday at noon", "Tue 1 Dec, 12:00–13:00"),
        ("Tuesday at 3 o'clock", "Tue 1 Dec, 15:00–16:00"),
        ("tomorrow at 3", "Thu 26 Nov, 15:00–16:00"),
        ("tomorrow at 03:00", "Thu 26 Nov, 03:00–04:00"),
        ("tomorrow at 9", "Thu 26 Nov, 09:00–10:00"),
        ("tomorrow at 9 in the evening", "Thu 26 Nov, 21:00–22:00"),
        ("at 5 in the morning on Friday", "Fri 27 Nov, 05:00–06:00"),
        ("tonight at 11", "Wed 25 Nov, 23:00–00:00"),
        ("tomorrow at 23:30", "Thu 26 Nov, 23:30–00:00"),
        ("12 March at 10:00", "Fri 12 Mar, 10:00–11:00"),
    ] {
        let means = format!("{means}{ONE_HOUR}");
        assert_eq!(read(said), Ok(means), "{said}");
    }
}

#[test]
fn everyday_phrases_mean_these_times() {
    for (said, means) in [
        ("this morning", "Wed 25 Nov, 06:00–12:00"),
        ("this afternoon", "Wed 25 Nov, 12:00–18:00"),
        ("this evening", "Wed 25 Nov, 18:00–22:00"),
        ("this late afternoon", "Wed 25 Nov, 15:00–18:00"),
        ("Tuesday early morning", "Tue 1 Dec, 06:00–09:00"),
        ("Friday night", "Fri 27 Nov, 18:00–22:00"),
        ("later today", "Wed 25 Nov, 10:00–00:00"),
        ("the rest of the day", "Wed 25 Nov, 10:00–00:00"),
        ("later this week", "Wed 25 Nov to Sun 29 Nov"),
        ("the rest of the week", "Wed 25 Nov to Sun 29 Nov"),
        ("Mon-Wed", "Mon 30 Nov to Wed 2 Dec"),
        ("Mon–Wed mornings", "Mon 30 Nov to Wed 2 Dec, 06:00–12:00"),
        ("between Monday and Wednesday", "Mon 30 Nov to Wed 2 Dec"),
        ("from tomorrow to Saturday", "Thu 26 Nov to Sat 28 Nov"),
        ("today through Friday", "Wed 25 Nov to Fri 27 Nov"),
        ("12-14 March", "Fri 12 Mar to Sun 14 Mar"),
        ("March 12 to 14", "Fri 12 Mar to Sun 14 Mar"),
        ("1 to 3 December, 2026", "Tue 1 Dec to Thu 3 Dec"),
        ("28 Dec - 2 Jan", "Mon 28 Dec to Sat 2 Jan"),
        ("3rd of December", "Thu 3 Dec"),
        ("in two weeks", "Mon 7 Dec to Sun 13 Dec"),
        ("in 2 weeks' time", "Mon 7 Dec to Sun 13 Dec"),
        ("two weeks from now", "Mon 7 Dec to Sun 13 Dec"),
        ("the week after next", "Mon 7 Dec to Sun 13 Dec"),
        ("Tuesday in two weeks", "Tue 8 Dec"),
        ("in a week", "Mon 30 Nov to Sun 6 Dec"),
        ("next two weeks", "Wed 25 Nov to Tue 8 Dec"),
        ("Tuesday around noon", "Tue 1 Dec, 11:00–14:00"),
        ("Friday before noon", "Fri 27 Nov, 00:00–12:00"),
        ("Friday after lunch", "Fri 27 Nov, 13:00–00:00"),
        (
            "next week after 3pm",
            "Mon 30 Nov to Sun 6 Dec, 15:00–00:00",
        ),
        ("Tuesday afternoon after 3", "Tue 1 Dec, 15:00–18:00"),
        ("tomorrow morning before 10", "Thu 26 Nov, 06:00–10:00"),
        ("tonight after 7", "Wed 25 Nov, 19:00–22:00"),
        ("Tuesday after 2 before 5", "Tue 1 Dec, 14:00–17:00"),
        ("Tuesday next week", "Tue 1 Dec"),
        ("next week, Tuesday afternoon", "Tue 1 Dec, 12:00–18:00"),
        ("Monday to Wednesday next week", "Mon 30 Nov to Wed 2 Dec"),
        ("Monday to Friday this week", "Wed 25 Nov to Fri 27 Nov"),
        ("Tuesday, 1 December", "Tue 1 Dec"),
        ("tomorrow, 26 November, all day", "Thu 26 Nov"),
    ] {
        assert_eq!(read(said).as_deref(), Ok(means), "{said}");
    }
}

#[test]
fn am_and_pm_hold_for_both_hours() {
    for (said, means) in [
        ("between 2 and 4pm", "14:00–16:00"),
        ("2-4pm", "14:00–16:00"),
        ("2 - 4 pm", "14:00–16:00"),
        ("2–4pm", "14:00–16:00"),
        ("from 2 to 4pm", "14:00–16:00"),
        ("2:30 to 4pm", "14:30–16:00"),
        ("2-4am", "02:00–04:00"),
        ("11-2pm", "11:00–14:00"),
        ("10 to 12pm", "10:00–12:00"),
        ("12-2pm", "12:00–14:00"),
        ("12 to 2", "12:00–14:00"),
        ("9am to 5", "09:00–17:00"),
        ("9am to 11", "09:00–11:00"),
        ("8pm to 10", "20:00–22:00"),
        ("9 to 5", "09:00–17:00"),
        ("2 to 4", "14:00–16:00"),
        ("02:00 to 04:00", "02:00–04:00"),
        ("14-16", "14:00–16:00"),
        ("9 to noon", "09:00–12:00"),
        ("between 2pm and 24:00", "14:00–00:00"),
        ("2 to 4 in the afternoon", "14:00–16:00"),
        ("8 to 10 in the evening", "20:00–22:00"),
    ] {
        let means = Ok(format!("Thu 26 Nov, {means}"));
        assert_eq!(read(&format!("tomorrow {said}")), means, "{said}");
    }
}

#[test]
fn each_day_that_is_named_is_looked_at() {
    for (said, means) in [
        ("Tuesday or Wednesday", "Wed 25 Nov; Tue 1 Dec"),
        ("Tue/Thu", "Thu 26 Nov; Tue 1 Dec"),
        ("Mon, Tue and Fri", "Fri 27 Nov; Mon 30 Nov; Tue 1 Dec"),
        (
            "Tuesday and Thursday afternoon",
            "Thu 26 Nov, 12:00–18:00; Tue 1 Dec, 12:00–18:00",
        ),
        (
            "in the afternoon on Tuesday or Thursday",
            "Thu 26 Nov, 12:00–18:00; Tue 1 Dec, 12:00–18:00",
        ),
        (
            "Thursday morning or afternoon",
            "Thu 26 Nov, 06:00–12:00; Thu 26 Nov, 12:00–18:00",
        ),
        (
            "Thursday 9-11 and Friday between 2 and 4pm",
            "Thu 26 Nov, 09:00–11:00; Fri 27 Nov, 14:00–16:00",
        ),
        (
            "Thursday afternoon, Friday morning",
            "Thu 26 Nov, 12:00–18:00; Fri 27 Nov, 06:00–12:00",
        ),
        (
            "Thursday afternoon or Friday",
            "Thu 26 Nov, 12:00–18:00; Fri 27 Nov",
        ),
        ("Tuesday and Thursday next week", "Tue 1 Dec; Thu 3 Dec"),
        ("next week Tuesday and Thursday", "Tue 1 Dec; Thu 3 Dec"),
        ("next Tuesday and Thursday", "Tue 1 Dec; Thu 3 Dec"),
        ("Friday or next week", "Fri 27 Nov; Mon 30 Nov to Sun 6 Dec"),
        ("today or tomorrow", "Wed 25 Nov; Thu 26 Nov"),
        ("this Friday or Tuesday next week", "Fri 27 Nov; Tue 1 Dec"),
        ("Friday or Tuesday next week", "Tue 1 Dec; Fri 4 Dec"),
        ("tomorrow and 3 December", "Thu 26 Nov; Thu 3 Dec"),
    ] {
        assert_eq!(read(said).as_deref(), Ok(means), "{said}");
    }
}

#[test]
fn a_weekday_whose_time_is_past_today_is_the_next_one() {
    for (now, said, means) in [
        (
            "2026-11-24T20:30",
            "Tuesday afternoon",
            "Tue 1 Dec, 12:00–18:00",
        ),
        (
            "2026-11-24T18:00",
            "Tuesday afternoon",
            "Tue 1 Dec, 12:00–18:00",
        ),
        (
            "2026-11-24T17:59",
            "Tuesday afternoon",
            "Tue 24 Nov, 12:00–18:00",
        ),
        (
            "2026-11-24T20:30",
            "this Tuesday before noon",
            "Tue 1 Dec, 00:00–12:00",
        ),
        (
            "2026-11-24T20:30",
            "Tuesday and Thursday afternoon",
            "Thu 26 Nov, 12:00–18:00; Tue 1 Dec, 12:00–18:00",
        ),
        ("2026-11-24T20:30", "Tuesday", "Tue 24 Nov"),
        (
            "2026-11-24T20:30",
            "Tuesday evening",
            "Tue 24 Nov, 18:00–22:00",
        ),
        (
            "2026-11-24T20:30",
            "later tonight",
            "Tue 24 Nov, 20:30–22:00",
        ),
        ("2026-11-29T12:00", "this weekend", "Sun 29 Nov"),
    ] {
        assert_eq!(read_at(now, said).as_deref(), Ok(means), "{said}");
    }
    for said in [
        "this afternoon",
        "today at 3pm",
        "Monday this week",
        "2026-11-23",
    ] {
        let found = it_at("2026-11-24T20:30", said);
        assert_eq!(found, Err(Unclear::Past), "{said}");
    }
}

#[test]
fn what_else_it_may_mean_is_told() {
    for (said, or) in [
        ("Wednesday afternoon", "the next one is Wed 2 Dec 2026"),
        ("tomorrow at 3", "15:00–16:00 is taken, and not 03:00–04:00"),
        ("tomorrow at 8", "08:00–09:00 is taken, and not 20:00–21:00"),
        (
            "tomorrow 2 to 4",
            "14:00–16:00 is taken, and not 02:00–04:00",
        ),
        (
            "tomorrow before 5",
            "00:00–17:00 is taken, and not 00:00–05:00",
        ),
        ("in two weeks", "not Wed 9 Dec 2026 alone"),
        (
            "Friday or Tuesday next week",
            "the coming one is Fri 27 Nov 2026",
        ),
        ("Mon-Fri", "those of this week end on Fri 27 Nov 2026"),
    ] {
        let told = it_at("2026-11-25T10:00", said).expect(said).or;
        assert!(
            told.as_ref().is_some_and(|it| it.contains(or)),
            "{said}: {told:?}"
        );
    }
    for said in [
        "Tuesday",
        "tomorrow at 3pm",
        "tomorrow between 9 and 11",
        "tomorrow at 15:00",
        "tomorrow at 3 in the afternoon",
        "Mon-Wed next week",
    ] {
        assert_eq!(
            it_at("2026-11-25T10:00", said).expect(said).or,
            None,
            "{said}"
        );
    }
}

#[test]
fn no_word_is_passed_over() {
    let word = |word: &str| Unclear::Word(word.into());
    for (said, unclear) in [
        ("Tuesday 3", word("3")),
        ("12 and 14 March", word("12")),
        ("Tuesday for 30 minutes", word("30")),
        ("tomorrow not before 3pm", word("not")),
        ("every Tuesday", word("every")),
        ("after Tuesday", word("after")),
        ("by Friday", word("by")),
        ("from Tuesday", word("from")),
        ("around Tuesday", word("around")),
        ("later", word("later")),
        ("early next week", word("early")),
        ("early Tuesday morning", word("early")),
        ("this week to next week", word("to")),
        ("tomorrow at 3pm to Friday", word("to")),
        ("Tuesday 25pm", word("25pm")),
        ("tomorrow at 99999999:00", word("99999999:00")),
        (
            "Tuesday 2 December",
            Unclear::OtherDay("Wed 2 Dec 2026".into()),
        ),
        ("today Friday", Unclear::OtherDay("Wed 25 Nov 2026".into())),
        (
            "this week next week",
            Unclear::OtherDay("Mon 30 Nov 2026".into()),
        ),
        ("Tuesday this weekend", Unclear::OtherDay("tuesday".into())),
        ("Tuesday morning afternoon", Unclear::OtherHours),
        ("tomorrow morning at 3pm", Unclear::OtherHours),
        ("next Thursday to next Tuesday", Unclear::Days),
        ("next 63 days", Unclear::Days),
        ("today or 12 March", Unclear::Days),
        (&"the ".repeat(30), Unclear::Long),
    ] {
        assert_eq!(read(said), Err(unclear), "{said}");
    }
}

#[test]
fn more_days_than_can_be_looked_at_are_refused() {
    let first = date(2026, 11, 25);
    let until = |days: i32| During::days(first, first + jiff::Span::new().days(days));
    assert_eq!(
        until(61).map(|it| it.stretches(&TimeZone::UTC).len()),
        Ok(62)
    );
    assert_eq!(until(62), Err(Unclear::Days));
    assert_eq!(until(91), Err(Unclear::Days));
    assert_eq!(until(-1), Err(Unclear::Days));
}

#[test]
fn any_words_in_any_order_are_refused_or_make_sense() {
    let words = "today tonight tuesday next this week in two days or to - from between and at after before 3 12 4pm \
         24:00 noon morning late later rest of the march 2026-12-03 9999-12-31 -9999-01-01";
    let words: Vec<&str> = words.split_whitespace().collect();
    let now = "2026-11-25T10:00[Europe/Stockholm]"
        .parse()
        .expect("a time");
    let is_sound =
        |it: &Part| it.first <= it.last && (it.to == Time::midnight() || it.from < it.to);
    for a in &words {
        for b in &words {
            for c in &words {
                let said = format!("tuesday {a} {b} {c}");
                if let Ok(it) = during(&said, &now) {
                    assert!(it.parts.iter().all(is_sound), "{said}: {it}");
                }
            }
        }
    }
}

#[test]
fn what_is_not_understood_is_said() {
    for (said, unclear) in [
        ("whenever", Unclear::Word("whenever".into())),
        ("afternoon", Unclear::NoDay),
        ("", Unclear::NoDay),
        ("next month", Unclear::Word("next month".into())),
        ("2026-12-05 to 2026-12-03", Unclear::Days),
        ("2026-12-05 to 2027-12-03", Unclear::Days),
        ("Friday between 3pm and 2pm", Unclear::Hours),
        ("31 February", Unclear::Word("31".into())),
    ] {
        assert_eq!(read(said), Err(unclear), "{said}");
    }
}

#[test]
fn next_is_told_where_it_can_mean_two_days() {
    let now: Zoned = "2026-11-23T10:00[Europe/Stockholm]"
        .parse()
        .expect("a Monday");
    let it = during("next tuesday", &now).expect("understood");
    assert_eq!(it.first(), date(2026, 12, 1));
    assert!(it.or.expect("a word on it").contains("Tue 24 Nov 2026"));
    let now: Zoned = "2026-11-29T10:00[Europe/Stockholm]"
        .parse()
        .expect("a Sunday");
    let it = during("next tuesday", &now).expect("understood");
    assert_eq!((it.first(), it.or), (date(2026, 12, 1), None));
}

#[test]
fn a_day_has_the_hours_that_it_has() {
    let zone = TimeZone::get("America/New_York").expect("a zone");
    let hours = |day: Date| {
        let all = During::days(day, day).expect("a day").stretches(&zone);
        assert_eq!(all.len(), 1);
        all[0].1.duration_since(all[0].0).as_hours()
    };
    assert_eq!(hours(date(2026, 3, 8)), 23);
    assert_eq!(hours(date(2026, 11, 1)), 25);
    assert_eq!(hours(date(2026, 11, 2)), 24);
    let mut afternoon = During::days(date(2026, 3, 7), date(2026, 3, 9)).expect("days");
    afternoon.parts[0].from = time(12, 0, 0, 0);
    afternoon.parts[0].to = time(18, 0, 0, 0);
    let begins: Vec<String> = afternoon
        .stretches(&zone)
        .iter()
        .map(|(begin, _)| begin.to_string())
        .collect();
    assert_eq!(
        begins,
        [
            "2026-03-07T17:00:00Z",
            "2026-03-08T16:00:00Z",
            "2026-03-09T16:00:00Z"
        ]
    );
}

#[test]
fn a_time_that_clocks_skip_is_the_next_one_that_they_show() {
    let now: Zoned = "2026-03-06T10:00[America/New_York]"
        .parse()
        .expect("a time");
    for (said, hours) in [
        ("8 March 02:30 to 03:30", Some(("03:00", "03:30"))),
        ("8 March 01:30 to 02:30", Some(("01:30", "03:00"))),
        ("8 March at 1am", Some(("01:00", "03:00"))),
        ("8 March at 2am", None),
    ] {
        let all = during(said, &now).expect(said).stretches(now.time_zone());
        let told = |at: Timestamp| {
            at.to_zoned(now.time_zone().clone())
                .strftime("%H:%M")
                .to_string()
        };
        let found: Vec<_> = all.iter().map(|it| (told(it.0), told(it.1))).collect();
        let expected: Vec<_> = hours
            .iter()
            .map(|it| (it.0.to_owned(), it.1.to_owned()))
            .collect();
        assert_eq!(found, expected, "{said}");
    }
}
