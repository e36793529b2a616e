//! Who books, who hosts, and what is booked: plain data with short constructors.

use serde_json::{Map, Value, json};

/// The one who books.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    /// As typed. `None` gives the phone's placeholder address.
    pub email: Option<String>,
    pub phone: Option<String>,
    pub time_zone: String,
    pub locale: String,
    pub notes: String,
    /// Custom questions: slug, label, value.
    pub answers: Vec<(String, String, Value)>,
    pub guests: Vec<String>,
    /// The booking link's `metadata[key]=value`.
    pub metadata: Map<String, Value>,
}

impl Person {
    pub fn new(name: &str, email: &str) -> Self {
        Self {
            name: name.to_owned(),
            email: Some(email.to_owned()),
            phone: None,
            time_zone: "Europe/Paris".to_owned(),
            locale: "en".to_owned(),
            notes: String::new(),
            answers: Vec::new(),
            guests: Vec::new(),
            metadata: Map::new(),
        }
    }

    /// Someone who leaves a number and no address.
    pub fn by_phone(name: &str, phone: &str) -> Self {
        Self {
            email: None,
            ..Self::new(name, "").phone(phone)
        }
    }

    /// A platform's managed user: `name+<client id>@domain`.
    pub fn managed(name: &str, email: &str, client_id: &str) -> Self {
        let (local, domain) = email.split_once('@').unwrap_or((email, "managed.example"));
        Self::new(name, &format!("{local}+{client_id}@{domain}"))
    }

    #[must_use]
    pub fn phone(mut self, phone: &str) -> Self {
        self.phone = Some(phone.to_owned());
        self
    }

    #[must_use]
    pub fn time_zone(mut self, time_zone: &str) -> Self {
        time_zone.clone_into(&mut self.time_zone);
        self
    }

    #[must_use]
    pub fn notes(mut self, notes: &str) -> Self {
        notes.clone_into(&mut self.notes);
        self
    }

    #[must_use]
    pub fn answer(mut self, slug: &str, label: &str, value: impl Into<Value>) -> Self {
        self.answers
            .push((slug.to_owned(), label.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn guest(mut self, email: &str) -> Self {
        self.guests.push(email.to_owned());
        self
    }

    #[must_use]
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.to_owned(), json!(value));
        self
    }

    /// The e-mail that the delivery carries.
    pub fn address(&self) -> String {
        if let Some(email) = &self.email {
            return email.clone();
        }
        let phone = self.phone.as_deref().unwrap_or_default();
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        format!("{digits}@sms.cal.com")
    }
}

/// The organizer.
#[derive(Clone, Debug)]
pub struct Host {
    pub id: u64,
    pub name: String,
    pub email: String,
    pub username: String,
    pub time_zone: String,
}

impl Host {
    pub fn new(name: &str, email: &str) -> Self {
        Self {
            id: 4711,
            name: name.to_owned(),
            email: email.to_owned(),
            username: name.to_lowercase().replace(' ', "-"),
            time_zone: "Europe/Stockholm".to_owned(),
        }
    }

    #[must_use]
    pub fn time_zone(mut self, time_zone: &str) -> Self {
        time_zone.clone_into(&mut self.time_zone);
        self
    }

    /// The host as a booker, for a self-booking.
    pub fn as_person(&self) -> Person {
        Person::new(&self.name, &self.email).time_zone(&self.time_zone)
    }
}

impl Default for Host {
    fn default() -> Self {
        Self::new("Nora Lindqvist", "nora@brightharbor.example")
    }
}

/// A round-robin team behind an event type.
#[derive(Clone, Debug)]
pub struct Team {
    pub id: u64,
    pub name: String,
    /// Further hosts than the assigned one.
    pub members: Vec<Host>,
}

/// What is booked.
#[derive(Clone, Debug)]
pub struct EventType {
    pub id: u64,
    pub slug: String,
    pub title: String,
    /// A link, an address, or `integrations:daily` for a connected Cal Video.
    pub location: String,
    pub requires_confirmation: bool,
    pub team: Option<Team>,
    /// `""` unless a platform is behind it.
    pub platform_client_id: String,
}

impl EventType {
    pub fn new(slug: &str, title: &str) -> Self {
        Self {
            id: 880_101,
            slug: slug.to_owned(),
            title: title.to_owned(),
            location: "https://meet.example.com/nora".to_owned(),
            requires_confirmation: false,
            team: None,
            platform_client_id: String::new(),
        }
    }

    #[must_use]
    pub fn id(mut self, id: u64) -> Self {
        self.id = id;
        self
    }

    #[must_use]
    pub fn location(mut self, location: &str) -> Self {
        location.clone_into(&mut self.location);
        self
    }

    #[must_use]
    pub fn confirmed_by_host(mut self) -> Self {
        self.requires_confirmation = true;
        self
    }

    #[must_use]
    pub fn team(mut self, name: &str, members: Vec<Host>) -> Self {
        self.team = Some(Team {
            id: 311,
            name: name.to_owned(),
            members,
        });
        self
    }
}

impl Default for EventType {
    fn default() -> Self {
        Self::new("intro-call", "Intro call")
    }
}
