//! What Cal.com tells beside a booking's own course: payments, absences, places, recordings, hosts.

use serde::{Deserialize, Serialize};

use crate::change::Kind;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// The person of the change did not come, or (taken back) did.
    NoShow {
        is: bool,
    },
    /// The host did not join the call; the host's e-mail.
    HostNoShow {
        host: String,
    },
    /// Others did not join the host's call.
    GuestsNoShow {
        /// Their e-mails, else names; none where the delivery does not say who.
        absent: Vec<String>,
    },
    Payment {
        is_paid: bool,
        /// In the currency's smallest unit.
        amount: Option<i64>,
        /// ISO 4217, in any case.
        currency: String,
        id: String,
    },
    /// The new place is the booking's.
    Location {
        before: Option<String>,
    },
    Recording {
        link: String,
    },
    /// Format and address of each file.
    Transcript {
        links: Vec<(String, String)>,
    },
    /// The new host is the booking's organizer.
    Reassigned,
    Meeting {
        is_over: bool,
    },
    /// A form that was filled in; the answers are the booking's.
    Form,
    /// A guest of the booking is told what happened to it.
    Guest {
        of: Kind,
    },
}

impl Note {
    /// A stable name for the kind of note; part of a change's key.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoShow { .. } => "no-show",
            Self::HostNoShow { .. } => "host no-show",
            Self::GuestsNoShow { .. } => "guests no-show",
            Self::Payment { .. } => "payment",
            Self::Location { .. } => "location",
            Self::Recording { .. } => "recording",
            Self::Transcript { .. } => "transcript",
            Self::Reassigned => "reassigned",
            Self::Meeting { .. } => "meeting",
            Self::Form => "form",
            Self::Guest { .. } => "guest",
        }
    }

    /// Whether it is about somebody's absence: that it was so, or that it was not after all.
    pub fn missed(&self) -> Option<bool> {
        match self {
            Self::NoShow { is } => Some(*is),
            Self::HostNoShow { .. } | Self::GuestsNoShow { .. } => Some(true),
            Self::Payment { .. }
            | Self::Location { .. }
            | Self::Recording { .. }
            | Self::Transcript { .. }
            | Self::Reassigned
            | Self::Meeting { .. }
            | Self::Form
            | Self::Guest { .. } => None,
        }
    }

    /// Whether it shows in the block.
    pub fn is_shown(&self) -> bool {
        match self {
            Self::Location { .. }
            | Self::Recording { .. }
            | Self::Transcript { .. }
            | Self::Reassigned => true,
            Self::NoShow { .. }
            | Self::HostNoShow { .. }
            | Self::GuestsNoShow { .. }
            | Self::Payment { .. }
            | Self::Meeting { .. }
            | Self::Form
            | Self::Guest { .. } => false,
        }
    }

    /// Values that go back and forth: one is known only when its neighbour in time says the same.
    pub fn alternates(&self) -> bool {
        match self {
            Self::NoShow { .. } | Self::Location { .. } | Self::Reassigned => true,
            Self::Guest { of } => matches!(of, Kind::Booked | Kind::Requested),
            Self::HostNoShow { .. }
            | Self::GuestsNoShow { .. }
            | Self::Payment { .. }
            | Self::Recording { .. }
            | Self::Transcript { .. }
            | Self::Meeting { .. }
            | Self::Form => false,
        }
    }

    /// Whether it makes sense only with a booking that calup knows.
    pub fn needs_booking(&self) -> bool {
        !matches!(self, Self::Form | Self::Guest { .. })
    }
}

/// "150.00 EUR": with as many decimals as the currency has by ISO 4217.
pub fn amount(minor: i64, currency: &str) -> String {
    const NONE: [&str; 16] = [
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
        "XAF", "XOF", "XPF",
    ];
    const THREE: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
    let currency = currency.trim().to_uppercase();
    let decimals = if NONE.contains(&currency.as_str()) {
        0
    } else if THREE.contains(&currency.as_str()) {
        3
    } else {
        2
    };
    let scale = 10_u64.pow(decimals);
    let (whole, part) = (minor.unsigned_abs() / scale, minor.unsigned_abs() % scale);
    let sign = if minor < 0 { "-" } else { "" };
    let number = match decimals {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{part:0width$}", width = decimals as usize),
    };
    format!("{number} {currency}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn an_amount_is_in_the_currency_s_own_units() {
        for (minor, currency, shown) in [
            (15_000, "eur", "150.00 EUR"),
            (5, "USD", "0.05 USD"),
            (5_000, "jpy", "5000 JPY"),
            (12_345, "KWD", "12.345 KWD"),
            (-250, "GBP", "-2.50 GBP"),
            (100, "", "1.00"),
        ] {
            assert_eq!(amount(minor, currency), shown);
        }
    }
}
