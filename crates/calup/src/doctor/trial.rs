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
    let mut probe = ground.clickup.experiments(place, Patience::default());
    let mut beliefs = Vec::new();
    let begun = probe.begin(&mut beliefs).await;
    let went = match begun.map_err(|failure| failure.to_string()) {
        Ok(()) => tokio::select! {
            () = probe.run(&mut beliefs) => Ok(()),
            () = asked_to_stop() => Err("the probe was stopped half-way".to_owned()),
        },
        Err(why) => Err(why),
    };
    let ended = probe.end().await;
    (beliefs, went.and(ended.clone()).and(ended))
}
