//! The report as one HTML file that needs nothing else: no script, no font, no network.

use std::fmt::Write as _;

use super::{
    picture::{self, escaped},
    report::{Done, Report},
    table::{back, seconds},
};

/// Light by day, dark by night, as the reader's system says; `file://` needs no more.
const STYLE: &str = include_str!("page.css");

pub(super) fn html(report: &Report) -> String {
    let mut page = Page(String::new());
    let title = format!("Chaos: {} faults, seed {}", report.faults.len(), report.seed);
    page.add(&format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>{STYLE}</style></head><body><main>"
    ));
    page.heading(report);
    page.cards(report);
    page.add("<section><h2>What was broken, and what the visitor saw</h2><div class=\"wide\">");
    page.add(&picture::svg(report));
    page.add("</div></section>");
    page.audits(report);
    page.faults(report);
    page.rest(report);
    page.add("</main></body></html>");
    page.0
}

struct Page(String);

impl Page {
    fn add(&mut self, piece: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "{piece}");
    }

    fn row(&mut self, tag: &str, cells: &[String]) {
        let cells: String = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect();
        self.add(&format!("<tr>{cells}</tr>"));
    }

    fn table(&mut self, title: &str, heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        self.add(&format!("<section><h2>{title}</h2><div class=\"wide\"><table><thead>"));
        self.row("th", &heads.iter().map(|&head| head.to_owned()).collect::<Vec<_>>());
        self.add("</thead><tbody>");
        for row in rows {
            self.row("td", &row);
        }
        self.add("</tbody></table></div></section>");
    }

    fn heading(&mut self, report: &Report) {
        let (class, word) = if report.ok { ("good", "All is well") } else { ("bad", "Something was found") };
        self.add(&format!("<header><p class=\"verdict {class}\">{word}</p><h1>Chaos report</h1><p>"));
        let (scenario, broker) = (escaped(&report.scenario), escaped(&report.broker));
        self.add(&format!(
            "Schedule <b>{scenario}</b>, seed <b>{}</b>: a fleet of {} people, {} devices with a radio, \
             broker {broker}, store {}.</p>",
            report.seed, report.devices, report.nodes, report.store
        ));
        if !report.findings.is_empty() {
            self.add("<ul class=\"findings\">");
            for finding in &report.findings {
                self.add(&format!("<li>{}</li>", escaped(finding)));
            }
            self.add("</ul>");
        }
        for left_out in &report.left_out {
            self.add(&format!("<p class=\"note\">Not here: {}</p>", escaped(left_out)));
        }
        self.add("</header>");
    }

    fn cards(&mut self, report: &Report) {
        let sum = |of: fn(&crate::audit::Verdict) -> u64| -> u64 {
            report.audits.iter().filter_map(|audited| audited.verdict.as_ref()).map(of).sum()
        };
        let cards = [
            ("contacts recorded", sum(|verdict| verdict.recorded).to_string()),
            ("lost", sum(|verdict| verdict.lost).to_string()),
            ("doubled", sum(|verdict| verdict.doubled).to_string()),
            ("wrong", sum(|verdict| verdict.wrong).to_string()),
            ("page away, together", seconds(report.seen.page.down_ms())),
            ("page back after the last fault", seconds(report.page_back_ms)),
        ];
        self.add("<section class=\"cards\">");
        for (name, value) in cards {
            self.add(&format!("<div class=\"card\"><b>{value}</b><span>{name}</span></div>"));
        }
        self.add("</section>");
    }

    fn audits(&mut self, report: &Report) {
        let heads = ["run", "what", "expected", "stored", "lost", "doubled", "wrong", "unknown"];
        let mut rows = Vec::new();
        for audited in &report.audits {
            let Some(verdict) = &audited.verdict else {
                rows.push(vec![audited.name.clone(), audited.why.clone().unwrap_or_default()]);
                continue;
            };
            for row in &verdict.rows {
                let numbers = [row.expected, row.stored, row.lost, row.doubled, row.wrong, row.unknown];
                let names = [audited.name.clone(), row.what.clone()];
                rows.push(names.into_iter().chain(numbers.map(|number| number.to_string())).collect());
            }
        }
        self.table("The audit", &heads, rows);
        for audited in &report.audits {
            let verdict = audited.verdict.as_ref();
            for example in verdict.into_iter().flat_map(|verdict| &verdict.examples) {
                self.add(&format!("<p class=\"note\">{}: {}</p>", audited.name, escaped(example)));
            }
        }
    }

    fn faults(&mut self, report: &Report) {
        let heads = ["", "at", "lasted", "fault", "page back after", "picture back after", "remark"];
        let row = |(number, done): (usize, &Done)| {
            let lasted = done.ended_ms.map_or_else(|| "-".to_owned(), |end| seconds(end - done.began_ms));
            let remark = match &done.failed {
                Some(reason) => format!("not done: {reason}"),
                None => done.note.clone(),
            };
            let (page, picture) = (back(done.page_back_ms), back(done.picture_back_ms));
            let fault = done.event.to_string();
            vec![number.to_string(), seconds(done.began_ms), lasted, fault, page, picture, remark]
        };
        self.table("The faults", &heads, (1..).zip(&report.faults).map(row).collect::<Vec<_>>());
        self.add(
            "<p class=\"note\">Back after: from the fault's end until the visitor saw the page, or the last of the \
             pictures move, again; a dash where nothing had to come back. Faults that overlap share their recoveries.</p>",
        );
    }

    fn rest(&mut self, report: &Report) {
        let rows: Vec<_> =
            report.parts.iter().map(|part| vec![part.name.clone(), part.restarts.to_string()]).collect();
        self.table("The parts", &["part", "started again"], rows);
        if !report.links.is_empty() {
            let row = |link: &super::report::LinkFigures| {
                vec![
                    link.name.clone(),
                    link.connections.to_string(),
                    format!("{:.1} MB", link.bytes as f64 / 1e6),
                ]
            };
            let rows: Vec<_> = report.links.iter().map(row).collect();
            self.table("The links", &["link", "connections", "passed"], rows);
        }
        let row = |group: &super::silence::GroupFigures| {
            let longest = seconds(group.silent_ms);
            vec![group.name.clone(), group.devices.to_string(), longest, group.silent.to_string()]
        };
        let heads = ["group", "senders", "longest silence beyond the faults", "silent for too long"];
        self.table("Who reported", &heads, report.groups.iter().map(row).collect::<Vec<_>>());
        if let Some((passed, lost)) = report.air {
            self.add(&format!(
                "<p class=\"note\">Beacons from group to group: {passed} passed, {lost} lost.</p>"
            ));
        }
        let rejected = report.rejected;
        self.add(&format!("<p class=\"note\">Records that could not be read, set aside: {rejected}.</p>"));
    }
}
