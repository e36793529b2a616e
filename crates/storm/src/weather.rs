//! What may go wrong, and how often, in one storm.

use crate::dice;
use crate::spell::Spell;

/// What may happen to one call on its way to ClickUp or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No byte leaves.
    Unsent,
    /// Lost before it arrives.
    Lost,
    /// Carried out; the answer is lost.
    AnswerLost,
    /// Lost for us; carried out later.
    Late,
    /// Answered after our patience has ended.
    Slow,
    /// A gateway sends it twice: only where that is harmless by itself.
    Twice,
    Html,
    HtmlApplied,
    ServerError,
    ServerErrorApplied,
    Torn,
    Empty,
    Foreign,
    Limited,
    LimitedByWrongClock,
    Redirect,
    /// 401, once.
    Unauthorized,
    /// 403, once.
    Forbidden,
}

impl Trouble {
    pub fn name(self) -> &'static str {
        match self {
            Self::Unsent => "request unsent",
            Self::Lost => "request lost",
            Self::AnswerLost => "answer lost",
            Self::Late => "applied late",
            Self::Slow => "answered too late",
            Self::Twice => "sent twice by a gateway",
            Self::Html => "gateway page, not applied",
            Self::HtmlApplied => "gateway page, applied",
            Self::ServerError => "500, not applied",
            Self::ServerErrorApplied => "500, applied",
            Self::Torn => "answer torn",
            Self::Empty => "200 without a body",
            Self::Foreign => "200 with something else",
            Self::Limited => "429",
            Self::LimitedByWrongClock => "429 by a wrong clock",
            Self::Redirect => "redirected",
            Self::Unauthorized => "401",
            Self::Forbidden => "403",
        }
    }
}

const TROUBLES: [Trouble; 18] = [
    Trouble::Unsent,
    Trouble::Lost,
    Trouble::AnswerLost,
    Trouble::Late,
    Trouble::Slow,
    Trouble::Twice,
    Trouble::Html,
    Trouble::HtmlApplied,
    Trouble::ServerError,
    Trouble::ServerErrorApplied,
    Trouble::Torn,
    Trouble::Empty,
    Trouble::Foreign,
    Trouble::Limited,
    Trouble::LimitedByWrongClock,
    Trouble::Redirect,
    Trouble::Unauthorized,
    Trouble::Forbidden,
];

/// Nobody can tell from the answer what became of the request.
const AMBIGUOUS: [Trouble; 6] = [
    Trouble::AnswerLost,
    Trouble::Late,
    Trouble::Late,
    Trouble::Lost,
    Trouble::Slow,
    Trouble::Torn,
];
/// Writes meet with more: that is where it matters.
const WRITES_WEIGH: f64 = 3.0;

#[derive(Debug, Clone)]
pub struct Weather {
    /// Per step of the process.
    pub crash: f64,
    /// Per writing verb of the store.
    pub store_error: f64,
    /// Per step: others get their turn.
    pub pause: f64,
    /// Per call.
    pub trouble: f64,
    pub troubles: Vec<(Trouble, u32)>,
    pub latency_ms_max: u64,
    /// A list leaves out what is younger, and shows what is changed later.
    pub index_lag_ms: u64,
    pub late_apply_ms: u64,
    /// What is made may be made, or listed, later than calup is told of: it may then stand there twice for a while.
    pub is_beyond: bool,
    /// Also an update of a record, which may then undo a newer one.
    pub late_updates: bool,
    pub crashes_left: u32,
    /// Per step: the process is stopped for a while, and another one may take over meanwhile.
    pub stop: f64,
    pub stops_left: u32,
    /// Whose record ClickUp refuses to have written, and whether nothing else goes wrong then.
    pub refuses: Option<usize>,
    pub is_clear: bool,
    /// Per half second: the process's clock is set.
    pub clock_jump: f64,
    pub spell: Option<Spell>,
}

/// What the process is told of Q and L.
pub const LATE_APPLY_MS: u64 = 9_000;
pub const INDEX_LAG_MS: u64 = 9_000;

impl Weather {
    /// Some storms are wild in one way only, so that what follows from it is not hidden by the rest.
    pub fn drawn(beyond: bool, people: usize) -> Self {
        let some = |p: f64, of: f64| if dice::chance(p) { of } else { 0.0 };
        let crash = some(0.6, dice::one(&[0.002, 0.005, 0.02]));
        let store_error = some(0.3, dice::one(&[0.003, 0.02]));
        let is_beyond = beyond || dice::chance(0.25);
        let mut trouble = some(0.8, dice::one(&[0.02, 0.08, 0.2]));
        let kinds = dice::between(1, 6);
        let of: &[Trouble] = if dice::chance(0.5) {
            &AMBIGUOUS
        } else {
            &TROUBLES
        };
        let mut troubles: Vec<(Trouble, u32)> = (0..kinds)
            .map(|_| (dice::one(of), dice::between(1, 4) as u32))
            .collect();
        if is_beyond && dice::chance(0.5) {
            // Else little comes of it.
            trouble = trouble.max(0.1);
            troubles.push((Trouble::Late, 12));
        }
        let lags: &[u64] = if is_beyond {
            &[0, 2_000, 2 * INDEX_LAG_MS]
        } else {
            &[0, 0, 2_000, INDEX_LAG_MS - 500]
        };
        let index_lag_ms = dice::one(lags);
        Self {
            crash,
            store_error,
            pause: dice::one(&[0.0, 0.05, 0.3]),
            trouble,
            troubles,
            latency_ms_max: dice::one(&[5, 40, 400]),
            index_lag_ms,
            late_apply_ms: if is_beyond {
                4 * LATE_APPLY_MS
            } else {
                LATE_APPLY_MS - 400
            },
            is_beyond,
            late_updates: beyond,
            crashes_left: 12,
            stop: some(0.2, dice::one(&[0.002, 0.01])),
            stops_left: 3,
            refuses: None,
            is_clear: false,
            clock_jump: some(0.15, 0.01),
            spell: Spell::drawn(people),
        }
    }

    pub fn trouble(&self, writes: bool) -> Option<Trouble> {
        let weight = if writes { WRITES_WEIGH } else { 1.0 };
        dice::chance(self.trouble * weight)
            .then(|| dice::weighted(&self.troubles))
            .flatten()
    }

    /// Nothing goes wrong any more; what was on its way still arrives.
    pub fn calm(&mut self) {
        self.crash = 0.0;
        self.stop = 0.0;
        self.store_error = 0.0;
        self.trouble = 0.0;
        self.clock_jump = 0.0;
        self.spell = None;
        self.index_lag_ms = 0;
        self.latency_ms_max = 20;
    }

    pub fn clear(&mut self) {
        let latency_ms_max = self.latency_ms_max;
        self.calm();
        self.latency_ms_max = latency_ms_max;
        self.is_clear = true;
    }
}
