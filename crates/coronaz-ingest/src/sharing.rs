//! Which partitions are mine when there are several of us. Pure; safety does not rest on it (the store's
//! compare-and-set does), only that the work is shared and that processes keep out of each other's way.

use coronaz_store::{Lease, Ownership};
use std::collections::BTreeSet;
use std::time::Duration;

/// What to do about partitions now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// To be given back: others have too few.
    pub(crate) release: Vec<i32>,
    /// To be taken: nobody has them.
    pub(crate) take: Vec<i32>,
}

/// The plan of `me`, who holds `held`, for a topic of `partitions`; `now` is the time and how long leases last.
pub(crate) fn plan(
    me: &str,
    held: &BTreeSet<i32>,
    partitions: u32,
    now: (i64, Duration),
    ownership: &Ownership,
) -> Plan {
    let share = share_of(me, partitions as usize, &ownership.members);
    if held.len() > share {
        return Plan { release: held.iter().rev().take(held.len() - share).copied().collect(), take: vec![] };
    }
    let is_free = |partition: &i32| {
        let lease: Option<&Lease> = ownership.leases.iter().find(|lease| lease.partition == *partition);
        lease.is_none_or(|lease| lease.owner == me || !lease.is_in_force(now.0, now.1))
    };
    let all = 0..i32::try_from(partitions).unwrap_or(i32::MAX);
    let free = all.filter(|partition| !held.contains(partition)).filter(is_free);
    Plan { release: vec![], take: free.take(share - held.len()).collect() }
}

/// Equal shares; what is left over goes to the first members by name.
fn share_of(me: &str, partitions: usize, members: &[String]) -> usize {
    let count = members.len().max(1);
    let place = members.iter().position(|member| member == me).unwrap_or(0);
    partitions / count + usize::from(place < partitions % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTS: Duration = Duration::from_micros(5);

    fn ownership(members: &[&str], leases: &[(i32, &str, i64)]) -> Ownership {
        Ownership {
            lost: vec![],
            members: members.iter().map(ToString::to_string).collect(),
            leases: leases
                .iter()
                .map(|&(partition, owner, until_us)| Lease {
                    partition,
                    owner: owner.to_owned(),
                    epoch: 1,
                    until_us,
                })
                .collect(),
        }
    }

    #[test]
    fn one_alone_takes_all() {
        let plan = plan("a", &BTreeSet::new(), 4, (0, LASTS), &ownership(&["a"], &[]));
        assert_eq!(plan, Plan { release: vec![], take: vec![0, 1, 2, 3] });
    }

    #[test]
    fn who_has_too_many_gives_back_and_who_has_too_few_takes_only_what_is_free() {
        let both = ownership(&["a", "b"], &[(0, "a", 10), (1, "a", 10), (2, "a", 10), (3, "a", 10)]);
        let has_all = BTreeSet::from([0, 1, 2, 3]);
        assert_eq!(plan("a", &has_all, 4, (5, LASTS), &both), Plan { release: vec![3, 2], take: vec![] });
        assert_eq!(plan("b", &BTreeSet::new(), 4, (5, LASTS), &both), Plan::default());
        assert_eq!(
            plan("b", &BTreeSet::new(), 4, (10, LASTS), &both),
            Plan { release: vec![], take: vec![0, 1] }
        );
    }

    #[test]
    fn shares_differ_by_one_at_most_and_add_up() {
        for partitions in 0..20 {
            for count in 1..8 {
                let members: Vec<String> = (0..count).map(|n| format!("m{n}")).collect();
                let shares: Vec<usize> =
                    members.iter().map(|me| share_of(me, partitions, &members)).collect();
                assert_eq!(shares.iter().sum::<usize>(), partitions);
                assert!(shares.iter().max().unwrap_or(&0) - shares.iter().min().unwrap_or(&0) <= 1);
            }
        }
    }

    #[test]
    fn a_lease_in_my_own_name_is_mine_to_take() {
        let restarted = ownership(&["a"], &[(0, "a", 10)]);
        assert_eq!(plan("a", &BTreeSet::new(), 1, (5, LASTS), &restarted).take, [0]);
    }
}
