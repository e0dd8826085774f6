//! The chart: the gateway's rate in hundredths of the raw component's. Readable on light and on dark ground.

use std::path::Path;

use anyhow::anyhow;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::{Figure, Report};

const WIDTH: u32 = 860;
const ROW: u32 = 30;
/// Seen on white and on black.
const INK: RGBColor = RGBColor(128, 128, 128);
const DOWN: RGBColor = RGBColor(38, 139, 210);
const UP: RGBColor = RGBColor(203, 122, 22);
const LEFT: i32 = 330;
const SCALE: f64 = 4.2;

/// Draws the figures that have a ratio.
pub(crate) fn draw(report: &Report, path: &Path) -> anyhow::Result<()> {
    let figures: Vec<&Figure> = report
        .figures()
        .iter()
        .filter(|figure| figure.ratio.is_some())
        .collect();
    if figures.is_empty() {
        return Ok(());
    }
    let height = (u32::try_from(figures.len())? + 2) * ROW;
    let area = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    let failed = |error: &dyn std::fmt::Display| anyhow!("cannot draw {}: {error}", path.display());
    let style = |anchor| {
        let font = ("sans-serif", 14).into_font();
        font.color(&INK).pos(Pos::new(anchor, VPos::Center))
    };
    let bottom = i32::try_from(height - ROW)?;
    for percent in [0, 20, 40, 60, 80, 100] {
        let x = place(f64::from(percent));
        let line = PathElement::new(vec![(x, 10), (x, bottom)], INK.mix(0.35));
        area.draw(&line).map_err(|error| failed(&error))?;
        let label = Text::new(format!("{percent} %"), (x, bottom + 14), style(HPos::Center));
        area.draw(&label).map_err(|error| failed(&error))?;
    }
    for (n, figure) in figures.into_iter().enumerate() {
        let top = i32::try_from(n)? * i32::try_from(ROW)? + 18;
        let percent = 100.0 * figure.ratio.unwrap_or_default();
        let color = if figure.part == "down" { DOWN } else { UP };
        let what = format!("{}: {}", figure.server.unwrap_or_default(), figure.what);
        let label = Text::new(what, (LEFT - 8, top + 10), style(HPos::Right));
        area.draw(&label).map_err(|error| failed(&error))?;
        let bar = Rectangle::new([(LEFT, top), (place(percent.min(115.0)), top + 20)], color.filled());
        area.draw(&bar).map_err(|error| failed(&error))?;
        let text = format!("{percent:.0} %");
        let label = Text::new(text, (place(percent.min(115.0)) + 6, top + 10), style(HPos::Left));
        area.draw(&label).map_err(|error| failed(&error))?;
    }
    area.present().map_err(|error| failed(&error))
}

#[expect(clippy::cast_possible_truncation, reason = "a place on the chart")]
fn place(percent: f64) -> i32 {
    LEFT + (percent * SCALE) as i32
}
