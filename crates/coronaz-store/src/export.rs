//! A run's tables, row by row: for files, and for whoever asks over HTTP.
//!
//! [`each_row`] gives cells, [`csv`] text in blocks. Both hold one block or a few thousand rows in memory, whatever the
//! size of the table, and stop when the visitor breaks. While contacts or encounters are read, the store keeps the
//! state of that moment for the reader, which costs room on its disk: a visitor that waits for somebody should
//! break off when that takes long.

use crate::paging::PAGE_ITEMS;
use crate::queries::{At, Queries};
use crate::{Health, StoreError};
use coronaz_model::identity::person_of;
use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::ops::ControlFlow;
use std::str::FromStr;
use uuid::Uuid;

/// A table of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// The figures, a row each moment.
    Statistics,
    /// Who was infected by whom, when and where.
    Infections,
    /// Who heard whom, when.
    Contacts,
    /// Contacts that follow each other closely, as one.
    Encounters,
    /// Everybody, at the newest moment.
    Nodes,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A count, or microseconds since the Unix epoch.
    Whole,
    /// A place on the field.
    Coordinate,
    /// A distance, in units of the field.
    Real,
    /// A UUID.
    Uuid,
    /// Yes or no.
    Switch,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// It may hold nothing.
    pub optional: bool,
}

/// A value in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// Of [`Kind::Whole`].
    Whole(i64),
    /// Of [`Kind::Coordinate`].
    Coordinate(i32),
    /// Of [`Kind::Real`].
    Real(f64),
    /// Of [`Kind::Uuid`].
    Uuid(Uuid),
    /// Of [`Kind::Switch`].
    Switch(bool),
    /// It is not known.
    Nothing,
}

/// A text that names no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no table is called {0:?}; there are statistics, infections, contacts, encounters and nodes")]
pub struct NoSuchTable(String);

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, optional: false }
}

const fn optional(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, optional: true }
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Statistics, Self::Infections, Self::Contacts, Self::Encounters, Self::Nodes];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Statistics => "statistics",
            Self::Infections => "infections",
            Self::Contacts => "contacts",
            Self::Encounters => "encounters",
            Self::Nodes => "nodes",
        }
    }

    /// Its columns, in order.
    pub fn columns(self) -> &'static [Column] {
        use Kind::{Coordinate, Real, Switch, Uuid, Whole};
        match self {
            Self::Statistics => {
                const {
                    &[
                        column("moment", Whole),
                        column("time_us", Whole),
                        column("total", Whole),
                        column("zombies", Whole),
                        column("deaths", Whole),
                        column("dead_zombies", Whole),
                        column("immune", Whole),
                        column("contacts", Whole),
                        column("infections", Whole),
                    ]
                }
            }
            Self::Infections => {
                const {
                    &[
                        column("time_us", Whole),
                        column("infectee", Uuid),
                        optional("infector", Uuid),
                        column("x", Coordinate),
                        column("y", Coordinate),
                        optional("infectee_slot", Whole),
                        optional("infector_slot", Whole),
                    ]
                }
            }
            Self::Contacts => {
                const {
                    &[
                        column("time_us", Whole),
                        column("person", Uuid),
                        column("other", Uuid),
                        optional("distance", Real),
                        optional("person_slot", Whole),
                        optional("other_slot", Whole),
                    ]
                }
            }
            Self::Encounters => {
                const {
                    &[
                        column("person", Uuid),
                        column("other", Uuid),
                        column("from_us", Whole),
                        column("to_us", Whole),
                        optional("nearest", Real),
                        column("contacts", Whole),
                        column("open", Switch),
                        optional("person_slot", Whole),
                        optional("other_slot", Whole),
                    ]
                }
            }
            Self::Nodes => {
                const {
                    &[
                        column("slot", Whole),
                        column("node", Uuid),
                        optional("x", Coordinate),
                        optional("y", Coordinate),
                        optional("infected", Switch),
                        optional("immune", Switch),
                        optional("alive", Switch),
                    ]
                }
            }
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Table {
    type Err = NoSuchTable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let table = Self::ALL.into_iter().find(|table| table.name() == text);
        table.ok_or_else(|| NoSuchTable(text.to_owned()))
    }
}

type Visit<'a> = &'a mut dyn FnMut(&[Cell]) -> ControlFlow<()>;

