//! The chart of the report: a bar for each scenario and side, as SVG that is readable on light and on dark pages.

use std::fmt::Write as _;

use crate::value::Value;

/// Pixels.
const WIDTH: f64 = 800.0;
const LABELS: f64 = 310.0;
const FIGURES: f64 = 70.0;
const BAR: f64 = 13.0;
const GAP: f64 = 10.0;
const TOP: f64 = 34.0;

/// The bars' colours, one for each side.
const COLOURS: [&str; 5] = ["#2f9e6e", "#8a94a6", "#b7a97a", "#5b8bd0", "#c9876a"];

/// A line of the chart: its name, and one value for each side.
pub(crate) type Line = (String, Vec<Value>);

/// A chart of these lines; `sides` are the names in the legend.
pub(crate) fn svg(sides: &[&str], lines: &[Line]) -> String {
    let most = lines.iter().flat_map(|(_, values)| values);
    let most = most.map(|value| value.number()).fold(0.0, f64::max);
    let row = BAR * sides.len() as f64 + GAP;
    let height = TOP + row * lines.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\" fill=\"#808890\">\n"
    );
    let mut x = 0.0;
    for (index, side) in sides.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        put(&mut svg, &rectangle(x, 6.0, 10.0, 10.0, colour));
        put(&mut svg, &label(x + 15.0, 15.0, "start", side));
        x += 32.0 + 6.2 * side.len() as f64;
    }
    for (index, (name, values)) in lines.iter().enumerate() {
        let top = TOP + row * index as f64;
        let middle = top + BAR * sides.len() as f64 / 2.0 + 4.0;
        put(&mut svg, &label(LABELS - 10.0, middle, "end", name));
        for (index, value) in values.iter().enumerate() {
            let y = top + BAR * index as f64;
            let width = (WIDTH - LABELS - FIGURES) * value.number().max(0.0) / most;
            let colour = COLOURS[index % COLOURS.len()];
            put(
                &mut svg,
                &rectangle(LABELS, y, width.max(1.0), BAR - 2.0, colour),
            );
            let figure = value.to_string();
            put(
                &mut svg,
                &label(LABELS + width + 5.0, y + 9.5, "start", &figure),
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn put(svg: &mut String, element: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "  {element}");
}

fn rectangle(x: f64, y: f64, width: f64, height: f64, colour: &str) -> String {
    format!(
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\" fill=\"{colour}\"/>"
    )
}

fn label(x: f64, y: f64, anchor: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_chart() {
        let lines = [
            (
                "first".to_owned(),
                vec![Value::Seconds(20.0), Value::Seconds(40.0)],
            ),
            (
                "a < b".to_owned(),
                vec![Value::Seconds(2.0), Value::Seconds(4.0)],
            ),
        ];
        let svg = svg(&["ours", "theirs"], &lines);
        let full = WIDTH - LABELS - FIGURES;
        for width in [full, full / 2.0, full / 20.0, full / 10.0] {
            assert!(
                svg.contains(&format!(" width=\"{width:.1}\"")),
                "{width}\n{svg}"
            );
        }
        assert!(
            svg.contains(">a &lt; b<") && svg.contains(">40.00 s<"),
            "{svg}"
        );
        assert_eq!(svg.matches("<rect").count(), 6);
    }
}
