-- What time it is in a run no longer depends on one device's clock: the latest reports, packed (slot and time, 12 bytes each).
alter table run add column recent blob;

-- The run on show by default is found among many: those that are being written, and those that can be shown.
create index run_written on run (written_us) where states > 0;
create index run_started on run (started_us) where states > 0;

-- The views again, for other programs too, with the numbers by which the tables are keyed beside the UUIDs. Ask by run and
-- slot: that is a look-up or one pass over a table, while a UUID as text has to be made for each row first.
drop view nodes;
drop view latest;
drop view contacts;
drop view encounters;
drop view infections;

create view nodes as
    select n.run, n.slot,
           lower(substr(hex(n.uuid), 1, 8) || '-' || substr(hex(n.uuid), 9, 4) || '-' || substr(hex(n.uuid), 13, 4)
                 || '-' || substr(hex(n.uuid), 17, 4) || '-' || substr(hex(n.uuid), 21, 12)) as uuid
    from node n;

create view latest as
    select l.run, l.slot,
           lower(substr(hex(n.uuid), 1, 8) || '-' || substr(hex(n.uuid), 9, 4) || '-' || substr(hex(n.uuid), 13, 4)
                 || '-' || substr(hex(n.uuid), 17, 4) || '-' || substr(hex(n.uuid), 21, 12)) as uuid,
           l.x, l.y, l.infected, l.immune, l.alive,
           strftime('%Y-%m-%d %H:%M:%f', l.time_us / 1e6, 'unixepoch') as time, l.contacts, l.time_us
    from node_latest l
    join node n on n.run = l.run and n.slot = l.slot;

create view contacts as
    select c.run,
           lower(substr(hex(p.uuid), 1, 8) || '-' || substr(hex(p.uuid), 9, 4) || '-' || substr(hex(p.uuid), 13, 4)
                 || '-' || substr(hex(p.uuid), 17, 4) || '-' || substr(hex(p.uuid), 21, 12)) as person,
           lower(substr(hex(o.uuid), 1, 8) || '-' || substr(hex(o.uuid), 9, 4) || '-' || substr(hex(o.uuid), 13, 4)
                 || '-' || substr(hex(o.uuid), 17, 4) || '-' || substr(hex(o.uuid), 21, 12)) as other,
           strftime('%Y-%m-%d %H:%M:%f', c.time_us / 1e6, 'unixepoch') as time, c.time_us, c.distance,
           c.person as person_slot, c.other as other_slot
    from contact c
    join node p on p.run = c.run and p.slot = c.person
    join node o on o.run = c.run and o.slot = c.other;

-- Those that are over, and those that may continue. Apart from the view of people: programs that read a view by writing its
-- text again (DuckDB does) write a union so that SQLite does not take it.
create view encounter_rows as
    select e.run, e.person, e.other, e.from_us, e.to_us, e.nearest, e.contacts, 0 as open from encounter e
    union all
    select l.run, l.slot, json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'), json_extract(j.value, '$[2]'),
           json_extract(j.value, '$[3]'), json_extract(j.value, '$[4]'), 1
    from node_latest l, json_each(l.open) j;

create view encounters as
    select e.run,
           lower(substr(hex(p.uuid), 1, 8) || '-' || substr(hex(p.uuid), 9, 4) || '-' || substr(hex(p.uuid), 13, 4)
                 || '-' || substr(hex(p.uuid), 17, 4) || '-' || substr(hex(p.uuid), 21, 12)) as person,
           lower(substr(hex(o.uuid), 1, 8) || '-' || substr(hex(o.uuid), 9, 4) || '-' || substr(hex(o.uuid), 13, 4)
                 || '-' || substr(hex(o.uuid), 17, 4) || '-' || substr(hex(o.uuid), 21, 12)) as other,
           strftime('%Y-%m-%d %H:%M:%f', e.from_us / 1e6, 'unixepoch') as "from",
           strftime('%Y-%m-%d %H:%M:%f', e.to_us / 1e6, 'unixepoch') as "to",
           (e.to_us - e.from_us) / 1e6 as seconds, e.nearest, e.contacts, e.open,
           e.person as person_slot, e.other as other_slot, e.from_us, e.to_us
    from encounter_rows e
    join node p on p.run = e.run and p.slot = e.person
    join node o on o.run = e.run and o.slot = e.other;

create view infections as
    select i.run, strftime('%Y-%m-%d %H:%M:%f', i.time_us / 1e6, 'unixepoch') as time,
           lower(substr(hex(e.uuid), 1, 8) || '-' || substr(hex(e.uuid), 9, 4) || '-' || substr(hex(e.uuid), 13, 4)
                 || '-' || substr(hex(e.uuid), 17, 4) || '-' || substr(hex(e.uuid), 21, 12)) as infectee,
           case when r.slot is not null then
               lower(substr(hex(r.uuid), 1, 8) || '-' || substr(hex(r.uuid), 9, 4) || '-' || substr(hex(r.uuid), 13, 4)
                 || '-' || substr(hex(r.uuid), 17, 4) || '-' || substr(hex(r.uuid), 21, 12)) end as infector,
           i.x, i.y, i.time_us, i.infectee as infectee_slot, i.infector as infector_slot
    from infection i
    join node e on e.run = i.run and e.slot = i.infectee
    left join node r on r.run = i.run and r.slot = i.infector;

-- Where everybody was and how they were, report by report: movement over time. `late`: an older report that came after a
-- newer one.
create view movements as
    select s.run, s.slot,
           lower(substr(hex(n.uuid), 1, 8) || '-' || substr(hex(n.uuid), 9, 4) || '-' || substr(hex(n.uuid), 13, 4)
                 || '-' || substr(hex(n.uuid), 17, 4) || '-' || substr(hex(n.uuid), 21, 12)) as uuid,
           strftime('%Y-%m-%d %H:%M:%f', s.time_us / 1e6, 'unixepoch') as time, s.x, s.y,
           s.health & 1 as infected, s.health >> 1 & 1 as immune, 1 - (s.health >> 2 & 1) as alive, s.health >> 3 as late,
           s.report, s.time_us, s.tick
    from node_state s
    join node n on n.run = s.run and n.slot = s.slot;

-- When somebody's health changed, and to what: the first report of each person, and those that differ from the one before.
create view health as
    select c.run, c.slot,
           lower(substr(hex(n.uuid), 1, 8) || '-' || substr(hex(n.uuid), 9, 4) || '-' || substr(hex(n.uuid), 13, 4)
                 || '-' || substr(hex(n.uuid), 17, 4) || '-' || substr(hex(n.uuid), 21, 12)) as uuid,
           strftime('%Y-%m-%d %H:%M:%f', c.time_us / 1e6, 'unixepoch') as time,
           c.health & 1 as infected, c.health >> 1 & 1 as immune, 1 - (c.health >> 2 & 1) as alive,
           c.x, c.y, c.report, c.time_us, c.tick
    from (select s.run, s.slot, s.x, s.y, s.health, s.report, s.time_us, s.tick,
                 lag(s.health) over (partition by s.run, s.slot order by s.report) as was
          from node_state s where s.health < 8) c
    join node n on n.run = c.run and n.slot = c.slot
    where c.was is null or c.was <> c.health;
