-- The first form of the store. Times are microseconds since the Unix epoch, UTC. A run and a node
-- are named by small numbers inside (`run.id`, `slot`); the views at the end show their UUIDs as text.

create table run (
    id            integer primary key autoincrement,  -- never used again, not even after a deletion
    uuid          blob    not null unique check (length(uuid) = 16),
    name          text,
    kind          text    not null default 'nodes',   -- 'nodes' or 'fleet'
    seed          text,                               -- decimal: an unsigned 64-bit number
    scenario      text,                               -- TOML
    parameters    text    not null default '{}',      -- JSON object
    announced     integer not null default 0,
    window_us     integer not null default 300000000, -- see `contact`; fixed once there are contacts
    started_us    integer,                            -- as announced; else the first report's time
    last_us       integer,                            -- the newest report's time
    nodes         integer not null default 0,         -- slots given: devices that reported or were heard
    reports       integer not null default 0,         -- reports accepted, each counted once
    states        integer not null default 0,         -- rows of `state`
    since_state   integer not null default 0,         -- reports after the newest state
    snapshot_at   integer not null default 0,         -- `reports` when the newest snapshot was taken
    total         integer not null default 0,         -- figures after the newest report
    zombies       integer not null default 0,
    deaths        integer not null default 0,
    dead_zombies  integer not null default 0,
    immune        integer not null default 0,
    contacts      integer not null default 0,         -- rows of `contact`
    infections    integer not null default 0          -- rows of `infection`
);

-- A device of a run. Slots count from 0 in the order of first sight and are never given twice.
create table node (
    run   integer not null,
    slot  integer not null,
    uuid  blob    not null check (length(uuid) = 16),
    primary key (run, slot)
) without rowid;
create unique index node_uuid on node (run, uuid);

-- The newest state of each device that has reported. `next_seq` and `gaps` say which reports of
-- this start are in: all below `next_seq`, except those in `gaps` (JSON: [[first, last], …]).
create table node_latest (
    run              integer not null,
    slot             integer not null,
    x                integer not null,
    y                integer not null,
    infected         integer not null,
    immune           integer not null,
    alive            integer not null,
    time_us          integer not null,
    tick             integer,
    first_us         integer not null,
    contacts         integer not null,  -- contacts of this person that are stored
    heard_us         integer not null,  -- encounters that ended before this (less the gap) are closed
    start_us         integer,           -- start of the node that reports now; null: reports carry none
    latest_seq       integer,
    next_seq         integer not null,
    gaps             text,
    claimed_contacts integer,           -- running totals in the report `latest_seq`, for the audit
    claimed_digest   integer,
    primary key (run, slot)
) without rowid;

-- Earlier starts of a device (a device that was restarted keeps its UUID, and counts from 0 again).
create table node_session (
    run              integer not null,
    slot             integer not null,
    start_us         integer not null,
    latest_seq       integer,
    next_seq         integer not null,
    gaps             text,
    claimed_contacts integer,
    claimed_digest   integer,
    primary key (run, slot, start_us)
) without rowid;

-- States over time: one row for each report, numbered in the run from 0.
create table node_state (
    run      integer not null,
    report   integer not null,
    slot     integer not null,
    x        integer not null,
    y        integer not null,
    health   integer not null,  -- bit 0 infected, bit 1 immune, bit 2 dead, bit 3 late (an older report that came after a newer one)
    time_us  integer not null,
    tick     integer,
    primary key (run, report)
) without rowid;

-- The paper's states: state k is what the first `reports` reports say, with the figures of that moment.
-- `contacts` and `infections` count from the beginning of the run. This is the statistics series too.
create table state (
    run          integer not null,
    k            integer not null,
    reports      integer not null,
    time_us      integer not null,
    total        integer not null,
    zombies      integer not null,
    deaths       integer not null,
    dead_zombies integer not null,
    immune       integer not null,
    contacts     integer not null,
    infections   integer not null,
    primary key (run, k)
) without rowid;
create index state_time on state (run, time_us);

-- All nodes after `reports` reports, packed (docs/store.md): a state is the newest snapshot before
-- it and the few rows of node_state since.
create table snapshot (
    run      integer not null,
    reports  integer not null,
    nodes    integer not null,
    bytes    blob    not null,
    primary key (run, reports)
);

-- Every contact: `person` heard `other` at `time_us`. The window of minutes (`window` = time_us
-- divided by run.window_us, rounded down) stands before the person, so that rows arrive at the end of
-- the tree, and the contacts of one person are one look-up for each window.
create table contact (
    run      integer not null,
    window   integer not null,
    person   integer not null,
    time_us  integer not null,
    other    integer not null,
    distance real,
    primary key (run, window, person, time_us, other)
) without rowid;

-- Encounters that are over: contacts of `person` with `other` that follow each other within
-- meta.encounter_gap_us. `window` is that of `from_us`.
create table encounter (
    run      integer not null,
    window   integer not null,
    person   integer not null,
    from_us  integer not null,
    other    integer not null,
    to_us    integer not null,
    nearest  real,
    contacts integer not null,
    primary key (run, window, person, from_us, other)
) without rowid;

-- Encounters that may go on: at most one of a pair.
create table encounter_open (
    run      integer not null,
    person   integer not null,
    other    integer not null,
    from_us  integer not null,
    to_us    integer not null,
    nearest  real,
    contacts integer not null,
    primary key (run, person, other)
) without rowid;

