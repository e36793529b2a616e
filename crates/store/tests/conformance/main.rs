//! What every store keeps, one function per claim. A claim gets an empty store that has taken over. Postgres is asked
//! when `CALUP_TEST_POSTGRES=postgres://…` names a server on which databases may be made; each test has one of its own.

mod aliases;
mod answers;
mod doubts;
mod hooks;
mod index;
mod intake;
mod journal;
mod looking;
mod order;
mod papers;
mod postgres;
mod profiles;
mod questions;
mod related;
mod replay;
mod sqlite;
mod tls;
mod world;

/// The claims, once per backend.
macro_rules! every_claim {
    ($name:ident from $backend:ident) => {
        tests! { $name from $backend:
            intake {
                what_was_received_is_handed_out_as_it_came
                many_waiting_deliveries_share_a_commit
                a_write_goes_on_when_nobody_waits_for_it
                the_same_change_counts_once_whatever_its_bytes
                equal_changes_within_one_delivery_count_once
                a_value_that_came_back_is_a_new_change
                a_seated_booking_is_one_change_per_person
                a_booking_known_without_its_predecessor_learns_it
                a_listed_seat_learns_from_its_own_delivery
                what_is_learnt_while_running_is_planned_afterwards
                a_delivery_that_stops_the_program_is_quarantined
                what_stood_beside_a_poisoned_delivery_is_not_blamed
                a_delivery_that_means_nothing_ends_as_told
                one_verb_that_fails_spoils_no_other
            }
            order {
                one_change_per_person_at_a_time
                the_older_stamp_goes_first_whenever_it_arrived
                a_sender_whose_clock_runs_ahead_gains_nothing
                a_waiting_change_blocks_its_lane_until_due
                a_held_change_does_not_block
                what_waits_for_another_change_lets_it_pass_and_follows_at_once
                of_those_that_wait_for_others_none_holds_up_the_next
                waking_makes_due_what_waits
                an_uncounted_retry_costs_no_attempt
                what_somebody_is_still_at_is_not_claimed
                what_was_claimed_unheard_is_put_back
                nothing_is_finished_twice
                who_was_taken_over_from_can_write_nothing
                what_ran_at_a_take_over_is_pending_again
                a_change_that_stops_the_program_twenty_times_is_dead
                a_rest_after_stops_outlasts_a_start
                a_wait_between_stops_does_not_begin_their_count_anew
                a_try_that_failed_begins_the_count_of_stops_anew
                after_the_third_stop_a_change_waits_and_others_go_on
                suspects_are_claimed_one_at_a_time
                a_delivery_ends_with_its_last_change
                claiming_is_quick_however_much_is_pending
            }
            related {
                everything_of_a_person_is_related
                what_a_person_has_is_found_by_their_key
                a_chain_is_followed_across_people_in_both_directions
                the_calendars_id_joins_a_chain
                other_seats_of_a_booking_are_other_meetings
                a_moved_seat_keeps_its_chain
                profiles_are_strangers
            }
            journal {
                an_effect_is_kept_as_given
                a_lower_epoch_writes_no_effect
                what_was_attempted_is_unknown_after_a_take_over
                links_are_kept_by_token_and_profile
                a_register_is_kept_and_empty_at_first
            }
            doubts {
                a_doubt_is_due_until_it_is_over
                a_doubt_that_is_known_only_lasts_longer
                a_link_to_a_merged_lead_means_the_one_that_is_left
                when_a_lead_was_last_written_is_known
            }
            looking {
                deliveries_are_listed_newest_first_and_paged
                deliveries_are_found_by_status_uid_and_hash
                every_status_is_counted_also_none
                a_proof_tells_everything_of_a_booking
                the_same_cause_is_told_once_an_hour
                pauses_facts_meta_and_tokens_are_kept
                a_revoked_token_opens_nothing_and_others_do
                a_person_key_depends_on_profile_and_identity
                a_healthy_store_says_so
            }
            replay {
                a_quarantined_delivery_is_read_again
                a_finished_delivery_is_planned_again
                dead_effects_are_attempted_again_and_applied_ones_stay
                a_duplicate_replayed_is_a_duplicate_again
                a_delivery_read_again_keeps_its_own_changes
                a_replay_while_running_is_planned_afterwards
                an_unknown_delivery_cannot_be_replayed
            }
            index {
                a_lead_is_found_as_it_was_indexed
                who_shares_most_comes_first_and_then_the_latest
                what_was_updated_later_is_not_overwritten
                a_renamed_lead_is_found_by_its_new_name_only
                what_is_gone_is_not_found
                what_a_complete_fill_did_not_see_is_swept
                how_far_a_fill_is_is_kept
                profiles_find_their_own_leads_only
                a_long_name_is_found_by_each_of_its_tokens_and_each_counts
                searching_is_quick_among_many
            }
            hooks {
                a_hook_is_kept_as_given_until_it_is_forgotten
            }
            questions {
                a_change_is_held_for_a_question_and_its_lane_goes_on
                changes_of_a_person_join_the_open_question_and_may_hasten_it
                who_was_taken_over_from_holds_nothing
                what_is_held_stays_held_at_a_take_over
                a_held_delivery_that_is_replayed_joins_its_question_again
                of_a_seated_delivery_what_is_held_is_told_before_what_waits
                what_waits_for_its_booking_is_due_when_that_is_held
                questions_are_listed_newest_first_and_paged
                all_that_was_asked_of_a_person_is_known_newest_first
                a_message_is_posted_once_and_then_shows_what_became_of_it
                what_may_have_been_posted_is_looked_for_when_it_is_answered_too
                a_proof_tells_what_was_asked_and_answered
            }
            answers {
                the_first_answer_sets_going_what_was_held
                a_second_answer_is_told_of_the_first
                of_many_answers_at_once_one_is_first
                only_an_answer_about_the_person_teaches_the_address
                unanswered_it_is_closed_once_and_what_it_held_goes_on
                a_late_answer_counts_and_plans_again_what_was_held
                a_late_answer_plans_again_what_came_to_the_same_lead_since
                what_is_said_late_of_a_person_answers_what_is_asked_by_now
                what_is_decided_while_the_answer_comes_is_planned_again
            }
            papers {
                a_paper_is_written_over_by_whoever_read_it_last
                of_many_who_write_at_once_one_does
                what_has_ended_is_not_there
                papers_are_listed_newest_first_and_removed_by_version
            }
            profiles {
                a_profile_is_written_over_by_whoever_read_it_last
                profiles_are_listed_by_name_and_go_with_their_tokens
                what_comes_in_for_one_is_handed_out_and_shown_to_no_other
            }
            aliases {
                an_alias_is_found_in_any_case_until_it_is_forgotten
                aliases_are_listed_newest_first
                an_alias_of_a_merged_lead_means_the_one_that_is_left
            }
        }
    };
}

macro_rules! tests {
    ($name:ident from $backend:ident: $($noun:ident { $($claim:ident)* })*) => {
        mod $name {
            $(mod $noun {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $claim() {
                    if let Some((store, _kept)) = crate::$backend::fresh().await {
                        crate::$noun::$claim(store).await;
                    }
                })*
            })*
        }
    };
}

every_claim!(on_sqlite from sqlite);
every_claim!(on_postgres from postgres);
