//! The life of a booking, from the webhook to the lead.

use crate::world::{BROKERS, INBOUND, World};

fn fixture(name: &str) -> Vec<u8> {
    let path = format!(
        "{}/../../fixtures/cal-deliveries/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let recorded: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).expect(&path)).expect("JSON");
    recorded["body"]
        .as_str()
        .expect("a body")
        .as_bytes()
        .to_vec()
}

#[tokio::test]
async fn a_booking_of_somebody_unknown_becomes_a_lead_with_two_calls() {
    let world = World::start().await;
    assert_eq!(
        world.deliver(fixture("02-booking-created-cal-video")).await,
        200
    );
    world.settle().await;
    assert_eq!(world.last().await, ("done".into(), String::new()));
    let leads = world.clickup.tasks_in(INBOUND);
    assert_eq!(leads.len(), 1);
    assert_eq!(leads[0].name, "Priya Raman");
    assert_eq!(leads[0].status, "meeting booked");
    assert_eq!(
        leads[0].email.as_deref(),
        Some("priya.raman@northwindfoods.example")
    );
    assert!(
        leads[0]
            .markdown
            .contains("https://app.cal.com/video/sX1priyaB1uidQ7hTz4mWc"),
        "{}",
        leads[0].markdown
    );
    assert_eq!(world.clickup.mutations(), 1);
}

#[tokio::test]
async fn a_known_person_s_meeting_is_booked_moved_and_cancelled_on_their_lead() {
    let world = World::start().await;
    let id = world.clickup.add_task(
        BROKERS,
        "Priya at Northwind",
        Some(" priya.raman@northwindfoods.example"),
    );
    world
        .clickup
        .human_edit_description(&id, "Met at **expo**.");
    for (delivery, status) in [
        ("02-booking-created-cal-video", "meeting booked"),
        ("05-booking-rescheduled-by-attendee", "meeting booked"),
        ("07-booking-cancelled-by-attendee", "meeting cancelled"),
    ] {
        assert_eq!(world.deliver(fixture(delivery)).await, 200);
        world.settle().await;
        let lead = world.clickup.task(&id).expect("the lead");
        assert_eq!(lead.status, status, "{delivery}");
        assert!(
            lead.markdown.contains("Met at **expo**."),
            "{}",
            lead.markdown
        );
    }
    let lead = world.clickup.task(&id).expect("the lead");
    assert_eq!(lead.comments.len(), 3, "{:#?}", lead.comments);
    assert_eq!(world.clickup.live_tasks().len(), 1);
    // A second run of the same changes nothing.
    let before = world.clickup.mutations();
    for delivery in [
        "02-booking-created-cal-video",
        "05-booking-rescheduled-by-attendee",
        "07-booking-cancelled-by-attendee",
    ] {
        assert_eq!(world.deliver(fixture(delivery)).await, 200);
    }
    let counts = world.settle().await;
    assert_eq!(counts["duplicate"], 3);
    assert_eq!(world.clickup.mutations(), before);
}