-- Who was infected, when, where, and by whom if the report says so.
create table infection (
    run      integer not null,
    time_us  integer not null,
    infectee integer not null,
    infector integer,
    x        integer not null,
    y        integer not null,
    primary key (run, time_us, infectee)
) without rowid;
create index infection_infectee on infection (run, infectee);

-- Records that could not be read: the newest meta.rejected_kept ones; partition_offset counts them all.
create table rejected (
    partition     integer not null,
    record_offset integer not null,
    at_us         integer not null,
    reason        text    not null,
    bytes         blob    not null,  -- at most 64 KiB of it
    primary key (partition, record_offset)
);

-- Offsets that the topic did not hand out: expired before they were read, or kept back by the broker.
create table gap (
    partition   integer not null,
    from_offset integer not null,
    to_offset   integer not null,  -- the first one after it
    at_us       integer not null,
    reason      text    not null,
    primary key (partition, from_offset)
) without rowid;

-- Which records of the topic are in: all below `next`. Written in the transaction of their rows, and
-- only by the owner of `epoch`.
create table partition_offset (
    partition integer primary key,
    epoch     integer not null default 0,
    next      integer not null default 0,
    records   integer not null default 0,
    rejected  integer not null default 0
);

-- Who may write a partition, until when. `epoch` grows with each owner.
create table lease (
    partition integer primary key,
    owner     text    not null,
    epoch     integer not null,
    until_us  integer not null
);

-- What each ingest process says of itself, for the operator.
create table ingest_status (
    owner            text primary key,
    state            text    not null,  -- 'starting', 'running', 'waiting', 'stopped'
    updated_us       integer not null,
    started_us       integer not null,
    partitions       text    not null,  -- JSON array of numbers
    lag_records      integer not null,
    newest_record_us integer,           -- when the newest record that is in was written to the topic
    records          integer not null,
    rejected         integer not null
);

create table meta (
    name  text primary key,
    value integer not null
) without rowid;
insert into meta (name, value) values
    ('encounter_gap_us', 10000000),
    ('rejected_kept', 10000);

-- For people with the sqlite3 program: the same rows with UUIDs and dates as text.

create view nodes as
    select n.run, n.slot,
           lower(substr(hex(n.uuid), 1, 8) || '-' || substr(hex(n.uuid), 9, 4) || '-' || substr(hex(n.uuid), 13, 4)
                 || '-' || substr(hex(n.uuid), 17, 4) || '-' || substr(hex(n.uuid), 21, 12)) as uuid
    from node n;

create view runs as
    select r.id as run,
           lower(substr(hex(r.uuid), 1, 8) || '-' || substr(hex(r.uuid), 9, 4) || '-' || substr(hex(r.uuid), 13, 4)
                 || '-' || substr(hex(r.uuid), 17, 4) || '-' || substr(hex(r.uuid), 21, 12)) as uuid,
           r.name, r.kind, r.seed,
           strftime('%Y-%m-%d %H:%M:%f', r.started_us / 1e6, 'unixepoch') as started,
           strftime('%Y-%m-%d %H:%M:%f', r.last_us / 1e6, 'unixepoch') as last,
           r.nodes, r.reports, r.states, r.total, r.zombies, r.deaths, r.dead_zombies, r.immune, r.contacts,
           r.infections, r.parameters, r.scenario
    from run r;

create view latest as
    select l.run, l.slot, n.uuid, l.x, l.y, l.infected, l.immune, l.alive,
           strftime('%Y-%m-%d %H:%M:%f', l.time_us / 1e6, 'unixepoch') as time, l.contacts
    from node_latest l join nodes n on n.run = l.run and n.slot = l.slot;

create view contacts as
    select c.run, p.uuid as person, o.uuid as other,
           strftime('%Y-%m-%d %H:%M:%f', c.time_us / 1e6, 'unixepoch') as time, c.time_us, c.distance
    from contact c
    join nodes p on p.run = c.run and p.slot = c.person
    join nodes o on o.run = c.run and o.slot = c.other;

create view encounters as
    select e.run, p.uuid as person, o.uuid as other,
           strftime('%Y-%m-%d %H:%M:%f', e.from_us / 1e6, 'unixepoch') as "from",
           strftime('%Y-%m-%d %H:%M:%f', e.to_us / 1e6, 'unixepoch') as "to",
           (e.to_us - e.from_us) / 1e6 as seconds, e.nearest, e.contacts, e.open
    from (select run, person, other, from_us, to_us, nearest, contacts, 0 as open from encounter
          union all
          select run, person, other, from_us, to_us, nearest, contacts, 1 as open from encounter_open) e
    join nodes p on p.run = e.run and p.slot = e.person
    join nodes o on o.run = e.run and o.slot = e.other;

create view infections as
    select i.run, strftime('%Y-%m-%d %H:%M:%f', i.time_us / 1e6, 'unixepoch') as time,
           e.uuid as infectee, r.uuid as infector, i.x, i.y
    from infection i
    join nodes e on e.run = i.run and e.slot = i.infectee
    left join nodes r on r.run = i.run and r.slot = i.infector;

create view statistics as
    select s.run, s.k, strftime('%Y-%m-%d %H:%M:%f', s.time_us / 1e6, 'unixepoch') as time,
           s.total, s.zombies, s.deaths, s.dead_zombies, s.immune, s.contacts, s.infections
    from state s;
