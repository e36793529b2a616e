//! What the profiles of one process share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use secrecy::{ExposeSecret, SecretString};
use vendors::http::Gate;

use crate::body::Budget;

type Locks = HashMap<String, Arc<tokio::sync::Mutex<()>>>;
/// By the vendor's address and the token.
type Gates = HashMap<(String, String), Arc<Gate>>;

#[derive(Clone, Default)]
pub struct Shared {
    pub bodies: Budget,
    leads: Arc<Mutex<Locks>>,
    gates: Arc<Mutex<Gates>>,
}

impl Shared {
    /// Held while a lead is read and written, so that two people of one lead never write at once, whosever they are.
    pub fn lead_lock(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut all = self.leads.lock().expect("no holder panics");
        all.retain(|_, lock| Arc::strong_count(lock) > 1);
        all.entry(id.to_owned()).or_default().clone()
    }

    /// A token's limit is one, whoever uses it.
    pub fn gate(&self, address: &str, token: &SecretString) -> Arc<Gate> {
        let mut all = self.gates.lock().expect("no holder panics");
        all.retain(|_, gate| Arc::strong_count(gate) > 1);
        let key = (address.to_owned(), token.expose_secret().to_owned());
        all.entry(key).or_default().clone()
    }
}
