//! Signed deliveries of bookings, as bytes on the wire.

use sim::cal::{Cal, Delivery, Person};

pub const SECRET: &str = "whsec_bench";
const START: &str = "2090-05-04T10:00:00Z";

/// Makes bookings, no two alike.
pub struct Bookings {
    cal: Cal,
    next: usize,
}

impl Bookings {
    pub fn new() -> Self {
        Self {
            cal: Cal::new("http://nobody.example/", SECRET),
            next: 0,
        }
    }

    /// Each of somebody whom nobody knows.
    pub fn of_strangers(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count)
            .map(|_| {
                self.next += 1;
                let email = format!("stranger{}@bench.example", self.next);
                self.of(&Person::new(&format!("Stranger {}", self.next), &email))
            })
            .collect()
    }

    pub fn of(&mut self, person: &Person) -> Vec<u8> {
        on_the_wire(&self.cal.book(person, START, 30).created())
    }
}

pub fn on_the_wire(delivery: &Delivery) -> Vec<u8> {
    let mut request = b"POST /api/webhooks/cal HTTP/1.1\r\nHost: calup\r\n".to_vec();
    for (name, value) in &delivery.headers {
        request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    let length = format!("Content-Length: {}\r\n\r\n", delivery.body.len());
    request.extend_from_slice(length.as_bytes());
    request.extend_from_slice(&delivery.body);
    request
}
