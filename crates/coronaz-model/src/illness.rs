//! Infected for a while, then immune for as long again, then safe.
//!
//! Beyond the paper, and off by default, there may be a latent period before one is infectious, an
//! incubation period before one has symptoms (or none ever), immunity of another length, and death.

use crate::{Draws, Parameters, PersonId, Stream, Tick, draw::mix, draw::uniform};

/// How a person fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Health {
    /// Can be infected: the paper's "safe".
    Susceptible = 0,
    /// Infected, not yet infectious (only in scenarios with a latent period).
    Latent = 1,
    /// Infected and infectious: the paper's "infected", a zombie.
    Infectious = 2,
    /// Was infected and cannot be again for a while.
    Immune = 3,
    /// Dead; the last message is out.
    Deceased = 4,
}

impl Health {
    /// What the `infected` member of a message says.
    #[inline]
    #[must_use]
    pub const fn is_infectious(self) -> bool {
        matches!(self, Health::Infectious)
    }

    /// Whether it changes by itself when its seconds are over.
    #[inline]
    #[must_use]
    pub const fn is_timed(self) -> bool {
        matches!(self, Health::Latent | Health::Infectious | Health::Immune)
    }
}

/// Health and how many seconds of it are left (0 where it has no end).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Illness {
    /// The present state.
    pub health: Health,
    /// Seconds until it changes by itself.
    pub left_s: u32,
}

impl Illness {
    /// Never infected, or safe again.
    pub const SUSCEPTIBLE: Illness = Illness { health: Health::Susceptible, left_s: 0 };

    /// Infected just now.
    #[inline]
    #[must_use]
    pub const fn infected(parameters: &Parameters) -> Self {
        Illness { health: Health::Infectious, left_s: parameters.infection_cooldown }
    }

    /// Infected at `tick`: infectious at once, or after a latent period that is drawn.
    #[inline]
    #[must_use]
    pub fn caught(parameters: &Parameters, draws: Draws, person: PersonId, tick: Tick) -> Self {
        match period(parameters.latent_period, parameters.period_shape, draws, Stream::Latency, person, tick)
        {
            0 => Self::infected(parameters),
            left_s => Illness { health: Health::Latent, left_s },
        }
    }

    /// One second later: latent, then infected, then immune (as long as infected if nothing else is set), then safe.
    #[inline]
    #[must_use]
    pub const fn count_down(self, parameters: &Parameters) -> Self {
        match self.health {
            Health::Latent if self.left_s <= 1 => Self::infected(parameters),
            Health::Infectious if self.left_s <= 1 => {
                let left_s = match parameters.immunity_period {
                    0 => parameters.infection_cooldown,
                    immunity_period => immunity_period,
                };
                Illness { health: Health::Immune, left_s }
            }
            Health::Immune if self.left_s <= 1 => Illness::SUSCEPTIBLE,
            Health::Latent | Health::Infectious | Health::Immune => {
                Illness { health: self.health, left_s: self.left_s - 1 }
            }
            Health::Susceptible | Health::Deceased => self,
        }
    }
}

/// The tick from which on an illness that was caught at `tick` shows: `Tick::MAX` if never, 0 (as if
/// always) where symptoms begin with the infection, as in the paper.
#[must_use]
pub fn onset(parameters: &Parameters, draws: Draws, person: PersonId, tick: Tick) -> Tick {
    if !parameters.hides_illness() {
        return 0;
    }
    if draws.chance(Stream::Asymptomatic, person, tick, parameters.asymptomatic_share) {
        return Tick::MAX;
    }
    let (mean, shape) = (parameters.incubation_period, parameters.period_shape);
    tick + Tick::from(period(mean, shape, draws, Stream::Incubation, person, tick))
}

/// Whether an illness that is over at `tick` ends in death.
#[inline]
#[must_use]
pub fn is_fatal(parameters: &Parameters, draws: Draws, person: PersonId, tick: Tick, onset: Tick) -> bool {
    parameters.fatality > 0.0
        && tick >= onset
        && draws.chance(Stream::Fatality, person, tick, parameters.fatality)
}

/// The longest period, in seconds.
const PERIOD_MAX: f64 = 65_535.0;

