//! A webhook of the CRM's, as calup knows it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Kept sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The CRM's.
    pub id: String,
    pub list_id: String,
    /// The CRM's user who made it, and who writes what calup writes.
    pub user: Option<String>,
    /// Signs what it tells.
    pub secret: String,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook")
            .field("id", &self.id)
            .field("list_id", &self.list_id)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
