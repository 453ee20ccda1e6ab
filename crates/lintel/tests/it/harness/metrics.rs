//! `/metrics`, read as OpenMetrics text: samples by name and labels.

use std::collections::BTreeMap;

use crate::harness::client::{Client, Request};
use crate::harness::process::Lintel;

/// One reading.
#[derive(Debug)]
pub(crate) struct Metrics(Vec<Sample>);

#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Metrics {
    /// Reads them now.
    pub(crate) fn of(lintel: &Lintel) -> Metrics {
        let reply = Client::connect(lintel.admin)
            .call(&Request::new("GET", "/metrics").header("connection", "close"));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let text = reply.text();
        assert!(
            text.ends_with("# EOF\n"),
            "OpenMetrics text ends with its mark: {:?}",
            &text[text.len().saturating_sub(40)..]
        );
        Metrics(
            text.lines()
                .filter(|l| !l.starts_with('#'))
                .map(parse)
                .collect(),
        )
    }

    /// The sum of the samples `name` whose labels include `labels`.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let fits = |s: &&Sample| {
            s.name == name
                && labels
                    .iter()
                    .all(|(n, v)| s.labels.get(*n).is_some_and(|is| is == v))
        };
        self.0.iter().filter(fits).map(|s| s.value).sum()
    }

    /// Exchanges that are running.
    pub(crate) fn in_flight(&self) -> f64 {
        self.sum("lintel_in_flight", &[])
    }

    /// Bytes of bodies that are held.
    pub(crate) fn in_flight_bytes(&self) -> f64 {
        self.sum("lintel_in_flight_bytes", &[])
    }

    /// Calls that have ended, with these labels.
    pub(crate) fn calls(&self, labels: &[(&str, &str)]) -> f64 {
        self.sum("lintel_requests_total", labels)
    }
}

/// `name{label="value",…} value [timestamp]`, with exemplars cut off.
fn parse(line: &str) -> Sample {
    let line = line.split(" # ").next().unwrap();
    let (series, rest) = match line.rfind('}') {
        Some(at) => line.split_at(at + 1),
        None => line.split_at(line.find(' ').unwrap()),
    };
    let value = rest
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap_or_else(|_| panic!("not a sample: {line}"));
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels
        .trim_end_matches('}')
        .split("\",")
        .filter(|l| !l.is_empty())
        .map(|pair| {
            let (n, v) = pair
                .split_once("=\"")
                .unwrap_or_else(|| panic!("not a label: {line}"));
            (n.to_owned(), v.trim_end_matches('"').to_owned())
        });
    Sample {
        name: name.to_owned(),
        labels: labels.collect(),
        value,
    }
}
