//! The price book: which entry holds for a model, at a provider, at an instant.
//!
//! Scope decides first (provider, then host, then anywhere), then the name (as it is, then without a
//! trailing snapshot date, then a scope's `*`), then the day. Two entries for the same scope, model and day are refused
//! within one source; a later source replaces the earlier one's.

use std::collections::BTreeMap;
use std::sync::Arc;

use lintel_types::Timestamp;

use super::UnknownModel;
use super::entry::{PriceEntry, PriceFile};
use super::rate::ModelPrices;

/// The list prices that come with Lintel.
const EMBEDDED: &str = include_str!("../../data/prices.json");

/// The model name that stands for every model of a provider or host.
const EVERY: &str = "*";

/// What a call's price is, once the policy for unknown models has been applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Priced {
    /// The book knows, or the policy assumes.
    At(Arc<ModelPrices>),
    /// The book doesn't know, and the policy lets the call pass.
    Unpriced,
    /// The book doesn't know, and the policy refuses.
    Refused,
}

/// Prices that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The text is not a price file.
    #[error("not a price file: {0}")]
    Malformed(String),
    /// Two entries claim the same scope, model and day.
    #[error("two prices for `{id}`: remove one, or give it another `effective` day")]
    Duplicate {
        /// The id that both have.
        id: String,
        /// The place of the second in its list, from 0.
        index: usize,
    },
    /// An entry for every model of every provider: a silent price for the unknown.
    #[error(
        "a price for every model (`*`) needs a `provider` or a `host`; for models without a price there is `unknown_model`"
    )]
    Unbounded {
        /// Its place in its list, from 0.
        index: usize,
    },
    /// An entry names a provider and a host.
    #[error("the price of `{model}` names a provider and a host: a provider's price needs no host")]
    TwoScopes {
        /// The entry's model.
        model: String,
        /// Its place in its list, from 0.
        index: usize,
    },
}

/// One model's prices by the day from which they hold.
type Days = BTreeMap<Timestamp, Arc<ModelPrices>>;

/// The models of one scope.
type Models = BTreeMap<Arc<str>, Days>;

/// Effective-dated prices by scope and model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceBook {
    /// What holds at one configured provider.
    providers: BTreeMap<Arc<str>, Models>,
    /// What holds at one host, whatever its provider is called.
    hosts: BTreeMap<Arc<str>, Models>,
    anywhere: Models,
}

impl PriceBook {
    /// A book without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// The list prices that come with Lintel, each with its source and its day.
    pub fn embedded() -> Result<Self, PriceError> {
        let file: PriceFile =
            serde_json::from_str(EMBEDDED).map_err(|e| PriceError::Malformed(e.to_string()))?;
        let mut book = Self::new();
        book.add(&file.prices)?;
        Ok(book)
    }

    /// Adds a source's entries; they replace earlier sources' for the same scope, model and day.
    /// On an error nothing is added.
    pub fn add(&mut self, entries: &[PriceEntry]) -> Result<(), PriceError> {
        let mut source = Self::new();
        for (index, entry) in entries.iter().enumerate() {
            source.insert(entry, index)?;
        }
        for (name, models) in source.providers {
            join(self.providers.entry(name).or_default(), models);
        }
        for (name, models) in source.hosts {
            join(self.hosts.entry(name).or_default(), models);
        }
        join(&mut self.anywhere, source.anywhere);
        Ok(())
    }

    fn insert(&mut self, entry: &PriceEntry, index: usize) -> Result<(), PriceError> {
        let (models, prefix) = match (&entry.provider, &entry.host) {
            (Some(_), Some(_)) => {
                return Err(PriceError::TwoScopes {
                    model: entry.model.clone(),
                    index,
                });
            }
            (Some(provider), None) => (
                self.providers.entry(provider.as_str().into()).or_default(),
                format!("provider:{provider}/"),
            ),
            (None, Some(host)) => (
                self.hosts.entry(host.as_str().into()).or_default(),
                format!("{host}/"),
            ),
            (None, None) if entry.model == EVERY => return Err(PriceError::Unbounded { index }),
            (None, None) => (&mut self.anywhere, String::new()),
        };
        let id = format!("{prefix}{}@{}", entry.model, entry.effective);
        let prices = Arc::new(ModelPrices::new(&id, entry));
        let days = models.entry(entry.model.as_str().into()).or_default();
        match days.insert(prices.effective, prices) {
            Some(_) => Err(PriceError::Duplicate { id, index }),
            None => Ok(()),
        }
    }

