//! A person's health as a report tells it, and the page's figures counted from it.

/// What a report says of a person's health. The words are the paper's, as in the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Health {
    /// Infected now, or infected when it died.
    pub infected: bool,
    /// Immune after an illness (only known when the report carries it).
    pub immune: bool,
    /// False after the last report of a node.
    pub alive: bool,
}

impl Health {
    const INFECTED: u8 = 1;
    const IMMUNE: u8 = 2;
    const DEAD: u8 = 4;

    /// Bit 0 infected, bit 1 immune, bit 2 dead.
    pub fn bits(self) -> u8 {
        u8::from(self.infected) * Self::INFECTED
            + u8::from(self.immune) * Self::IMMUNE
            + u8::from(!self.alive) * Self::DEAD
    }

    /// The inverse of [`Health::bits`]; other bits are ignored.
    pub fn from_bits(bits: u8) -> Self {
        Self {
            infected: bits & Self::INFECTED != 0,
            immune: bits & Self::IMMUNE != 0,
            alive: bits & Self::DEAD == 0,
        }
    }
}

/// The figures of one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Figures {
    /// Nodes that have reported, dead ones too.
    pub total: u32,
    /// Alive and infected.
    pub zombies: u32,
    /// Dead.
    pub deaths: u32,
    /// Dead, and infected when they died.
    pub dead_zombies: u32,
    /// Alive and immune.
    pub immune: u32,
}

impl Figures {
    /// Counts one node in.
    pub fn add(&mut self, health: Health) {
        self.total = self.total.saturating_add(1);
        for figure in self.counters(health) {
            *figure = figure.saturating_add(1);
        }
    }

    /// Counts one node out: the inverse of [`Figures::add`].
    pub fn remove(&mut self, health: Health) {
        self.total = self.total.saturating_sub(1);
        for figure in self.counters(health) {
            *figure = figure.saturating_sub(1);
        }
    }

    /// The figures of these nodes.
    pub fn of(nodes: impl IntoIterator<Item = Health>) -> Self {
        let mut figures = Self::default();
        nodes.into_iter().for_each(|health| figures.add(health));
        figures
    }

    fn counters(&mut self, health: Health) -> impl Iterator<Item = &mut u32> {
        [
            (health.alive && health.infected, &mut self.zombies),
            (!health.alive, &mut self.deaths),
            (!health.alive && health.infected, &mut self.dead_zombies),
            (health.alive && health.immune, &mut self.immune),
        ]
        .into_iter()
        .filter_map(|(counts, figure)| counts.then_some(figure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Health> {
        (0..8).map(Health::from_bits)
    }

    #[test]
    fn bits_say_the_same_as_the_fields() {
        assert!(all().all(|health| Health::from_bits(health.bits()) == health));
        assert_eq!(Health { infected: false, immune: false, alive: true }.bits(), 0);
    }

    #[test]
    fn one_of_each_kind_is_counted_as_the_paper_counts() {
        let figures = Figures::of(all());
        assert_eq!(figures, Figures { total: 8, zombies: 2, deaths: 4, dead_zombies: 2, immune: 2 });
    }

    #[test]
    fn who_is_counted_in_and_out_leaves_nothing() {
        let mut figures = Figures::of(all());
        all().for_each(|health| figures.remove(health));
        assert_eq!(figures, Figures::default());
    }
}
