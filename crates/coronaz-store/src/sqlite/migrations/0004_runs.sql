-- Runs come and go: which were deleted, what is still to be removed of them, and when a run was last written.
-- Open encounters move into the row of their person: one row a person is written instead of one for each of them.

alter table run add column written_us  integer;                    -- when something of it was last stored, by the ingest's clock
alter table run add column strays      integer not null default 0; -- how often a person's reports changed their partition
alter table run add column forked_from text;                       -- JSON object, as announced

-- Deleted runs: records of them that still arrive are not stored.
create table deleted_run (
    uuid    blob    primary key check (length(uuid) = 16),
    at_us   integer not null,
    skipped integer not null default 0  -- records that arrived afterwards
) without rowid;

-- Runs (`run.id`) that are deleted, and of which rows may be left.
create table removal (
    run integer primary key
);

-- The run that a rejected record names, if it could be read so far.
alter table rejected add column run blob;

create index infection_infector on infection (run, infector, time_us) where infector is not null;

-- The partition its reports come from; and the encounters that may go on: JSON [[other, from_us, to_us, nearest, contacts], …].
alter table node_latest add column home integer;
alter table node_latest add column open text;

update node_latest set open = (
    select json_group_array(json_array(e.other, e.from_us, e.to_us,
                                       case when abs(e.nearest) < 1e300 then e.nearest end, e.contacts))
    from encounter_open e where e.run = node_latest.run and e.person = node_latest.slot)
where exists (select 1 from encounter_open e where e.run = node_latest.run and e.person = node_latest.slot);

drop view encounters;
drop table encounter_open;

create view encounters as
    select e.run, p.uuid as person, o.uuid as other,
           strftime('%Y-%m-%d %H:%M:%f', e.from_us / 1e6, 'unixepoch') as "from",
           strftime('%Y-%m-%d %H:%M:%f', e.to_us / 1e6, 'unixepoch') as "to",
           (e.to_us - e.from_us) / 1e6 as seconds, e.nearest, e.contacts, e.open
    from (select run, person, other, from_us, to_us, nearest, contacts, 0 as open from encounter
          union all
          select l.run, l.slot, j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, 1
          from node_latest l, json_each(l.open) j) e
    join nodes p on p.run = e.run and p.slot = e.person
    join nodes o on o.run = e.run and o.slot = e.other;