    /// What `model` costs at `at`, at the provider named `provider` whose host row is `host`; none when the book doesn't know.
    pub fn lookup(
        &self,
        provider: &str,
        host: &str,
        model: &str,
        at: Timestamp,
    ) -> Option<Arc<ModelPrices>> {
        let scopes = [
            self.providers.get(provider),
            self.hosts.get(host),
            Some(&self.anywhere),
        ];
        scopes.into_iter().flatten().find_map(|models| {
            let days = names(model).find_map(|name| {
                models
                    .get(name)
                    .filter(|days| days.range(..=at).next().is_some())
            })?;
            days.range(..=at)
                .next_back()
                .map(|(_, prices)| Arc::clone(prices))
        })
    }

    /// What `model` costs at `at`, or what `policy` says when the book doesn't know.
    pub fn priced(
        &self,
        policy: &UnknownModel,
        provider: &str,
        host: &str,
        model: &str,
        at: Timestamp,
    ) -> Priced {
        match (self.lookup(provider, host, model, at), policy) {
            (Some(prices), _) => Priced::At(prices),
            (None, UnknownModel::AllowUnpriced) => Priced::Unpriced,
            (None, UnknownModel::Refuse) => Priced::Refused,
            (None, UnknownModel::Assume(other)) => self
                .lookup(provider, host, other, at)
                .map_or(Priced::Refused, Priced::At),
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        let scoped = self.providers.values().chain(self.hosts.values());
        scoped
            .chain(std::iter::once(&self.anywhere))
            .flat_map(BTreeMap::values)
            .map(BTreeMap::len)
            .sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Adds `more` to `models`; for the same model and day `more` holds.
fn join(models: &mut Models, more: Models) {
    for (model, days) in more {
        models.entry(model).or_default().extend(days);
    }
}

/// The names under which `model` may stand in the book, the longest first: as it is, then cut at
/// each '-' after which only a snapshot's date stands, then [`EVERY`]. `gpt-4o-2024-08-06` is a snapshot of `gpt-4o`;
/// `gpt-4o-audio-preview` and `claude-opus-4-1` (of `claude-opus-4`) are other models with other prices.
fn names(model: &str) -> impl Iterator<Item = &str> {
    let cuts = model
        .rmatch_indices('-')
        .filter_map(|(at, _)| Some((model.get(..at)?, model.get(at + 1..)?)));
    let snapshot_of = cuts
        .filter(|(_, rest)| is_snapshot(rest))
        .map(|(name, _)| name);
    std::iter::once(model)
        .chain(snapshot_of)
        .chain(std::iter::once(EVERY))
}

/// Whether `text` is what vendors append for a dated snapshot: `latest`, or groups of digits that
/// hold at least three in all (`001`, `0613`, `2411`, `20241022`, `2024-08-06`, `08-2024`), none of them a lone digit.
fn is_snapshot(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let groups_ok = text
        .split('-')
        .all(|part| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_digit()));
    text == "latest" || (groups_ok && digits >= 3)
}

#[cfg(test)]
mod tests {
    use lintel_types::Meter;

    use super::*;

    fn entries(json: &str) -> Vec<PriceEntry> {
        serde_json::from_str::<PriceFile>(&format!(r#"{{"prices":[{json}]}}"#))
            .unwrap()
            .prices
    }

    fn entry(scope: &str, model: &str, day: &str, input: &str) -> String {
        format!(
            r#"{{{scope}"model":"{model}","effective":"{day}","source":"s","input":"{input}","output":"1"}}"#
        )
    }

    fn day(text: &str) -> Timestamp {
        text.parse::<super::super::Date>().unwrap().start()
    }

    fn input(
        book: &PriceBook,
        provider: &str,
        host: &str,
        model: &str,
        at: &str,
    ) -> Option<String> {
        book.lookup(provider, host, model, day(at))
            .and_then(|p| p.rate_of(Meter::Input))
            .map(|p| p.to_string())
    }

    #[test]
    fn scope_then_name_then_day() {
        let list = [
            entry("", "m", "2025-01-01", "1"),
            entry("", "m", "2025-06-01", "2"),
            entry("", "m-2025-03-03", "2025-01-01", "3"),
            entry(r#""host":"groq","#, "m", "2025-01-01", "4"),
            entry(r#""provider":"mine","#, "m", "2025-03-01", "5"),
        ];
        let mut book = PriceBook::new();
        book.add(&entries(&list.join(","))).unwrap();
        let check = |provider, host, model, at, expect: Option<&str>| {
            assert_eq!(
                input(&book, provider, host, model, at).as_deref(),
                expect,
                "{provider} {host} {model} {at}"
            );
        };
        check("x", "openai", "m", "2024-12-31", None);
        check("x", "openai", "m", "2025-05-31", Some("1"));
        check("x", "openai", "m", "2025-06-01", Some("2"));
        check("x", "openai", "m-2025-03-03", "2025-06-01", Some("3"));
        check("x", "openai", "m-2025-04-04", "2025-06-01", Some("2"));
        check("x", "groq", "m-latest", "2025-06-01", Some("4"));
        check("mine", "groq", "m", "2025-06-01", Some("5"));
        check("mine", "groq", "m", "2025-02-01", Some("4"));
        check("x", "openai", "m-mini", "2025-06-01", None);
        check("x", "openai", "m-4", "2025-06-01", None);
    }

    #[test]
    fn a_later_source_replaces_a_duplicate_in_one_is_refused() {
        let mut book = PriceBook::new();
        book.add(&entries(&entry("", "m", "2025-01-01", "1")))
            .unwrap();
        book.add(&entries(&entry("", "m", "2025-01-01", "9")))
            .unwrap();
        assert_eq!(
            input(&book, "p", "h", "m", "2025-01-01").as_deref(),
            Some("9")
        );
        let twice = [
            entry("", "m", "2025-01-01", "1"),
            entry("", "m", "2025-01-01", "2"),
        ]
        .join(",");
        let before = book.clone();
        assert_eq!(
            book.add(&entries(&twice)),
            Err(PriceError::Duplicate {
                id: "m@2025-01-01".into(),
                index: 1
            })
        );
        assert_eq!(book, before);
        let both = entries(&entry(
            r#""provider":"p","host":"h","#,
            "m",
            "2025-01-01",
            "1",
        ));
        assert!(matches!(book.add(&both), Err(PriceError::TwoScopes { .. })));
        assert_eq!(
            book.add(&entries(&entry("", "*", "2025-01-01", "1"))),
            Err(PriceError::Unbounded { index: 0 })
        );
    }

    #[test]
    fn a_star_prices_the_rest_of_its_scope() {
        let mut book = PriceBook::new();
        let list = [
            entry(r#""provider":"local","#, "*", "2025-01-01", "0"),
            entry(r#""provider":"local","#, "big", "2025-01-01", "7"),
        ];
        book.add(&entries(&list.join(","))).unwrap();
        assert_eq!(
            input(&book, "local", "h", "small", "2025-01-01").as_deref(),
            Some("0")
        );
        assert_eq!(
            input(&book, "local", "h", "big-2025-01-01", "2025-01-01").as_deref(),
            Some("7")
        );
        assert_eq!(input(&book, "other", "h", "small", "2025-01-01"), None);
    }

    #[test]
    fn the_policy_speaks_only_when_the_book_is_silent() {
        let mut book = PriceBook::new();
        book.add(&entries(&entry("", "m", "2025-01-01", "1")))
            .unwrap();
        let ask =
            |policy: &UnknownModel, model| book.priced(policy, "p", "h", model, day("2025-01-01"));
        let known = Priced::At(book.lookup("p", "h", "m", day("2025-01-01")).unwrap());
        assert_eq!(ask(&UnknownModel::Refuse, "m"), known);
        assert_eq!(ask(&UnknownModel::Refuse, "x"), Priced::Refused);
        assert_eq!(ask(&UnknownModel::AllowUnpriced, "x"), Priced::Unpriced);
        assert_eq!(ask(&UnknownModel::Assume("m".into()), "x"), known);
        assert_eq!(ask(&UnknownModel::Assume("y".into()), "x"), Priced::Refused);
    }

    #[test]
    fn snapshots_are_dates_only() {
        for yes in [
            "2024-08-06",
            "20241022",
            "0613",
            "2411",
            "001",
            "08-2024",
            "latest",
            "05-20",
        ] {
            assert!(is_snapshot(yes), "{yes}");
        }
        for no in [
            "1",
            "4",
            "10",
            "4-1",
            "mini",
            "audio-preview",
            "preview-2024-12-17",
            "32k",
            "",
        ] {
            assert!(!is_snapshot(no), "{no}");
        }
    }

    #[test]
    fn the_embedded_book_is_sound() {
        let file: PriceFile = serde_json::from_str(EMBEDDED).unwrap();
        let book = PriceBook::embedded().unwrap();
        assert_eq!(book.len(), file.prices.len());
        for entry in &file.prices {
            let prices = ModelPrices::new("x", entry);
            let (input, output) = (prices.rate_of(Meter::Input), prices.rate_of(Meter::Output));
            // An embedding has no output to charge for; its input is priced as any other.
            let writes = !entry.model.contains("embed");
            assert!(
                input.is_some() && output.is_some() == writes,
                "{}: input and output are required of list prices",
                entry.model
            );
            assert!(
                !writes || input <= output,
                "{}: output is never cheaper than input",
                entry.model
            );
            assert!(
                prices.rate_of(Meter::CacheRead) <= input,
                "{}: a cache read is never dearer than input",
                entry.model
            );
            assert!(
                prices.rate_of(Meter::CacheWrite1h) >= prices.rate_of(Meter::CacheWrite5m),
                "{}: an hour in the cache is never cheaper than five minutes",
                entry.model
            );
            if let Some(long) = &entry.long_context {
                assert!(
                    input <= Some(long.input.0) && output <= Some(long.output.0),
                    "{}: a long prompt is never cheaper",
                    entry.model
                );
            }
            assert!(
                entry.source.starts_with("https://") || entry.source == "lintel",
                "{}: {}",
                entry.model,
                entry.source
            );
            assert!(
                entry.host.is_none() || entry.provider.is_none(),
                "{}",
                entry.model
            );
        }
        let now = "2026-11-24";
        for (host, model, expect) in [
            ("openai", "gpt-4o-mini-2024-07-18", "0.15"),
            ("openai", "gpt-4o", "2.5"),
            ("openai", "text-embedding-3-small", "0.02"),
            ("anthropic", "claude-sonnet-4-5-20250929", "3"),
            ("anthropic", "claude-3-5-haiku-latest", "0.8"),
            ("google", "gemini-2.5-pro", "1.25"),
            ("openrouter", "gpt-4o-2024-08-06", "2.5"),
            ("azure", "gpt-4.1-2025-04-14", "2"),
            ("vertex", "gemini-3.5-flash", "1.5"),
            ("moonshotai", "kimi-k3", "3"),
            ("openrouter", "anthropic/claude-sonnet-5.5", "2"),
            (
                "bedrock",
                "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "3",
            ),
            (
                "bedrock",
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "3.3",
            ),
            ("bedrock", "eu.deepseek.v3.2", "0.74"),
            ("sandbox", "lat=60ms", "1"),
        ] {
            assert_eq!(
                input(&book, "p", host, model, now).as_deref(),
                Some(expect),
                "{host} {model}"
            );
        }
        // What the name alone leaves open has no price: a region, an account's own profile, a router's choice.
        for (host, model) in [
            ("openai", "gpt-4o-realtime-preview"),
            ("bedrock", "anthropic.claude-sonnet-5"),
            (
                "bedrock",
                "arn:aws:bedrock:eu-west-1:1:application-inference-profile/a",
            ),
            ("huggingface", "openai/gpt-oss-120b"),
        ] {
            assert_eq!(input(&book, "p", host, model, now), None, "{host} {model}");
        }
    }
}
