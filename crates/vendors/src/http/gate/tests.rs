use super::*;

const SHORT: Duration = Duration::from_millis(10);

/// An answer by a vendor whose clock is an hour behind.
fn told(remaining: u32, resets_in_s: i64) -> HeaderMap {
    let now = crate::http::now() - SignedDuration::from_hours(1);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&now)
        .expect("a year of four digits");
    let mut headers = HeaderMap::new();
    headers.insert("date", date.parse().expect("a header"));
    headers.insert("x-ratelimit-limit", 100.into());
    headers.insert("x-ratelimit-remaining", remaining.into());
    headers.insert("x-ratelimit-reset", (now.as_second() + resets_in_s).into());
    headers
}

fn heard(remaining: u32, reset: i64, wait_s: u64) -> Heard {
    Heard {
        limit: Some(100),
        remaining: Some(remaining),
        reset: Some(reset),
        wait: Some(Duration::from_secs(wait_s)),
        retry_after: None,
        counts_down: false,
    }
}

/// An answer that tells how many seconds are left, so many after the first.
fn told_left(remaining: u32, after_s: i64) -> HeaderMap {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
    let at = at + SignedDuration::from_secs(after_s);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&at)
        .expect("a year of four digits");
    let mut headers = HeaderMap::new();
    headers.insert("date", date.parse().expect("a header"));
    headers.insert("x-ratelimit-limit", 120.into());
    headers.insert("x-ratelimit-remaining", remaining.into());
    headers.insert("x-ratelimit-reset", 42.into());
    headers
}

/// How many are let in, when none of them is answered.
async fn let_in(gate: &Gate) -> usize {
    let mut inside = Vec::new();
    while let Ok(permit) = gate.enter(SHORT).await {
        inside.push(permit);
    }
    inside.len()
}

