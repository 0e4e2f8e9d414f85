-- An offset belongs to one log. `life` counts how often a partition turned out to have another one; what is kept by its
-- offset is kept by both.

alter table partition_offset add column life        integer not null default 0;
alter table partition_offset add column replaced_us integer;  -- when that was noticed last
alter table partition_offset add column earlier_records integer not null default 0;  -- of `records`, those of earlier logs
alter table partition_offset add column mark        blob check (length(mark) = 24);  -- the record before `next`

alter table gap rename to gap_before;
create table gap (
    partition   integer not null,
    life        integer not null,
    from_offset integer not null,
    to_offset   integer not null,  -- the first one after it; `from_offset` when it is not known how many there were
    at_us       integer not null,
    reason      text    not null,
    primary key (partition, life, from_offset)
) without rowid;
insert into gap select partition, 0, from_offset, to_offset, at_us, reason from gap_before;
drop table gap_before;

alter table rejected rename to rejected_before;
create table rejected (
    partition     integer not null,
    life          integer not null,
    record_offset integer not null,
    at_us         integer not null,
    reason        text    not null,
    bytes         blob    not null,  -- at most 64 KiB of it
    run           blob,
    primary key (partition, life, record_offset)
);
insert into rejected (rowid, partition, life, record_offset, at_us, reason, bytes, run)
    select rowid, partition, 0, record_offset, at_us, reason, bytes, run from rejected_before order by rowid;
drop table rejected_before;