/// Hands over each row of a table, its cells in the order of the columns, until the visitor breaks; says how many.
///
/// # Errors
/// As the questions of [`Queries`].
pub fn each_row(queries: &dyn Queries, run: Uuid, table: Table, visit: Visit<'_>) -> Result<u64, StoreError> {
    let mut rows = 0;
    let mut count = |cells: &[Cell]| {
        rows += 1;
        visit(cells)
    };
    match table {
        Table::Statistics => statistics(queries, run, &mut count)?,
        Table::Infections => infections(queries, run, &mut count)?,
        Table::Contacts => contacts(queries, run, &mut count)?,
        Table::Encounters => encounters(queries, run, &mut count)?,
        Table::Nodes => nodes(queries, run, &mut count)?,
    }
    Ok(rows)
}

fn whole(count: u64) -> Cell {
    Cell::Whole(i64::try_from(count).unwrap_or(i64::MAX))
}

fn statistics(queries: &dyn Queries, run: Uuid, visit: Visit<'_>) -> Result<(), StoreError> {
    let moments = queries.run(run)?.moments;
    for from in (0..moments).step_by(PAGE_ITEMS) {
        let to = from + PAGE_ITEMS as u64 - 1;
        for moment in queries.moments(run, from, to.min(moments - 1), PAGE_ITEMS)? {
            let figures = moment.figures;
            let people =
                [figures.total, figures.zombies, figures.deaths, figures.dead_zombies, figures.immune];
            let [total, zombies, deaths, dead_zombies, immune] =
                people.map(|count| Cell::Whole(count.into()));
            let (k, time_us) = (whole(moment.k), Cell::Whole(moment.time_us));
            let (contacts, infections) = (whole(moment.contacts), whole(moment.infections));
            let row = [k, time_us, total, zombies, deaths, dead_zombies, immune, contacts, infections];
            if visit(&row).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The numbers of people, beside their UUIDs: joins and indexes over whole numbers cost a fraction.
enum Slots {
    /// Of a fleet: they follow from the UUIDs.
    Counted {
        base: u128,
    },
    Listed(HashMap<Uuid, u32>),
}

impl Slots {
    fn of(queries: &dyn Queries, run: Uuid) -> Result<Self, StoreError> {
        if queries.run(run)?.kind == "fleet"
            && let Some(first) = queries.nodes(run, 0, 1)?.first()
        {
            return Ok(Self::Counted { base: first.id.as_u128() });
        }
        let mut slots = HashMap::new();
        let mut from = Some(0);
        while let Some(next) = from {
            let page = queries.nodes(run, next, PAGE_ITEMS)?;
            from = page.last().and_then(|last| last.slot.checked_add(1));
            slots.extend(page.into_iter().map(|node| (node.id, node.slot)));
        }
        Ok(Self::Listed(slots))
    }

    /// Nothing for somebody who is not of the run, like a fleet's guest, or came while it was read.
    fn cell(&self, id: Uuid) -> Cell {
        let slot = match self {
            Self::Counted { base } => person_of(*base, id.as_u128()).map(|person| person.0),
            Self::Listed(slots) => slots.get(&id).copied(),
        };
        slot.map_or(Cell::Nothing, |slot| Cell::Whole(slot.into()))
    }
}

fn infections(queries: &dyn Queries, run: Uuid, visit: Visit<'_>) -> Result<(), StoreError> {
    let slots = Slots::of(queries, run)?;
    for infection in queries.infections(run, i64::MIN, usize::MAX)? {
        let row = [
            Cell::Whole(infection.time_us),
            Cell::Uuid(infection.infectee),
            infection.infector.map_or(Cell::Nothing, Cell::Uuid),
            Cell::Coordinate(infection.x),
            Cell::Coordinate(infection.y),
            slots.cell(infection.infectee),
            infection.infector.map_or(Cell::Nothing, |infector| slots.cell(infector)),
        ];
        if visit(&row).is_break() {
            break;
        }
    }
    Ok(())
}

fn contacts(queries: &dyn Queries, run: Uuid, visit: Visit<'_>) -> Result<(), StoreError> {
    let slots = Slots::of(queries, run)?;
    queries.each_contact(run, &mut |contact| {
        visit(&[
            Cell::Whole(contact.time_us),
            Cell::Uuid(contact.person),
            Cell::Uuid(contact.other),
            contact.distance.map_or(Cell::Nothing, Cell::Real),
            slots.cell(contact.person),
            slots.cell(contact.other),
        ])
    })
}

fn encounters(queries: &dyn Queries, run: Uuid, visit: Visit<'_>) -> Result<(), StoreError> {
    let slots = Slots::of(queries, run)?;
    queries.each_encounter(run, &mut |encounter| {
        visit(&[
            Cell::Uuid(encounter.person),
            Cell::Uuid(encounter.other),
            Cell::Whole(encounter.from_us),
            Cell::Whole(encounter.to_us),
            encounter.nearest.map_or(Cell::Nothing, Cell::Real),
            whole(encounter.contacts),
            Cell::Switch(encounter.open),
            slots.cell(encounter.person),
            slots.cell(encounter.other),
        ])
    })
}

fn nodes(queries: &dyn Queries, run: Uuid, visit: Visit<'_>) -> Result<(), StoreError> {
    let crowd = queries.crowd(run, At::Latest)?;
    let mut from = 0;
    loop {
        let page = queries.nodes(run, from, PAGE_ITEMS)?;
        let Some(last) = page.last() else { return Ok(()) };
        let next = last.slot.checked_add(1);
        for node in page {
            let at = node.slot as usize;
            let seen = crowd.as_ref().and_then(|crowd| {
                let health: Health = (*crowd.health.get(at)?)?;
                Some((*crowd.x.get(at)?, *crowd.y.get(at)?, health))
            });
            let mut row = [Cell::Nothing; 7];
            row[0] = Cell::Whole(node.slot.into());
            row[1] = Cell::Uuid(node.id);
            if let Some((x, y, health)) = seen {
                let switches = [health.infected, health.immune, health.alive].map(Cell::Switch);
                row[2..4].copy_from_slice(&[Cell::Coordinate(x), Cell::Coordinate(y)]);
                row[4..].copy_from_slice(&switches);
            }
            if visit(&row).is_break() {
                return Ok(());
            }
        }
        let Some(next) = next else { return Ok(()) };
        from = next;
    }
}

/// CSV is handed over in blocks of about this many bytes: large enough that a block's price does not count.
pub const CSV_BLOCK_BYTES: usize = 64 * 1024;

/// Hands over a table as CSV (RFC 4180, with a heading; nothing is an empty cell), block by block, until the sink
/// breaks; says how many rows.
///
/// # Errors
/// As the questions of [`Queries`]. A run that is not there fails before the first block.
pub fn csv(
    queries: &dyn Queries,
    run: Uuid,
    table: Table,
    sink: &mut dyn FnMut(Vec<u8>) -> ControlFlow<()>,
) -> Result<u64, StoreError> {
    queries.run(run)?;
    let mut text = String::with_capacity(CSV_BLOCK_BYTES + 1024);
    text.push_str(&csv_heading(table));
    let mut broken = false;
    let rows = each_row(queries, run, table, &mut |cells| {
        csv_line(&mut text, cells);
        if text.len() < CSV_BLOCK_BYTES {
            return ControlFlow::Continue(());
        }
        let block = std::mem::replace(&mut text, String::with_capacity(CSV_BLOCK_BYTES + 1024));
        let answer = sink(block.into_bytes());
        broken = answer.is_break();
        answer
    })?;
    if !broken && !text.is_empty() {
        // The last block: whether the sink wants more makes no difference.
        let _ = sink(text.into_bytes());
    }
    Ok(rows)
}

/// The first line.
pub fn csv_heading(table: Table) -> String {
    let names: Vec<_> = table.columns().iter().map(|column| column.name).collect();
    names.join(",") + "\n"
}

/// Adds a line. No value needs quotes: all are numbers, words or UUIDs.
pub fn csv_line(text: &mut String, cells: &[Cell]) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        let written = match cell {
            Cell::Whole(value) => write!(text, "{value}"),
            Cell::Coordinate(value) => write!(text, "{value}"),
            // The shortest text that reads back as the same number.
            Cell::Real(value) => write!(text, "{value}"),
            Cell::Uuid(value) => write!(text, "{value}"),
            Cell::Switch(value) => write!(text, "{value}"),
            Cell::Nothing => Ok(()),
        };
        // A text takes everything.
        debug_assert!(written.is_ok());
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_cell_for_each_column_and_nothing_is_empty() {
        let mut text = String::new();
        csv_line(&mut text, &[Cell::Whole(-1), Cell::Uuid(Uuid::nil()), Cell::Nothing, Cell::Real(1.5)]);
        assert_eq!(text, "-1,00000000-0000-0000-0000-000000000000,,1.5\n");
    }

    #[test]
    fn tables_are_found_by_their_names() {
        for table in Table::ALL {
            assert_eq!(table.name().parse(), Ok(table));
        }
        let error = "people".parse::<Table>().expect_err("no table").to_string();
        assert!(error.contains("people") && error.contains("encounters"), "{error}");
    }
}
