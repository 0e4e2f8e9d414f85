-- Fleets: people who are computed, and told of in frames (docs/protocol.md). They have no rows in `node`,
-- `node_latest`, `node_state`, `contact` and `encounter`: a person's slot is its number, its UUID is `base` plus the slot
-- in the timestamp, and movement and contacts stay in the frames' bytes. Moments are rows of `state` with k = tick;
-- infections are rows of `infection`.

-- The population of a run that is a fleet's, as its first frame says.
create table fleet (
    run          integer primary key,
    base         blob    not null check (length(base) = 16),  -- UUID of person 0
    people       integer not null,
    shard_people integer not null                             -- people of a shard; the last one has the rest
);

-- The records as they came: part `part` of what shard `shard` tells of tick `tick`. `kind`: 0 keyframe, 1 turns, 2 steps.
create table fleet_frame (
    run   integer not null,
    shard integer not null,
    tick  integer not null,
    part  integer not null,
    kind  integer not null,
    bytes blob    not null,
    primary key (run, shard, tick, part)
);
create index fleet_frame_key on fleet_frame (run, shard, tick) where kind = 0 and part = 0;

-- Shards that are whole at a tick: all parts are in, and all records from the keyframe of tick `key_tick` on. When all
-- shards of a tick are here, the tick is a moment.
create table fleet_tick (
    run          integer not null,
    tick         integer not null,
    shard        integer not null,
    key_tick     integer not null,
    time_us      integer not null,
    total        integer not null,
    zombies      integer not null,
    deaths       integer not null,
    dead_zombies integer not null,
    immune       integer not null,
    contacts     integer not null,  -- since the run began, as the fleet counts
    infections   integer not null,
    primary key (run, tick, shard)
) without rowid;
