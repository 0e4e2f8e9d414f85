//! What every store has to do, whatever keeps it. One function for each promise; each takes stores of its own and
//! is named by the sentence it proves.

pub(crate) mod administering;
pub(crate) mod choosing;
pub(crate) mod exactly_once;
pub(crate) mod lives;
pub(crate) mod reading;
pub(crate) mod writing;

use coronaz_store::{Administration, Batch, Held, Ingestion, Queries, ReportRecord};
use coronaz_wire::{Contact, Report};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A store under test, empty at first.
pub(crate) trait Stores {
    /// One more writer.
    fn ingestion(&self) -> Box<dyn Ingestion>;
    /// One more reader.
    fn queries(&self) -> Arc<dyn Queries>;
    /// How many histories the property tests try.
    fn cases(&self) -> u32 {
        96
    }
    /// One more administrator.
    fn administration(&self) -> Box<dyn Administration>;
}

/// A second in microseconds.
pub(crate) const S: i64 = 1_000_000;
/// When the tests begin: not at the edge of a window.
pub(crate) const T0: i64 = 1_600_000_123 * S;
/// How long leases last in the tests.
pub(crate) const LASTS: Duration = Duration::from_secs(5);

pub(crate) fn node(n: u32) -> Uuid {
    Uuid::from_u128(0xC0_0000 + u128::from(n))
}

/// A safe person's report, `second` seconds after [`T0`], from the run without a name.
pub(crate) fn report(node: Uuid, second: i64) -> Report {
    Report {
        uuid: node,
        position: [1, 2],
        infected: false,
        timestamp_us: T0 + second * S,
        alive: true,
        contacts: vec![],
        run: None,
        start_us: None,
        seq: None,
        tick: None,
        immune: None,
        infected_by: None,
        totals: None,
    }
}

/// A contact with `node`, `second` seconds after [`T0`].
pub(crate) fn contact(node: Uuid, second: i64) -> Contact {
    Contact { uuid: node, timestamp_us: T0 + second * S, distance: None }
}

/// Takes a partition under a name.
pub(crate) fn take_as(ingestion: &mut dyn Ingestion, partition: i32, owner: &str, now_us: i64) -> Held {
    ingestion.take(partition, owner, now_us, LASTS).expect("the store is there").expect("it is free")
}

/// Takes a partition.
pub(crate) fn take(ingestion: &mut dyn Ingestion, partition: i32) -> Held {
    take_as(ingestion, partition, "writer", T0)
}

/// A batch of reports, at the offsets from `held.next` on.
pub(crate) fn batch_of(held: Held, reports: impl IntoIterator<Item = Report>) -> Batch {
    let mut batch = Batch::new(held.partition, held.epoch, held.next);
    batch.reports =
        (held.next..).zip(reports).map(|(offset, report)| ReportRecord { offset, report }).collect();
    batch.to = held.next + batch.reports.len() as i64;
    batch.now_us = T0;
    batch
}

/// A node and a second after [`T0`].
type Moment = (Uuid, i64);

/// A batch of reports: who, at which second, and the contacts (whom, at which second).
pub(crate) fn batch(held: Held, reports: &[(Uuid, i64, &[Moment])]) -> Batch {
    batch_of(
        held,
        reports.iter().map(|&(who, second, contacts)| Report {
            contacts: contacts.iter().map(|&(whom, second)| contact(whom, second)).collect(),
            ..report(who, second)
        }),
    )
}

/// Commits reports to the partition and moves on.
pub(crate) fn commit(
    ingestion: &mut dyn Ingestion,
    held: &mut Held,
    reports: impl IntoIterator<Item = Report>,
) {
    let batch = batch_of(*held, reports);
    ingestion.commit(&batch).expect("committed");
    held.next = batch.to;
}

/// One test for each promise, over `$stores`.
#[macro_export]
macro_rules! contract {
    ($stores:expr) => {
        $crate::contract!(@ $stores, writing:
            a_batch_goes_in_once,
            who_lost_the_partition_is_fenced,
            a_batch_that_fails_leaves_nothing,
            several_batches_go_in_as_far_as_the_first_that_fails,
            a_lease_is_taken_when_it_has_run_out_and_renewed_by_its_owner_only,
            a_lease_given_back_is_free_at_once,
            a_process_restarted_under_its_name_takes_its_own_lease,
            a_lease_from_the_future_is_not_in_force,
            members_are_those_that_live,
            a_repeated_report_adds_only_contacts_that_are_new,
            a_report_that_was_overtaken_is_late_and_not_repeated,
            an_earlier_start_of_a_node_is_remembered,
            records_that_could_not_be_read_are_kept_with_their_reason,
            gaps_of_the_topic_are_kept,
            the_first_announcement_of_a_run_counts,
            odd_values_are_stored_and_do_not_stop_a_batch,
            what_cannot_be_of_an_announced_run_is_put_aside,
            what_a_device_hears_after_its_clock_went_back_makes_encounters_like_any_other,
        );
        $crate::contract!(@ $stores, reading:
            a_state_is_drawn_every_ten_reports_or_when_a_node_dies,
            the_count_to_the_next_state_goes_on_in_another_process,
            a_state_is_of_one_moment,
            a_moment_is_found_by_time,
            statistics_are_thinned_evenly_with_both_ends,
            runs_are_kept_apart,
            contacts_of_a_person_come_by_time_in_pages,
            lists_newest_first_are_those_oldest_first_the_other_way_round,
            whom_somebody_infected_is_found_by_the_infector,
            a_table_has_a_row_for_each_thing_of_the_run,
            encounters_that_overlap_a_time_are_found_however_long_they_are,
            an_infection_says_who_whom_when_and_where,
            who_was_only_heard_of_is_a_node_without_a_state,
            what_is_not_there_is_named,
            states_far_from_a_snapshot_are_right,
        );
        $crate::contract!(@ $stores, choosing:
            one_reporter_with_a_wrong_clock_moves_no_moment,
            a_moment_is_where_most_devices_are_after_a_long_stop,
            one_report_without_a_run_takes_nothing_over,
            a_run_that_began_later_takes_over_with_its_first_moment,
            old_records_that_arrive_again_take_nothing_over,
            a_time_ahead_of_the_clock_orders_no_runs,
            the_list_of_runs_comes_in_pages,
        );
        $crate::contract!(@ $stores, administering:
            a_deleted_run_is_gone_and_what_still_arrives_of_it_is_counted_and_not_stored,
            the_run_without_a_name_begins_anew_after_its_deletion,
            runs_go_when_nothing_of_them_was_stored_for_long_whatever_their_own_clocks_say,
            a_deletion_that_was_broken_off_is_finished_by_the_next_call,
            a_rejected_record_goes_with_the_run_it_names,
        );
        $crate::contract!(@ $stores, lives:
            what_stands_again_in_another_log_changes_nothing_and_what_is_new_is_stored,
            what_a_log_is_recognised_by_is_kept_with_its_offset_and_goes_with_the_log,
            gaps_and_rejected_records_of_two_logs_are_kept_apart,
            the_end_of_a_log_is_written_by_the_owner_of_its_partition_alone_and_once,
        );
        $crate::contract!(@ $stores, exactly_once:
            whatever_happens_to_two_writers_everything_is_in_once,
        );
    };
    (@ $stores:expr, $module:ident: $($promise:ident,)*) => {
        mod $module {
            use super::*;
            $(#[test] fn $promise() { super::contract::$module::$promise(&|| $stores); })*
        }
    };
}
