//! The lists that most stories are about.

use super::ClickUp;

pub const BROKERS: &str = "901100000001";
pub const SELLERS: &str = "901100000002";
pub const INBOUND: &str = "901100000003";
pub const EMAIL_FIELD: &str = "a0b8efe1-0000-4c63-8850-0d0742888f9d";
pub const STATUSES: [(&str, &str); 6] = [
    ("to do", "open"),
    ("meeting booked", "custom"),
    ("meeting cancelled", "custom"),
    ("negotiating", "custom"),
    ("lost", "done"),
    ("won", "closed"),
];

impl ClickUp {
    /// Brokers, sellers and inbound leads, which share one field of type e-mail.
    pub fn add_usual_lists(&self) {
        for (id, name) in [
            (BROKERS, "Brokers"),
            (SELLERS, "Sellers"),
            (INBOUND, "Inbound Leads"),
        ] {
            self.add_list(id, name, &STATUSES);
        }
        self.add_field(&[BROKERS, SELLERS, INBOUND], EMAIL_FIELD, "Email", "email");
    }
}
