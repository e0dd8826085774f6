//! What was found: a table to read, JSON to keep.

use std::fmt::Write as _;

use serde::Serialize;

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// The server, where one takes part.
    pub(crate) server: Option<&'static str>,
    /// Which measurement: `down`, `up`, `latency`, …
    pub(crate) part: &'static str,
    /// What was measured.
    pub(crate) what: String,
    /// Clients in the room, where that matters.
    pub(crate) clients: Option<usize>,
    /// What the raw component came to: the median of the runs.
    pub(crate) raw: Option<f64>,
    /// What the gateway came to: the median of the runs.
    pub(crate) gateway: f64,
    /// Of both.
    pub(crate) unit: &'static str,
    /// The median of the runs' own ratios.
    pub(crate) ratio: Option<f64>,
}

impl Figure {
    /// A figure of the gateway alone.
    pub(crate) fn of(part: &'static str, what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            server: None,
            part,
            what: what.into(),
            clients: None,
            raw: None,
            gateway: value,
            unit,
            ratio: None,
        }
    }

    /// Measured with that server.
    pub(crate) fn on(self, server: &'static str) -> Self {
        Self {
            server: Some(server),
            ..self
        }
    }

    /// Measured with so many clients.
    pub(crate) fn with_clients(self, clients: usize) -> Self {
        Self {
            clients: Some(clients),
            ..self
        }
    }

    /// Beside what the raw component came to.
    pub(crate) fn beside(self, raw: f64) -> Self {
        Self { raw: Some(raw), ..self }
    }

    fn cells(&self) -> [String; 5] {
        [
            self.server.unwrap_or("–").to_owned(),
            self.what.clone(),
            self.raw.map(|raw| number(raw, self.unit)).unwrap_or_default(),
            number(self.gateway, self.unit),
            self.ratio
                .map(|ratio| format!("{:.0} %", 100.0 * ratio))
                .unwrap_or_default(),
        ]
    }
}

fn number(value: f64, unit: &str) -> String {
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {unit}")
}

/// All of them, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Figure>);

impl Report {
    /// One more; it is shown at once.
    pub(crate) fn add(&mut self, figure: Figure) {
        let [server, what, raw, gateway, ratio] = figure.cells();
        let raw = if raw.is_empty() { raw } else { format!(" (raw: {raw})") };
        eprintln!("{server}: {what}: {gateway}{raw} {ratio}");
        self.0.push(figure);
    }

    /// The figures.
    pub(crate) fn figures(&self) -> &[Figure] {
        &self.0
    }

    /// As a table in Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from("| server | what | raw component | gateway | ratio |\n|---|---|---|---|---|\n");
        for figure in &self.0 {
            let _ = writeln!(text, "| {} |", figure.cells().join(" | "));
        }
        text
    }
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which that part of them lies.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a list"
)]
pub(crate) fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (part * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
