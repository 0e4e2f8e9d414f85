-- When a moment came to be, by the clock of the ingest process that drew it: the auditor judges by it what came late.
-- Null in moments that were drawn before this column was there.
alter table state add column arrived_us integer;
