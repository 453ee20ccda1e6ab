//! The price book of a configuration: the list prices that come with Lintel, and the operator's files above them.

use std::path::{Path as FilePath, PathBuf};

use lintel_policy::{PriceBook, PriceError, PriceFile, UnknownModel};
use lintel_types::Timestamp;

use crate::decode::decode;
use crate::document::Document;
use crate::path::Path;
use crate::problem::{Problem, Report};
use crate::providers::Sources;
use crate::raw::PricesConfig;
use crate::schema::price_file_schema;
use crate::shape;

/// Builds the book. Problems inside a price file are reported with that file's name and lines.
pub(crate) fn resolve(
    raw: &PricesConfig,
    beside: &FilePath,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> PriceBook {
    let root = Path::of(&["prices"]);
    let mut book = match PriceBook::embedded() {
        Ok(book) => book,
        Err(why) => {
            report.problem(
                &root,
                format!("the list prices of this build are damaged: {why}"),
            );
            PriceBook::new()
        }
    };
    for (i, file) in raw.files.iter().enumerate() {
        let place: PathBuf = beside.join(file);
        match (sources.read)(&place) {
            Ok(text) => {
                report
                    .problems
                    .extend(add_file(&mut book, &text, &place.display().to_string()))
            }
            Err(e) => report.problem(
                &root.key("files").index(i),
                format!("can't read {}: {e}", place.display()),
            ),
        }
    }
    if let UnknownModel::Assume(model) = &raw.unknown_model
        && !knows(&book, "", "", model)
    {
        let at = root.key("unknown_model").key("assume");
        report.problem(&at, format!("the price book doesn't know `{model}`: assume a model that it knows, or add its price to a file of `prices.files`"));
    }
    book
}

/// Whether the book has a price for `model` there, on whatever day.
pub(crate) fn knows(book: &PriceBook, provider: &str, host: &str, model: &str) -> bool {
    book.lookup(provider, host, model, Timestamp::from_micros(i64::MAX))
        .is_some()
}

/// Adds one file's prices, all or none.
fn add_file(book: &mut PriceBook, text: &str, origin: &str) -> Vec<Problem> {
    let mut document = match Document::parse(text, origin) {
        Ok(document) => document,
        Err(problems) => return problems,
    };
    let mut value = std::mem::take(&mut document.value);
    let mut report = Report::new(origin, &document);
    let usable = shape::check(&price_file_schema(), &mut value, &mut report);
    let file: Option<PriceFile> = if usable {
        decode(value, &Path::default(), &mut report)
    } else {
        None
    };
    if let (Some(file), true) = (file, report.problems.is_empty())
        && let Err(why) = book.add(&file.prices)
    {
        let at = match &why {
            PriceError::Duplicate { index, .. }
            | PriceError::TwoScopes { index, .. }
            | PriceError::Unbounded { index } => Path::of(&["prices"]).index(*index),
            PriceError::Malformed(_) => Path::default(),
        };
        report.problem(&at, why);
    }
    report.problems
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lintel_wire::hosts::HOSTS;

    use super::*;

    /// A model of today for each row that a key in the environment sets up.
    const CURRENT: &[(&str, &str)] = &[
        ("openai", "gpt-6.1-sol"),
        ("anthropic", "claude-sonnet-5-5"),
        ("azure", "gpt-6.1-sol"),
        ("gemini", "gemini-3.8-flash"),
        ("google", "gemini-3.8-flash"),
        ("groq", "openai/gpt-oss-120b"),
        ("mistral", "mistral-large-4"),
        ("deepseek", "deepseek-chat"),
        ("xai", "grok-4.7"),
        ("openrouter", "anthropic/claude-sonnet-5.5"),
        ("perplexity", "pplx-embed-v1-4b"),
        ("cerebras", "gpt-oss-120b"),
        ("together", "zai-org/GLM-5.3"),
        ("fireworks", "accounts/fireworks/models/glm-5p3"),
        ("moonshotai", "kimi-k3"),
        ("alibaba", "qwen3.8-max"),
        ("zai", "glm-5.3"),
        ("huggingface", "moonshotai/Kimi-K3:together"),
        ("snowflake", "claude-sonnet-4-5"),
        ("bedrock", "eu.anthropic.claude-sonnet-5-5"),
    ];

    /// Rows without a list price: Heroku sells by plan, and no list of Crusoe's prices names its source.
    const UNPRICED: &[&str] = &["heroku", "crusoe"];

    #[test]
    fn every_row_that_a_key_sets_up_has_a_priced_model() {
        let book = PriceBook::embedded().unwrap();
        let with_key: BTreeSet<_> = HOSTS
            .iter()
            .filter(|h| h.env.is_some())
            .map(|h| h.name)
            .collect();
        let told: BTreeSet<_> = CURRENT
            .iter()
            .map(|(host, _)| *host)
            .chain(UNPRICED.iter().copied())
            .collect();
        assert_eq!(with_key, told);
        for (host, model) in CURRENT {
            assert!(knows(&book, "p", host, model), "{host} {model}");
        }
    }

    #[test]
    fn every_list_price_is_of_a_known_row() {
        let text = include_str!("../../lintel-policy/data/prices.json");
        let file: PriceFile = serde_json::from_str(text).unwrap();
        for host in file.prices.iter().filter_map(|p| p.host.as_deref()) {
            let known = HOSTS.iter().any(|h| h.name == host) || host == "sandbox";
            assert!(known, "{host}");
        }
    }
}
