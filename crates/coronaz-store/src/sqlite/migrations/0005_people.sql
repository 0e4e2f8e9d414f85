-- What is known of people since their rows in `node_latest` were written, in runs of many: there, a row a report would cost
-- a page of the file each. A commit appends those whom it touched, packed, in the order of their slots. Of several entries
-- the one with the highest `batch` counts, and it counts before the row in `node_latest`, which follows some batches behind;
-- so do the views `latest` and, in what may go on, `encounters`.
create table node_log (
    run        integer not null,
    batch      integer not null,  -- counts up
    first_slot integer not null,  -- of the first person in `bytes`
    bytes      blob    not null,
    primary key (run, batch, first_slot)
) without rowid;
