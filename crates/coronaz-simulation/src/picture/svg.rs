//! A picture as SVG text, put together piece by piece.

use std::fmt::Write as _;

/// The picture in the making. Coordinates are in pixels from the upper left corner.
pub(super) struct Svg {
    text: String,
}

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) size_px: f64,
    pub(super) color: &'static str,
    pub(super) bold: bool,
    /// `start`, `middle` or `end` of the text is at its place.
    pub(super) anchor: &'static str,
}

/// The family that is built in; where a viewer has it not, its own will do.
const FONTS: &str = "Inter, 'Helvetica Neue', Arial, sans-serif";

impl Svg {
    /// An empty picture; `title` is what a screen reader says.
    pub(super) fn new(width: f64, height: f64, background: &str, title: &str, description: &str) -> Self {
        let (title, description) = (escaped(title), escaped(description));
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"{FONTS}\">\n\
             <title>{title}</title>\n<desc>{description}</desc>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"{background}\"/>\n"
        );
        Svg { text }
    }

    pub(super) fn words(&mut self, x: f64, y: f64, style: Style, words: &str) {
        let Style { size_px, color, bold, anchor } = style;
        let weight = if bold { 600 } else { 400 };
        let words = escaped(words);
        self.add(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size_px}\" font-weight=\"{weight}\" fill=\"{color}\" \
             text-anchor=\"{anchor}\">{words}</text>"
        ));
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), color: &str, width: f64) {
        self.add(&format!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{color}\" stroke-width=\"{width}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    pub(super) fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64, color: &str, opacity: f64) {
        self.add(&format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{color}\" \
             fill-opacity=\"{opacity}\"/>"
        ));
    }

    pub(super) fn dot(&mut self, x: f64, y: f64, color: &str, rim: &str) {
        self.add(&format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"{color}\" stroke=\"{rim}\" stroke-width=\"2\"/>"
        ));
    }

    /// An open line through these places.
    pub(super) fn curve(&mut self, id: &str, places: &[(f64, f64)], color: &str, width: f64) {
        let path = path_of(places);
        self.add(&format!(
            "<path id=\"{id}\" d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" \
             stroke-linejoin=\"round\" stroke-linecap=\"round\"/>"
        ));
    }

    /// What is between two lines, the second told in the same direction.
    pub(super) fn area(
        &mut self,
        id: &str,
        upper: &[(f64, f64)],
        lower: &[(f64, f64)],
        color: &str,
        opacity: f64,
    ) {
        let rim: Vec<_> = upper.iter().chain(lower.iter().rev()).copied().collect();
        let path = path_of(&rim);
        self.add(&format!(
            "<path id=\"{id}\" d=\"{path}Z\" fill=\"{color}\" fill-opacity=\"{opacity}\" stroke=\"none\"/>"
        ));
    }

    fn add(&mut self, element: &str) {
        self.text.push_str(element);
        self.text.push('\n');
    }

    pub(super) fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }
}

fn path_of(places: &[(f64, f64)]) -> String {
    let mut path = String::with_capacity(places.len() * 14);
    for (at, (x, y)) in places.iter().enumerate() {
        let command = if at == 0 { 'M' } else { 'L' };
        write!(path, "{command}{x:.1} {y:.1}").expect("a string takes every text");
    }
    path
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // Others of this kind may not stand in XML at all.
            character if character.is_control() => safe.push(' '),
            character => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_the_picture() {
        let svg = Svg::new(1.0, 1.0, "#fff", "<script>&\"\u{1}", "");
        assert!(svg.finish().contains("<title>&lt;script&gt;&amp;&quot; </title>"));
    }

    #[test]
    fn an_area_goes_there_above_and_back_below() {
        let mut svg = Svg::new(1.0, 1.0, "#fff", "", "");
        svg.area("band", &[(0.0, 1.0), (2.0, 1.0)], &[(0.0, 5.0), (2.0, 5.0)], "#000", 0.5);
        assert!(svg.finish().contains("d=\"M0.0 1.0L2.0 1.0L2.0 5.0L0.0 5.0Z\""));
    }
}
