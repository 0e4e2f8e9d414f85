//! The whole sheet: heading, three panels, legends.

use coronaz_model::Movement;

use super::{
    clock::Clock,
    panel::{FAINT_INK, Frame, INK, INNER_OPACITY, OUTER_OPACITY, Panel, small},
    scale::{self, Scale, TimeUnit, number},
    series::{Spread, infections, means, points, spreads},
    svg::{Style, Svg},
};
use crate::{Plan, Statistics, replicate::Outcome};

const WIDTH: f64 = 1_200.0;
const HEIGHT: f64 = 940.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 1_010.0;
/// Where legends begin.
const LEGEND: f64 = RIGHT + 26.0;
const PREVALENCE: (f64, f64) = (146.0, 420.0);
const INCIDENCE: (f64, f64) = (484.0, 624.0);
const HEALTH: (f64, f64) = (690.0, 860.0);
/// Bins of incidence: as wide as can be told apart.
const BINS_MAX: u64 = 120;

const PAPER: &str = "#ffffff";
/// The page's colors, where it has them.
const INFECTIOUS: &str = "#d31f33";
const INCIDENT: &str = "#7a3fb8";

/// A figure of [`Statistics`].
type Figure = fn(&Statistics) -> u32;

/// Health, from the bottom of the stack to its top: id, words, color, figure.
const LAYERS: [(&str, &str, &str, Figure); 5] = [
    ("infectious", "infectious", INFECTIOUS, |s| s.infectious),
    ("latent", "latent", "#eda03a", |s| s.latent),
    ("immune", "immune", "#35a79c", |s| s.immune),
    ("susceptible", "susceptible", "#1f66d6", |s| s.susceptible),
    ("deceased", "deceased", "#808b98", |s| s.deceased),
];

/// The time axis, for all panels.
struct Times {
    scale: Scale,
    clock: Clock,
    unit: TimeUnit,
    /// Round times, in seconds.
    marks: Vec<f64>,
}

/// The picture of these replicates, as SVG.
pub(super) fn draw(plan: &Plan, outcomes: &[Outcome]) -> String {
    let title = format!("Epidemic curve: {}", plan.name);
    let mut svg = Svg::new(WIDTH, HEIGHT, PAPER, &title, &setting(plan));
    heading(&mut svg, &title, plan, outcomes);
    let times = times_of(plan, outcomes);
    prevalence(&mut svg, &times, outcomes);
    incidence(&mut svg, &times, outcomes);
    health(&mut svg, &times, outcomes);
    svg.finish()
}

/// What was simulated.
fn setting(plan: &Plan) -> String {
    let p = &plan.parameters;
    let seeds = match plan.replicates {
        1 => format!("seed {}", plan.seed),
        n => format!("{} replicates of seed {}", number(n.into()), plan.seed),
    };
    format!(
        "{} people, {} infected at the start; map of {} × {} units; contact within {} units; {seeds}",
        number(plan.people.into()),
        number(plan.infected.into()),
        number(p.field_width.into()),
        number(p.field_height.into()),
        p.infection_radius,
    )
}

/// What came of it.
fn result(outcomes: &[Outcome]) -> String {
    let spread =
        |figure: &dyn Fn(&Outcome) -> f64| Spread::of(&mut outcomes.iter().map(figure).collect::<Vec<_>>());
    let attack = spread(&|outcome| outcome.cases.attack_rate * 100.0);
    let highest = |o: &Outcome| o.statistics.iter().map(|row| row.infectious).max().unwrap_or_default();
    let peak = spread(&|o| f64::from(o.totals.map_or_else(|| highest(o), |totals| totals.peak_infectious)));
    let cases = spread(&|outcome| outcome.cases.r_case.unwrap_or_default());
    let range = |spread: Spread, digits: usize| {
        let Spread { p5, median, p95, .. } = spread;
        let several = outcomes.len() > 1;
        let rest = if several { format!(" ({p5:.digits$}\u{2013}{p95:.digits$})") } else { String::new() };
        format!("{median:.digits$}{rest}")
    };
    format!(
        "Attack rate {} %, peak {} infectious, {} infected by each first case{}",
        range(attack, 1),
        range(peak, 0),
        range(cases, 2),
        if outcomes.len() > 1 { "; median (5th\u{2013}95th percentile)" } else { "" },
    )
}

fn heading(svg: &mut Svg, title: &str, plan: &Plan, outcomes: &[Outcome]) {
    let large = Style { size_px: 25.0, color: INK, bold: true, anchor: "start" };
    let medium = Style { size_px: 14.5, color: FAINT_INK, bold: false, anchor: "start" };
    svg.words(LEFT, 46.0, large, title);
    svg.words(LEFT, 73.0, medium, &setting(plan));
    svg.words(LEFT, 94.0, medium, &result(outcomes));
}

fn times_of(plan: &Plan, outcomes: &[Outcome]) -> Times {
    let rows = outcomes.first().map_or(&[][..], |outcome| &outcome.statistics);
    // A resumed run has no row of the tick at which it began; what its first row tells began there.
    let from = plan.first_tick() as f64;
    let to = rows.last().map_or(from + 1.0, |row| row.tick as f64);
    let p = &plan.parameters;
    let clock = Clock { day_s: (p.movement == Movement::Places).then_some(p.day_length) };
    let unit = clock.unit(to - from);
    let marks = scale::time_ticks(from, to, unit).into_iter().map(|mark| mark * unit.seconds).collect();
    Times { scale: Scale { from, to, start_px: LEFT, end_px: RIGHT }, clock, unit, marks }
}

fn frame((top, bottom): (f64, f64)) -> Frame {
    Frame { left: LEFT, right: RIGHT, top, bottom }
}