fn after(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// So many requests go out at `now`, no more.
fn goes(state: &mut State, now: Instant, most: usize) -> usize {
    (0..most).take_while(|_| state.ask(now) == Ask::Go).count()
}

#[tokio::test]
async fn no_more_goes_out_than_the_headers_left_room_for() {
    let gate = Gate::default();
    let scout = gate.enter(SHORT).await.expect("the first goes out");
    scout.answered(200, &told(2, 30));
    let first = gate.enter(SHORT).await;
    let second = gate.enter(SHORT).await;
    assert!(first.is_ok() && second.is_ok());
    let until = gate.enter(SHORT).await.expect_err("two were left");
    let wait = until.duration_since(crate::http::now()).as_secs();
    assert!((25..=31).contains(&wait), "{wait}");
}

#[tokio::test]
async fn room_for_two_is_not_room_for_three() {
    let gate = Gate::default();
    let scout = gate.enter(SHORT).await.expect("the first goes out");
    scout.answered(200, &told(2, 30));
    assert!(gate.room(2, SHORT).await.is_ok());
    assert!(gate.room(3, SHORT).await.is_err());
}

#[tokio::test]
async fn what_can_wait_leaves_most_of_the_limit_to_others() {
    let gate = Gate::default();
    let told_by = async |remaining| {
        let scout = gate.enter(SHORT).await.expect("there is room");
        scout.answered(200, &told(remaining, 30));
    };
    told_by(63).await;
    assert!(gate.spare(3, SHORT).await.is_ok());
    assert!(gate.spare(4, SHORT).await.is_err());
    assert!(gate.room(60, SHORT).await.is_ok());
    told_by(59).await;
    assert!(gate.spare(1, SHORT).await.is_err());
    assert!(gate.room(50, SHORT).await.is_ok());
}

#[tokio::test]
async fn after_a_refusal_nothing_goes_out_before_the_reset() {
    let gate = Gate::default();
    let began = Instant::now();
    let scout = gate.enter(SHORT).await.expect("the first goes out");
    assert!(scout.answered(429, &told(0, 1)).is_some());
    assert!(gate.enter(SHORT).await.is_err());
    assert!(gate.enter(Duration::from_secs(5)).await.is_ok());
    assert!(began.elapsed() >= after(0.95), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_caller_who_gives_up_leaves_no_trace() {
    let gate = Gate::default();
    drop(gate.enter(SHORT).await.expect("the first goes out"));
    let next = gate.enter(SHORT).await;
    assert!(next.is_ok(), "the first was given up");
    assert_eq!(gate.state().in_flight, 1);
}

#[tokio::test]
async fn whoever_came_first_goes_first() {
    let gate = std::sync::Arc::new(Gate::default());
    let scout = gate.enter(SHORT).await.expect("the first goes out");
    let order = std::sync::Arc::new(Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for number in 0..5 {
        let (gate, order) = (gate.clone(), order.clone());
        waiting.push(tokio::spawn(async move {
            let permit = gate.enter(Duration::from_secs(1)).await;
            order.lock().expect("no panic").push(number);
            permit.expect("there is room").answered(200, &told(50, 30));
        }));
        tokio::task::yield_now().await;
    }
    scout.answered(200, &told(90, 30));
    for task in waiting {
        task.await.expect("no panic");
    }
    assert_eq!(*order.lock().expect("no panic"), [0, 1, 2, 3, 4]);
}

#[test]
fn one_scouts_while_nothing_is_known_and_another_when_it_stays_away() {
    let mut state = State::default();
    let now = Instant::now();
    assert_eq!(goes(&mut state, now, 10), 1);
    assert_eq!(goes(&mut state, now + after(1.9), 10), 0);
    assert_eq!(goes(&mut state, now + after(2.1), 10), 1);
}

#[test]
fn what_is_left_counts_what_is_on_its_way_and_never_rises_within_a_window() {
    let mut state = State::default();
    let now = Instant::now();
    assert_eq!(goes(&mut state, now, 1), 1);
    state.answered(now, now, 200, &heard(10, 1000, 60));
    assert_eq!(goes(&mut state, now, 4), 4);
    // The last of the four was counted first; its answer overtakes nothing.
    state.answered(now, now, 200, &heard(6, 1000, 60));
    state.answered(now, now, 200, &heard(9, 1000, 60));
    assert_eq!(goes(&mut state, now, 100), 3, "6 left, less 3 on their way");
}

#[test]
fn a_window_that_ended_is_scouted_before_the_next_is_used() {
    let mut state = State::default();
    let now = Instant::now();
    assert_eq!(goes(&mut state, now, 1), 1);
    state.answered(now, now, 200, &heard(3, 1000, 60));
    assert_eq!(goes(&mut state, now, 100), 3);
    assert_eq!(goes(&mut state, now + after(59.0), 100), 0);
    let next = now + after(61.0);
    assert_eq!(goes(&mut state, next, 100), 1);
    state.answered(next, next, 200, &heard(99, 1061, 60));
    assert_eq!(
        goes(&mut state, next, 200),
        96,
        "three are still on their way"
    );
}

#[test]
fn a_late_answer_of_the_last_window_changes_nothing() {
    let mut state = State::default();
    let now = Instant::now();
    assert_eq!(goes(&mut state, now, 1), 1);
    state.answered(now, now, 200, &heard(50, 1060, 60));
    assert_eq!(goes(&mut state, now, 1), 1);
    state.answered(now, now, 200, &heard(2, 1000, 0));
    assert_eq!(goes(&mut state, now, 100), 49);
}

#[test]
fn without_headers_few_go_at_once_until_a_refusal_teaches_the_limit() {
    let silent = Heard::default();
    let mut state = State::default();
    let began = Instant::now();
    assert_eq!(goes(&mut state, began, 10), 1);
    state.answered(began, began, 200, &silent);
    assert_eq!(goes(&mut state, began, 10), 3);
    for _ in 0..3 {
        state.answered(began, began, 200, &silent);
    }
    assert_eq!(goes(&mut state, began, 1), 1);
    // Half way through a window of twenty seconds.
    let refused_at = began + after(10.0);
    let refusal = Heard {
        limit: Some(5),
        remaining: Some(0),
        ..heard(0, 1000, 10)
    };
    state.answered(refused_at, began, 429, &refusal);
    assert_eq!(goes(&mut state, refused_at + after(9.9), 10), 0);
    let next = refused_at + after(10.1);
    let mut sent = 0;
    for _ in 0..20 {
        let going = goes(&mut state, next, 10);
        sent += going;
        for _ in 0..going {
            state.answered(next, next, 200, &silent);
        }
    }
    assert_eq!(sent, 5, "the limit, counted by ourselves");
    assert_eq!(goes(&mut state, next + after(19.0), 10), 0);
    assert_eq!(goes(&mut state, next + after(21.0), 10), 1);
}

#[test]
fn a_refusal_waits_for_what_the_vendor_says_within_reason() {
    let wait = |state: &mut State, heard: &Heard| {
        let now = Instant::now();
        let until = state.answered(now, now, 429, heard).expect("it is closed");
        (until - now).as_secs()
    };
    assert_eq!(wait(&mut State::default(), &heard(0, 1000, 17)), 17);
    assert_eq!(wait(&mut State::default(), &Heard::default()), 60);
    let retry_after = Heard {
        retry_after: Some(Duration::from_secs(90)),
        ..heard(0, 1000, 17)
    };
    assert_eq!(wait(&mut State::default(), &retry_after), 90);
    let for_ever = Heard {
        retry_after: Some(Duration::from_secs(90_000)),
        ..Heard::default()
    };
    assert_eq!(wait(&mut State::default(), &for_ever), 300);
}

#[test]
fn a_reset_that_has_passed_is_waited_for_ever_longer() {
    let mut state = State::default();
    let mut now = Instant::now();
    let mut waits = Vec::new();
    for _ in 0..8 {
        let until = state
            .answered(now, now, 429, &heard(0, 1000, 0))
            .expect("closed");
        waits.push((until - now).as_secs());
        now = until + after(0.1);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 32, 32]);
}

#[tokio::test]
async fn headers_that_never_count_down_hold_nobody_up() {
    for seconds_each in [0, 1] {
        let gate = Gate::default();
        for call in 0..400 {
            let permit = gate.enter(SHORT).await;
            let permit = permit.unwrap_or_else(|_| panic!("call {call}"));
            permit.answered(200, &told_left(117, call * seconds_each));
        }
        assert_eq!(let_in(&gate).await, 117);
    }
}

#[tokio::test]
async fn neither_do_they_when_some_calls_always_overlap() {
    let gate = Gate::default();
    let scout = gate.enter(SHORT).await.expect("the first goes out");
    scout.answered(200, &told_left(117, 0));
    let mut flying = std::collections::VecDeque::new();
    for call in 0..600 {
        let permit = gate.enter(SHORT).await;
        flying.push_back(permit.unwrap_or_else(|_| panic!("call {call}")));
        if flying.len() == 40 {
            let oldest = flying.pop_front().expect("forty");
            oldest.answered(200, &told_left(117, 0));
        }
    }
}

#[tokio::test]
async fn an_answer_that_another_overtook_gives_nothing_back() {
    let gate = Gate::default();
    let scout = gate.enter(SHORT).await.expect("the first goes out");
    scout.answered(200, &told_left(10, 0));
    let counted_first = gate.enter(SHORT).await.expect("there is room");
    let counted_second = gate.enter(SHORT).await.expect("there is room");
    counted_second.answered(200, &told_left(8, 0));
    counted_first.answered(200, &told_left(9, 0));
    assert_eq!(let_in(&gate).await, 8);
}

#[tokio::test]
async fn a_call_that_was_given_up_may_still_be_counted() {
    let gate = Gate::default();
    let scout = gate.enter(SHORT).await.expect("the first goes out");
    scout.answered(200, &told_left(10, 0));
    drop(gate.enter(SHORT).await.expect("there is room"));
    let next = gate.enter(SHORT).await.expect("there is room");
    next.answered(200, &told_left(9, 0));
    assert_eq!(let_in(&gate).await, 8);
}

#[tokio::test]
async fn a_window_that_has_an_end_of_its_own_gives_nothing_back() {
    let gate = Gate::default();
    for call in 0..6 {
        let permit = gate.enter(SHORT).await;
        let permit = permit.unwrap_or_else(|_| panic!("call {call}"));
        let mut headers = told_left(5, 0);
        let reset = SignedDuration::from_hours(500_000).as_secs() + 42;
        headers.insert("x-ratelimit-reset", reset.into());
        permit.answered(200, &headers);
    }
    assert!(gate.enter(SHORT).await.is_err());
}

#[test]
fn where_silence_means_no_limit_many_go_at_once_until_one_is_refused() {
    let silent = Heard::default();
    let mut state = State::default();
    state.trusts_silence = true;
    let now = Instant::now();
    assert_eq!(goes(&mut state, now, 100), 1, "nothing is known yet");
    state.answered(now, now, 200, &silent);
    assert_eq!(goes(&mut state, now, 100), 32);
    for _ in 0..31 {
        state.answered(now, now, 200, &silent);
    }
    state.answered(now, now, 429, &silent);
    let next = now + after(61.0);
    assert_eq!(goes(&mut state, next, 100), 1);
    state.answered(next, next, 200, &silent);
    assert_eq!(goes(&mut state, next, 100), 3);
}

#[tokio::test]
async fn waiting_for_a_turn_is_told_from_waiting_for_a_limit() {
    let gate = Gate::default();
    gate.trust_silence();
    let scout = gate.enter(SHORT).await.expect("the first goes out");
    let is_busy_for = async |busy: Duration| {
        let began = Instant::now();
        let ended = gate.enter_by(SHORT, busy).await;
        assert!(matches!(ended, Err(Shut::Busy)), "{ended:?}");
        assert!(began.elapsed() >= busy, "{:?}", began.elapsed());
    };
    tokio::join!(is_busy_for(after(0.2)), is_busy_for(after(0.1)));
    let late = gate.enter_by(SHORT, Duration::from_secs(5));
    let answer = async {
        tokio::time::sleep(3 * SHORT).await;
        scout.answered(200, &HeaderMap::new());
    };
    let (permit, ()) = tokio::join!(late, answer);
    let permit = permit.expect("a turn");
    permit.answered(200, &told(0, 30));
    let began = Instant::now();
    let spent = gate.enter_by(SHORT, Duration::from_secs(5)).await;
    assert!(matches!(spent, Err(Shut::Until(_))));
    assert!(began.elapsed() < after(1.0), "{:?}", began.elapsed());
}
