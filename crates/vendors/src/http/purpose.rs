//! What a call is for, because that is what its failure is about. What a vendor's answers mean is each vendor's own
//! business; that none came means the same to all.

use domain::outcome::{Cause, Failure};

use super::Lost;

#[derive(Debug, Clone)]
pub(crate) struct Purpose<About> {
    /// Finishes "could not …".
    pub what: String,
    pub about: About,
    pub writes: bool,
}

impl<About> Purpose<About> {
    pub fn read(about: About, what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            about,
            writes: false,
        }
    }

    pub fn write(about: About, what: impl Into<String>) -> Self {
        Self {
            writes: true,
            ..Self::read(about, what)
        }
    }

    /// No whole answer came.
    pub fn lost(&self, lost: Lost) -> Failure {
        let what = &self.what;
        match lost {
            Lost::Held(until) => Failure::Limited {
                what: what.clone(),
                until,
            },
            Lost::Unsent(why) => Failure::Transient {
                what: format!("{what}: {why}"),
            },
            Lost::Unanswered(why) => self.unknown(&why),
        }
    }

    /// A read may be repeated at will; what was written must be looked up first.
    pub fn unknown(&self, why: &str) -> Failure {
        let what = format!("{}: {why}", self.what);
        if self.writes {
            Failure::Unknown { what }
        } else {
            Failure::Transient { what }
        }
    }

    pub fn gone(&self) -> Failure {
        Failure::Gone {
            what: self.what.clone(),
        }
    }

    pub fn refuse(&self, why: &str) -> Failure {
        Failure::Refused {
            what: format!("{}: {why}", self.what),
            cause: Cause::Other,
        }
    }
}

pub(crate) fn needs_operator(what: impl Into<String>, hint: &str) -> Failure {
    Failure::NeedsOperator {
        what: what.into(),
        hint: hint.to_owned(),
    }
}