/// The rows at which lines have points, and their times.
fn sampled(outcomes: &[Outcome]) -> (Vec<usize>, Vec<f64>) {
    let rows = outcomes.first().map_or(&[][..], |outcome| &outcome.statistics);
    let mut points = points(rows.len());
    // A replicate alone shows its peak, even where most rows are left out.
    let peak = (0..rows.len()).rev().max_by_key(|row| rows[*row].infectious);
    if let (1, Some(peak)) = (outcomes.len(), peak) {
        points.extend((!points.contains(&peak)).then_some(peak));
        points.sort_unstable();
    }
    let times = points.iter().map(|row| rows[*row].tick as f64).collect();
    (points, times)
}

fn highest(spreads: &[Spread]) -> f64 {
    spreads.iter().map(|spread| spread.p95).fold(0.0, f64::max)
}

fn prevalence(svg: &mut Svg, times: &Times, outcomes: &[Outcome]) {
    let (rows, at) = sampled(outcomes);
    let spreads = spreads(outcomes, &rows, |row| row.infectious);
    let title = "Prevalence: people infectious at the time";
    let panel = Panel::draw(svg, frame(PREVALENCE), title, times.scale, &times.marks, highest(&spreads));
    let bands = outcomes.len() > 1;
    panel.spread(svg, "prevalence", &at, &spreads, bands, INFECTIOUS);
    if let Some(peak) = (spreads.iter().zip(&at)).rev().max_by(|a, b| a.0.median.total_cmp(&b.0.median)) {
        let what = if bands { "peak of the median:" } else { "peak" };
        mark_peak(svg, &panel, times.unit, *peak.1, peak.0.median, what);
    }
    legend(svg, PREVALENCE.0 + 10.0, INFECTIOUS, bands);
}

fn mark_peak(svg: &mut Svg, panel: &Panel, unit: TimeUnit, time: f64, value: f64, what: &str) {
    let (x, y) = (panel.time.px(time), panel.count.px(value));
    svg.dot(x, y, INFECTIOUS, PAPER);
    let when = (time / unit.seconds * 10.0).round() / 10.0;
    let words = format!("{what} {} at {} {}", number(value), number(when), unit.name);
    let (anchor, shift) = if x > f64::midpoint(LEFT, RIGHT) { ("end", -10.0) } else { ("start", 10.0) };
    svg.words(x + shift, y - 8.0, small(INK, anchor), &words);
}

fn legend(svg: &mut Svg, top: f64, color: &str, bands: bool) {
    svg.line((LEGEND, top), (LEGEND + 26.0, top), color, 2.0);
    svg.words(LEGEND + 36.0, top + 4.5, small(INK, "start"), if bands { "median" } else { "people" });
    if bands {
        svg.rectangle(LEGEND, top + 15.0, 26.0, 16.0, color, OUTER_OPACITY + INNER_OPACITY);
        svg.words(LEGEND + 36.0, top + 27.5, small(INK, "start"), "50 % of replicates");
        svg.rectangle(LEGEND, top + 41.0, 26.0, 16.0, color, OUTER_OPACITY);
        svg.words(LEGEND + 36.0, top + 53.5, small(INK, "start"), "90 % of replicates");
    }
}

fn incidence(svg: &mut Svg, times: &Times, outcomes: &[Outcome]) {
    let span = times.scale.to - times.scale.from;
    let width = times.clock.bin_width(span as u64, BINS_MAX);
    let bins = infections(outcomes, width as usize);
    let title = format!("Incidence: people infected in each {}", times.clock.duration(width));
    let panel = Panel::draw(svg, frame(INCIDENCE), &title, times.scale, &times.marks, highest(&bins));
    // Each bin is a step, from its beginning to its end.
    let edge = |number: usize| times.scale.from + (number as u64 * width) as f64;
    let at: Vec<f64> = (0..bins.len()).flat_map(|number| [edge(number), edge(number + 1)]).collect();
    let steps: Vec<Spread> = bins.iter().flat_map(|bin| [*bin, *bin]).collect();
    let bands = outcomes.len() > 1;
    panel.spread(svg, "incidence", &at, &steps, bands, INCIDENT);
    legend(svg, INCIDENCE.0 + 10.0, INCIDENT, bands);
}

fn health(svg: &mut Svg, times: &Times, outcomes: &[Outcome]) {
    let (rows, at) = sampled(outcomes);
    let total = outcomes.first().and_then(|o| o.statistics.first()).map_or(1, |row| row.total);
    let title = if outcomes.len() > 1 {
        "Everybody, by health: mean of the replicates"
    } else {
        "Everybody, by health"
    };
    let layers: Vec<_> = (LAYERS.iter())
        .map(|(id, words, color, figure)| (*id, *words, *color, means(outcomes, &rows, figure)))
        .filter(|(.., values)| values.iter().any(|value| *value > 0.0))
        .collect();
    let panel = Panel::draw(svg, frame(HEALTH), title, times.scale, &times.marks, total.into());
    let stack: Vec<_> = layers.iter().map(|(id, _, color, values)| (*id, *color, values.clone())).collect();
    panel.stack(svg, &at, &stack);
    let marks: Vec<_> = times.marks.iter().map(|mark| (*mark, number(mark / times.unit.seconds))).collect();
    panel.time_axis(svg, &marks, &times.clock.name_of(times.unit));
    for (row, (_, words, color, _)) in layers.iter().rev().enumerate() {
        let y = HEALTH.0 + 4.0 + row as f64 * 26.0;
        svg.rectangle(LEGEND, y, 26.0, 16.0, color, 0.85);
        svg.words(LEGEND + 36.0, y + 12.5, small(INK, "start"), words);
    }
}
