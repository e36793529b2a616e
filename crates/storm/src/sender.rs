//! Cal.com's side: each delivery is sent to whatever answers, and (as the reconciler would see to) again until it was
//! taken.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use sim::cal::Delivery;
use tower::ServiceExt as _;

use crate::life::Life;
use crate::world::World;
use crate::{dice, time};

/// Nobody waits longer for an answer.
const PATIENCE_MS: u64 = 10_000;

/// Where deliveries go: nowhere while the process is down.
#[derive(Default)]
pub struct Address(Mutex<Option<(Arc<Life>, Router)>>);

impl Address {
    pub fn set(&self, to: Option<(Arc<Life>, Router)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    fn get(&self) -> Option<(Arc<Life>, Router)> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

pub async fn deliver(
    world: Arc<World>,
    address: Arc<Address>,
    event: usize,
    at_ms: u64,
    delivery: Delivery,
) {
    let mut at_ms = at_ms;
    loop {
        time::sleep_ms(at_ms.saturating_sub(time::elapsed_ms())).await;
        if dice::chance(world.weather().trouble / 3.0) {
            world.fault("delivery lost");
        } else if let Some(status) = send(&world, &address, &delivery).await {
            world.tell(format_args!("delivery of event {event} → {status}"));
            if status == 200 {
                let sha256 = delivery.sha256();
                let mut seen = world.seen();
                seen.of_database
                    .acked
                    .entry(sha256)
                    .or_insert_with(time::elapsed_ms);
                return;
            }
        }
        at_ms = time::elapsed_ms() + dice::between(3_000, 20_000);
    }
}

async fn send(world: &World, address: &Address, delivery: &Delivery) -> Option<u16> {
    let (life, router) = address.get()?;
    let latency = world.weather().latency_ms_max;
    time::sleep_ms(dice::between(0, latency)).await;
    let mut request = Request::post("/api/webhooks/cal");
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    let body = Body::from(delivery.body.clone());
    let request = request.body(body).expect("a sound request");
    tokio::select! {
        biased;
        () = life.died() => None,
        () = time::sleep_ms(PATIENCE_MS) => None,
        answer = router.oneshot(request) => answer.ok().map(|answer| answer.status().as_u16()),
    }
}
