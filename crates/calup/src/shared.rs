//! What the profiles of one process share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use secrecy::{ExposeSecret, SecretString};
use vendors::http::Gate;

use crate::body::Budget;

/// One for each name, made when it is asked for.
#[derive(Clone, Default)]
pub struct Locks(Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>);

/// By the vendor's address and the token.
type Gates = HashMap<(String, String), Arc<Gate>>;

#[derive(Clone, Default)]
pub struct Shared {
    pub bodies: Budget,
    /// Held while a lead is read and written, so that two people of one lead never write at once, whosever they are.
    pub leads: Locks,
    gates: Arc<Mutex<Gates>>,
}

impl Locks {
    pub fn of(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut all = self.0.lock().expect("no holder panics");
        all.retain(|_, lock| Arc::strong_count(lock) > 1);
        all.entry(name.to_owned()).or_default().clone()
    }
}

impl Shared {
    /// A token's limit is one, whoever uses it.
    pub fn gate(&self, address: &str, token: &SecretString) -> Arc<Gate> {
        let mut all = self.gates.lock().expect("no holder panics");
        all.retain(|_, gate| Arc::strong_count(gate) > 1);
        let key = (address.to_owned(), token.expose_secret().to_owned());
        all.entry(key).or_default().clone()
    }
}
