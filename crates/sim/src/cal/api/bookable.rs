//! An event type as the API has it: what a delivery says of it, and how it can be booked.

use crate::cal::people::EventType;

/// One of the account's event types.
#[derive(Clone, Debug)]
pub struct Bookable {
    pub event: EventType,
    pub description: String,
    pub minutes: i64,
    /// Where the booker may choose the length.
    pub lengths: Vec<i64>,
    pub seats: Option<u32>,
    /// Weekly, so many times.
    pub occurrences: Option<u32>,
    /// Between the starts of slots; the length if absent.
    pub slot_interval: Option<i64>,
    pub buffer_before: i64,
    pub buffer_after: i64,
    pub notice_minutes: i64,
    pub hidden: bool,
    pub price: i64,
    /// The host's default one if absent.
    pub schedule: Option<u64>,
    pub questions: Vec<Question>,
}

/// One that the host asks.
#[derive(Clone, Debug)]
pub struct Question {
    pub slug: String,
    pub label: String,
    pub required: bool,
    /// Where only some answers are taken.
    pub options: Vec<String>,
}

impl Bookable {
    pub fn new(id: u64, slug: &str, title: &str, minutes: i64) -> Self {
        Self {
            event: EventType::new(slug, title).id(id),
            description: String::new(),
            minutes,
            lengths: Vec::new(),
            seats: None,
            occurrences: None,
            slot_interval: None,
            buffer_before: 0,
            buffer_after: 0,
            notice_minutes: 120,
            hidden: false,
            price: 0,
            schedule: None,
            questions: Vec::new(),
        }
    }

    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// A link, an address, `integrations:daily`, or `phone` for the booker's.
    #[must_use]
    pub fn location(mut self, location: &str) -> Self {
        self.event = self.event.location(location);
        self
    }

    #[must_use]
    pub fn confirmed_by_host(mut self) -> Self {
        self.event = self.event.confirmed_by_host();
        self
    }

    #[must_use]
    pub fn seats(mut self, seats: u32) -> Self {
        self.seats = Some(seats);
        self
    }

    #[must_use]
    pub fn weekly(mut self, occurrences: u32) -> Self {
        self.occurrences = Some(occurrences);
        self
    }

    #[must_use]
    pub fn lengths(mut self, lengths: &[i64]) -> Self {
        self.lengths = lengths.to_vec();
        self
    }

    #[must_use]
    pub fn buffers(mut self, before: i64, after: i64) -> Self {
        (self.buffer_before, self.buffer_after) = (before, after);
        self
    }

    #[must_use]
    pub fn notice(mut self, minutes: i64) -> Self {
        self.notice_minutes = minutes;
        self
    }

    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    #[must_use]
    pub fn question(mut self, slug: &str, label: &str, required: bool) -> Self {
        self.questions.push(Question {
            slug: slug.to_owned(),
            label: label.to_owned(),
            required,
            options: Vec::new(),
        });
        self
    }

    #[must_use]
    pub fn choice(self, slug: &str, label: &str, options: &[&str]) -> Self {
        let mut with = self.question(slug, label, false);
        if let Some(question) = with.questions.last_mut() {
            question.options = options.iter().map(|&it| it.to_owned()).collect();
        }
        with
    }
}
