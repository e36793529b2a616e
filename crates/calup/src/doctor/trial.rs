//! `doctor --probe`: experiments in the workspace, on one task that is deleted at the end, also after Ctrl-C.

use vendors::clickup::probe::{Belief, Patience, Place};

use super::Ground;
use crate::clock;
use crate::serve::asked_to_stop;

/// What was found, and what went wrong with the task itself.
pub async fn run(ground: &Ground) -> (Vec<Belief>, Result<(), String>) {
    let other = ground
        .match_list_ids
        .iter()
        .find(|id| **id != ground.inbound.id);
    let place = Place {
        workspace: ground.workspace.id.clone(),
        inbound: ground.inbound.clone(),
        other_list: other.cloned(),
        nonce: hex::encode(&clock::secret()[..4]),
    };
    // Listened for before the task is made: an order to stop must not leave it there.
    let mut stop = tokio::spawn(asked_to_stop());
    let mut probe = ground.clickup.experiments(place, Patience::default());
    let mut beliefs = Vec::new();
    let begun = probe.begin(&mut beliefs).await;
    let went = match begun.map_err(|failure| failure.to_string()) {
        Ok(()) => tokio::select! {
            biased;
            _ = &mut stop => Err("the probe was stopped half-way".to_owned()),
            () = probe.run(&mut beliefs) => Ok(()),
        },
        Err(why) => Err(why),
    };
    let ended = probe.end().await;
    stop.abort();
    (beliefs, went.and(ended.clone()).and(ended))
}
