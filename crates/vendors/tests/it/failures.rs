//! A failure's kind, as the tests name it.

use domain::outcome::Failure;

pub fn class(failure: &Failure) -> &'static str {
    match failure {
        Failure::Transient { .. } => "transient",
        Failure::Limited { .. } => "limited",
        Failure::Unknown { .. } => "unknown",
        Failure::Refused { .. } => "refused",
        Failure::Gone { .. } => "gone",
        Failure::NeedsOperator { .. } => "operator",
    }
}
