//! What became of a call, and of a change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a call to a vendor did not give what was wanted. `what` finishes the phrase "could not …",
/// names the thing involved and never a secret or a person's e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// Certainly not applied, or only a read: try again.
    #[error("could not {what}")]
    Transient { what: String },
    /// The vendor's limit: certainly not applied; costs no attempt. Waits are by our own clock.
    #[error("could not {what}: limit reached")]
    Limited { what: String, until: Timestamp },
    /// May have been applied: it must be looked up before it is sent again.
    #[error("could not tell whether it was done: {what}")]
    Unknown { what: String },
    /// The vendor understood and refused; amend once per cause, else the effect is dead.
    #[error("could not {what}")]
    Refused { what: String, cause: Cause },
    /// The record is gone (deleted, merged, or out of reach).
    #[error("could not {what}: it does not exist any more")]
    Gone { what: String },
    /// A token or a right is missing: the profile pauses until a person has acted.
    #[error("could not {what}; {hint}")]
    NeedsOperator { what: String, hint: String },
}

/// What a refusal was about, so that the call can be amended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// The status name is not one of the list's.
    Status,
    /// A field's value or place.
    Field,
    /// The plan's quota of field uses: remembered for 24 h.
    Quota,
    /// The list's default type is over the plan's cap.
    Type,
    /// Anything else: cannot be amended.
    Other,
}

/// How a change ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Applied,
    Skipped(String),
    Dead(String),
}
