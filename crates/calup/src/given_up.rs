//! Tells of what the store gave up because it was held to stop the program: at that moment nobody was there to say so.

use std::collections::BTreeSet;

use store::rows::{DeliveryFilter, NOTICES_MAX, Status};
use store::{STOPPED_BY_READING, STOPPED_BY_WORK};

use crate::app::App;

const LISTED: usize = 500;
const HINT: &str =
    "it is kept, and everything else goes on; after an upgrade `calup replay` it with that id";

/// Once each: a notice that stands says it already.
pub async fn tell(app: &App) -> Result<(), store::Error> {
    let notices = app.store.notices(app.profile(), NOTICES_MAX).await?;
    let told: BTreeSet<String> = notices.into_iter().map(|notice| notice.cause).collect();
    for (status, why) in [
        (Status::Dead, STOPPED_BY_WORK),
        (Status::Quarantined, STOPPED_BY_READING),
    ] {
        let filter = DeliveryFilter {
            profile: Some(app.profile().to_owned()),
            status: Some(status),
            limit: LISTED,
            ..DeliveryFilter::default()
        };
        for delivery in app.store.deliveries(&filter).await? {
            let cause = format!("{}:{}", status.name(), delivery.id);
            if delivery.reason.as_deref() == Some(why) && !told.contains(&cause) {
                let text = format!("delivery {} ended {}: {why}", delivery.id, status.name());
                app.notify(&cause, &text, HINT).await;
            }
        }
    }
    Ok(())
}
