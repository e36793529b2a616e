//! How many deliveries a second are acknowledged durably, and how long the slowest hundredth waits. Both servers are
//! asked in turn within one run, so that a noisy neighbour disturbs both. calup reads what it was sent meanwhile.

use std::rc::Rc;

use crate::deliveries::Bookings;
use crate::load::{self, Load};
use crate::server::{Server, new_folder};
use crate::table::{Beside, Must, Table};
use crate::world::World;
use crate::{Effort, bare};

/// As a real workspace has it: what comes in is read, and a few are worked off.
const CLICKUP_LIMIT: u32 = 100;
const WARM_UP: usize = 64;

pub async fn ask(table: &mut Table, effort: Effort) {
    let world = World::start(CLICKUP_LIMIT).await;
    let folder = new_folder("bare");
    let bare = bare::start(&folder);
    let mut bookings = Bookings::new();
    let rounds = effort.pick(12, 4);
    for (connections, requests) in [
        (1, effort.pick(400, 200)),
        (16, effort.pick(3_000, 1_500)),
        (64, effort.pick(8_000, 4_000)),
    ] {
        let (mut of_calup, mut of_bare) = (Load::default(), Load::default());
        for round in 0..rounds {
            let mut one = async |server: &Server, load: &mut Load| {
                let warm_up = bookings.of_strangers(WARM_UP);
                load::run(server.address, connections, Rc::new(warm_up)).await;
                let requests = bookings.of_strangers(requests);
                server.quiet().await;
                load.extend(load::run(server.address, connections, Rc::new(requests)).await);
                server.quiet().await;
            };
            // Neither is always the first.
            if round % 2 == 0 {
                one(&world.calup, &mut of_calup).await;
                one(&bare, &mut of_bare).await;
            } else {
                one(&bare, &mut of_bare).await;
                one(&world.calup, &mut of_calup).await;
            }
        }
        let (rate, rate_bare) = (of_calup.per_second(), of_bare.per_second());
        let (p99, p99_bare) = (of_calup.p99_ms(), of_bare.p99_ms());
        let (must_rate, must_p99) = if connections == 64 {
            (Must::AtLeast(0.7), Must::AtMost(2.0))
        } else {
            (Must::AtLeast(0.7), Must::Anything)
        };
        let plural = if connections == 1 { "" } else { "s" };
        table.add(
            &format!("durable acks per second, {connections} connection{plural}"),
            rate,
            rate_bare,
            "/s",
            Beside::Bare,
            must_rate,
        );
        table.add(
            &format!("p99 of an ack, {connections} connection{plural}"),
            p99,
            p99_bare,
            "ms",
            Beside::Bare,
            must_p99,
        );
        if connections == 64 {
            world.calup.forget_peak();
            let requests = bookings.of_strangers(requests);
            load::run(world.calup.address, connections, Rc::new(requests)).await;
            world.calup.quiet().await;
            table.at_most(
                "memory under that load, at its peak",
                world.calup.peak_mib(),
                40.0,
                "MiB",
            );
        }
    }
    drop(bare);
    let _ = std::fs::remove_dir_all(&folder);
    world.end();
}