/// A drawn period of this mean, in whole seconds: gamma distributed with a whole-numbered shape
/// (Erlang: the sum of `shape` exponential ones), or without variation when the shape is 0.
fn period(mean: f64, shape: u32, draws: Draws, stream: Stream, person: PersonId, tick: Tick) -> u32 {
    if mean <= 0.0 {
        return 0;
    }
    let seconds = match shape {
        0 => mean,
        shape => {
            let chance = draws.bits(stream, person, tick);
            let sum: f64 = (1..=u64::from(shape)).map(|n| -ln(1.0 - uniform(mix(chance ^ n)))).sum();
            mean * sum / f64::from(shape)
        }
    };
    // Half up. Not f64::round: the same on every platform, and never negative.
    (seconds + 0.5).min(PERIOD_MAX) as u32
}

/// The natural logarithm of a normal number above 0, from additions, multiplications and divisions alone, whose results IEEE 754
/// fixes to the bit: `f64::ln` may differ between platforms, and a seed's history must not.
fn ln(x: f64) -> f64 {
    const EXPONENT_BIAS: i64 = 1023;
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - EXPONENT_BIAS;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | ((EXPONENT_BIAS as u64) << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    // ln m = 2 artanh s = 2 (s + s^3/3 + s^5/5 + …) with s = (m - 1) / (m + 1), |s| < 0.172.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let series = (0..11).rev().fold(0.0, |sum, n| sum * s * s + 1.0 / f64::from(2 * n + 1));
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_infection_lasts_its_cooldown_immunity_as_long_again_and_then_it_is_over() {
        let parameters = Parameters::default();
        let mut illness = Illness::infected(&parameters);
        let mut seconds = std::collections::BTreeMap::new();
        while illness != Illness::SUSCEPTIBLE {
            *seconds.entry(illness.health).or_insert(0) += 1;
            illness = illness.count_down(&parameters);
        }
        assert_eq!(seconds.into_iter().collect::<Vec<_>>(), [(Health::Infectious, 15), (Health::Immune, 15)]);
    }

    #[test]
    fn the_logarithm_is_that_of_the_standard_library() {
        for x in [1e-300, 1e-16, 0.1, 0.5, 0.7, 0.999_999, 1.0, 1.4, 1.5, 2.0, 1e9] {
            assert!(
                (ln(x) - x.ln()).abs() <= 4.0 * f64::EPSILON * x.ln().abs(),
                "ln {x}: {} {}",
                ln(x),
                x.ln()
            );
        }
    }

    #[test]
    fn drawn_periods_have_the_mean_and_the_spread_of_their_gamma_distribution() {
        let draws = Draws::new(5);
        for shape in [1, 4, 16] {
            let periods: Vec<f64> = (0..20_000)
                .map(|n| period(300.0, shape, draws, Stream::Latency, PersonId(n), 9).into())
                .collect();
            let mean = periods.iter().sum::<f64>() / 20_000.0;
            let variance = periods.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / 20_000.0;
            let spread = 300.0 / f64::from(shape).sqrt();
            // The mean's standard error is spread / sqrt(20,000).
            assert!((mean - 300.0).abs() < 4.0 * spread / 141.0, "shape {shape}: mean {mean}");
            assert!((variance.sqrt() / spread - 1.0).abs() < 0.05, "shape {shape}: {}", variance.sqrt());
        }
        assert_eq!(period(12.5, 0, draws, Stream::Latency, PersonId(1), 9), 13);
        assert_eq!(period(0.0, 3, draws, Stream::Latency, PersonId(1), 9), 0);
    }

    #[test]
    fn a_latent_illness_becomes_infectious_when_its_time_is_over() {
        let parameters = Parameters { latent_period: 3.0, immunity_period: 7, ..Parameters::default() };
        let mut illness = Illness::caught(&parameters, Draws::new(1), PersonId(0), 1);
        let mut seconds = std::collections::BTreeMap::new();
        while illness != Illness::SUSCEPTIBLE {
            *seconds.entry(illness.health).or_insert(0) += 1;
            illness = illness.count_down(&parameters);
        }
        let expected = [(Health::Latent, 3), (Health::Infectious, 15), (Health::Immune, 7)];
        assert_eq!(seconds.into_iter().collect::<Vec<_>>(), expected);
    }
}
