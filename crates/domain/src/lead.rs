//! A person's record in the CRM, and what may be asked of one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A record as last read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    pub id: String,
    pub list_id: String,
    pub list_name: String,
    pub name: String,
    pub status: String,
    pub status_kind: StatusKind,
    /// Markdown as the CRM renders it, line ends normalised to `\n`.
    pub description: String,
    /// Only the description's plain text is known, without links and formatting: it is not to be written back.
    pub description_is_plain: bool,
    /// All values of the e-mail field(s), as typed.
    pub emails: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub url: Option<String>,
    /// The record was made by the user whose token we use.
    pub ours: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StatusKind {
    Open,
    Custom,
    Done,
    Closed,
}

/// A new record, one call, everything inline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewLead {
    pub name: String,
    pub description: String,
    /// In the list's spelling.
    pub status: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// Answers whose label or slug may equal a field's name.
    pub answers: Vec<(String, String)>,
    /// False after a refusal of fields, or while the quota is known to be used up.
    pub with_fields: bool,
    /// After a refusal of the list's default type: ask for the plain one.
    pub plain_type: bool,
}

/// One write to an existing record; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// In the list's spelling.
    pub status: Option<String>,
    /// The whole description as markdown.
    pub description: Option<String>,
    /// For an empty e-mail field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Fill>,
}

/// What the e-mail field of a list's lead is filled with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    pub list_id: String,
    pub email: String,
}

/// Rich text of a comment: runs, because markdown would show literally.
pub type RichText = Vec<Run>;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub text: String,
    #[serde(default)]
    pub bold: bool,
    #[serde(default)]
    pub link: Option<String>,
}

/// A comment as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub id: String,
    pub text: String,
    pub at: Timestamp,
    /// Posted by the user whose token we use.
    pub ours: bool,
    /// Answered, reacted to, assigned or resolved.
    pub taken_up: bool,
}

/// The CRM's lists that a profile uses, as read (cached for an hour).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListInfo {
    pub id: String,
    pub name: String,
    /// In the list's spelling and order.
    pub statuses: Vec<(String, StatusKind)>,
    pub has_email_field: bool,
}
