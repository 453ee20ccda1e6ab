//! What an attempt used: quantities by meter, and whether they can be trusted.

use serde::{Deserialize, Serialize};

/// What is counted. Meters partition a provider's total: no token is in two meters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meter {
    /// Text (and unspecified) input tokens that were not read from or written to a prompt cache.
    Input,
    /// Input tokens read from the provider's prompt cache.
    CacheRead,
    /// Input tokens written to a prompt cache that lives 5 minutes (or the provider's only lifetime).
    #[serde(rename = "cache_write_5m")]
    CacheWrite5m,
    /// Input tokens written to a prompt cache that lives an hour.
    #[serde(rename = "cache_write_1h")]
    CacheWrite1h,
    /// Audio input tokens.
    InputAudio,
    /// Image and video input tokens, where a provider reports them apart.
    InputImage,
    /// Output tokens that the client can see.
    Output,
    /// Output tokens spent on reasoning.
    Reasoning,
    /// Audio output tokens.
    OutputAudio,
    /// Image output tokens.
    OutputImage,
    /// Server-side web searches.
    WebSearch,
    /// Requests, for providers that charge by the call.
    Request,
}

impl Meter {
    /// Every meter, in the order in which reports show them.
    pub const ALL: [Meter; 12] = [
        Meter::Input,
        Meter::CacheRead,
        Meter::CacheWrite5m,
        Meter::CacheWrite1h,
        Meter::InputAudio,
        Meter::InputImage,
        Meter::Output,
        Meter::Reasoning,
        Meter::OutputAudio,
        Meter::OutputImage,
        Meter::WebSearch,
        Meter::Request,
    ];

    /// The name used in configuration, JSON, metrics and the price book.
    pub const fn name(self) -> &'static str {
        match self {
            Meter::Input => "input",
            Meter::CacheRead => "cache_read",
            Meter::CacheWrite5m => "cache_write_5m",
            Meter::CacheWrite1h => "cache_write_1h",
            Meter::InputAudio => "input_audio",
            Meter::InputImage => "input_image",
            Meter::Output => "output",
            Meter::Reasoning => "reasoning",
            Meter::OutputAudio => "output_audio",
            Meter::OutputImage => "output_image",
            Meter::WebSearch => "web_search",
            Meter::Request => "request",
        }
    }

    /// Whether the meter counts input tokens.
    pub const fn is_input(self) -> bool {
        matches!(
            self,
            Meter::Input
                | Meter::CacheRead
                | Meter::CacheWrite5m
                | Meter::CacheWrite1h
                | Meter::InputAudio
                | Meter::InputImage
        )
    }

    /// Whether the meter counts output tokens.
    pub const fn is_output(self) -> bool {
        matches!(
            self,
            Meter::Output | Meter::Reasoning | Meter::OutputAudio | Meter::OutputImage
        )
    }
}

/// The usage of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    lines: Vec<(Meter, u64)>,
    /// The tokens that the provider says it counted in all, where it says so.
    pub reported_total: Option<u64>,
    /// The quantities are our estimate: the provider's numbers never arrived.
    pub estimated: bool,
    /// The provider's numbers contradict each other; they are kept beside the lines.
    pub inconsistent: bool,
}

impl Usage {
    /// Usage of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `quantity` to `meter`; zero quantities make no line.
    pub fn add(&mut self, meter: Meter, quantity: u64) -> &mut Self {
        if quantity == 0 {
            return self;
        }
        match self.lines.iter_mut().find(|(m, _)| *m == meter) {
            Some((_, q)) => *q = q.saturating_add(quantity),
            None => self.lines.push((meter, quantity)),
        }
        self
    }

    /// The quantity of `meter`.
    pub fn get(&self, meter: Meter) -> u64 {
        self.lines
            .iter()
            .find(|(m, _)| *m == meter)
            .map_or(0, |(_, q)| *q)
    }

    /// The lines, each meter once, none zero.
    pub fn lines(&self) -> &[(Meter, u64)] {
        &self.lines
    }

    /// All input tokens, cached ones included.
    pub fn input_tokens(&self) -> u64 {
        self.sum(Meter::is_input)
    }

    /// All output tokens, reasoning included.
    pub fn output_tokens(&self) -> u64 {
        self.sum(Meter::is_output)
    }

    fn sum(&self, which: impl Fn(Meter) -> bool) -> u64 {
        self.lines
            .iter()
            .filter(|(m, _)| which(*m))
            .fold(0, |acc, (_, q)| acc.saturating_add(*q))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_agree_with_json() {
        for meter in Meter::ALL {
            assert_eq!(
                serde_json::to_string(&meter).unwrap(),
                format!("\"{}\"", meter.name())
            );
        }
    }

    #[test]
    fn every_token_is_input_or_output_never_both() {
        for meter in Meter::ALL {
            assert!(!(meter.is_input() && meter.is_output()), "{meter:?}");
        }
    }
}
