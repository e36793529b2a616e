//! Bookings, read: one, a series, or a list. Pages are counted by offset, so one that moves while a list is read may come
//! twice or slip through; twice is put right here.

use std::collections::HashSet;

use domain::outcome::Failure;
use jiff::Timestamp;

use super::booking::{Booking, bookings};
use super::errors::{About, Purpose};
use super::{Asked, BOOKINGS, Cal, id_or_gone, seconds};
use crate::cal::json::Json;

/// As many as the hosted Cal.com gives unless it is told otherwise; self-hosted ones refuse more than 250.
const PAGE: usize = 100;
const PAGES_MAX: usize = 20;

/// Which bookings: all conditions that are given hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Any of these; all when empty.
    pub standing: Vec<Standing>,
    /// Whatever its capitals. Cal.com minds them, so the comparing is ours, and takes as many pages as there are.
    pub attendee_email: Option<String>,
    pub event_type_id: Option<i64>,
    pub after_start: Option<Timestamp>,
    pub before_end: Option<Timestamp>,
    pub updated_after: Option<Timestamp>,
    pub order: Order,
    /// At most so many; 0 is as many as there are, within limits.
    pub limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Upcoming,
    Past,
    Cancelled,
    /// Wait for the host.
    Unconfirmed,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    EarliestFirst,
    LatestFirst,
    /// By their last change, the oldest first.
    Changed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookings {
    pub bookings: Vec<Booking>,
    /// Whether there are, or may be, more than these.
    pub more: bool,
}

impl Cal {
    /// A series' uid gives its first booking.
    pub async fn booking(&self, uid: &str) -> Result<Booking, Failure> {
        // Cal.com shows any booking to whoever has its uid, and so the uid to nobody.
        let purpose = Purpose::read(About::Thing, "read a booking at Cal.com");
        let path = format!("/bookings/{}", id_or_gone(uid, &purpose)?);
        let read = self.get(&purpose, Asked::get(path, Some(BOOKINGS))).await?;
        let found = bookings(data_of(read)).ok_or_else(|| purpose.older_shape())?;
        found.into_iter().next().ok_or_else(|| purpose.gone())
    }

    pub async fn bookings(&self, wanted: &Wanted) -> Result<Bookings, Failure> {
        let purpose = Purpose::read(About::Account, "list bookings at Cal.com");
        let limit = if wanted.limit == 0 {
            usize::MAX
        } else {
            wanted.limit
        };
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for page in 0..PAGES_MAX {
            let mut asked = Asked::get("/bookings", Some(BOOKINGS));
            asked.query = query(wanted, page);
            let read = self.get(&purpose, asked).await?;
            if !matches!(read.at("data"), Json::List(_)) {
                return Err(purpose.older_shape());
            }
            let told = read.at("pagination").at("hasNextPage");
            let is_told = !told.is_null();
            let has_next = told.is_true();
            let listed = bookings(data_of(read)).ok_or_else(|| purpose.older_shape())?;
            let count = listed.len();
            for booking in listed {
                let email = wanted.attendee_email.as_deref();
                let is_wanted = email.is_none_or(|email| booking.has_attendee(email));
                if is_wanted && seen.insert(booking.id) {
                    found.push(booking);
                }
            }
            let is_last = count == 0 || (is_told && !has_next) || (!is_told && count < PAGE);
            if found.len() > limit || (found.len() == limit && !is_last) {
                found.truncate(limit);
                return Ok(Bookings {
                    bookings: found,
                    more: true,
                });
            }
            if is_last {
                return Ok(Bookings {
                    bookings: found,
                    more: false,
                });
            }
        }
        Ok(Bookings {
            bookings: found,
            more: true,
        })
    }
}

fn query(wanted: &Wanted, page: usize) -> Vec<(&'static str, String)> {
    let mut query = Vec::new();
    if !wanted.standing.is_empty() {
        let words: Vec<&str> = wanted.standing.iter().map(|it| it.word()).collect();
        query.push(("status", words.join(",")));
    }
    if let Some(id) = wanted.event_type_id {
        query.push(("eventTypeId", id.to_string()));
    }
    for (key, at) in [
        ("afterStart", wanted.after_start),
        ("beforeEnd", wanted.before_end),
        ("afterUpdatedAt", wanted.updated_after),
    ] {
        if let Some(at) = at {
            query.push((key, seconds(at)));
        }
    }
    query.push(match wanted.order {
        Order::EarliestFirst => ("sortStart", "asc".to_owned()),
        Order::LatestFirst => ("sortStart", "desc".to_owned()),
        Order::Changed => ("sortUpdatedAt", "asc".to_owned()),
    });
    query.push(("take", PAGE.to_string()));
    query.push(("skip", (page * PAGE).to_string()));
    query
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Past => "past",
            Self::Cancelled => "cancelled",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

pub(super) fn data_of(envelope: Json) -> Json {
    let Json::Object(entries) = envelope else {
        return Json::Null;
    };
    let data = entries.into_iter().rev().find(|(key, _)| key == "data");
    data.map_or(Json::Null, |(_, data)| data)
}
