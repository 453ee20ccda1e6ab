//! A route: the model name that clients use, and the tiers of targets behind it.
//!
//! `…Config` is what stands in the file; [`Route`] is what an exchange sees: every default filled in,
//! every provider resolved, every text that a plan shows made once. A route never holds an empty tier.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Period;

/// A route as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// Groups of targets, tried in order.
    #[schemars(length(min = 1))]
    pub tiers: Vec<TierConfig>,
    /// The longest that a whole exchange may last, streams and retries included.
    #[serde(default = "ten_minutes")]
    pub deadline: Period,
    /// The longest that connecting to a target may take, TLS included.
    #[serde(default = "five_seconds")]
    pub connect: Period,
    /// The longest from sending an attempt to its first content; of an answer that isn't streamed, to its first byte.
    #[serde(default = "five_minutes")]
    pub first_token: Period,
    /// The longest silence inside an answer.
    #[serde(default = "two_minutes")]
    pub idle: Period,
    /// The longest that one attempt may last.
    #[serde(default = "ten_minutes")]
    pub per_attempt: Period,
    /// How many attempts one exchange may make in all.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 16))]
    pub attempts: u8,
    /// What happens upstream when the client hangs up.
    #[serde(default)]
    pub on_disconnect: OnDisconnectConfig,
    /// What happens when a target of another protocol can't be told something of the request: `drop` leaves it out and names
    /// it in `x-lintel-dropped`, `refuse` leaves the target for the next one.
    #[serde(default)]
    pub unsupported: Unsupported,
    /// `none` declares that content of this route may pass uninspected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guards: Option<GuardsConfig>,
}

/// Targets that stand in for each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TierConfig {
    /// The targets; which one is tried first is drawn by weight.
    #[schemars(length(min = 1))]
    pub targets: Vec<TargetConfig>,
}

/// A model at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// The name of a declared provider.
    #[schemars(length(min = 1))]
    pub provider: String,
    /// The model's name at that provider.
    #[schemars(length(min = 1))]
    pub model: String,
    /// Its share among the targets of its tier.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub weight: u32,
}

/// What happens upstream when the client hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDisconnectConfig {
    /// The attempt is cancelled.
    #[default]
    Cancel,
    /// The answer is read on for this long, so that its usage is known exactly.
    Drain(Period),
}

/// What happens when a target of another protocol can't be told something of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unsupported {
    /// It is left out, and named.
    #[default]
    Drop,
    /// The target is left for the next one; without one the call is refused, and the place named.
    Refuse,
}

/// A declaration about guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuardsConfig {
    /// Content may pass uninspected.
    None,
}

fn ten_minutes() -> Period {
    Period(Duration::from_secs(600))
}

/// Long, because an answer that isn't streamed starts only when it is finished, and reasoning models
/// take minutes: a short default would pay twice for the slowest calls.
fn five_minutes() -> Period {
    Period(Duration::from_secs(300))
}

fn two_minutes() -> Period {
    Period(Duration::from_secs(120))
}

fn five_seconds() -> Period {
    Period(Duration::from_secs(5))
}

fn three() -> u8 {
    3
}

fn one() -> u32 {
    1
}

impl RouteConfig {
    /// A route over `tiers` with every default.
    pub fn over(tiers: Vec<TierConfig>) -> Self {
        Self {
            tiers,
            deadline: ten_minutes(),
            connect: five_seconds(),
            first_token: five_minutes(),
            idle: two_minutes(),
            per_attempt: ten_minutes(),
            attempts: three(),
            on_disconnect: OnDisconnectConfig::default(),
            unsupported: Unsupported::default(),
            guards: None,
        }
    }
}

/// What happens upstream when the client hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDisconnect {
    /// The attempt is cancelled.
    Cancel,
    /// The answer is read on for at most this long.
    Drain(Duration),
}

/// Whether content must be seen by guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inspection {
    /// Every byte goes through the guards.
    Inspected,
    /// The route's configuration declares `guards: none`; only then may bytes pass unseen.
    Uninspected,
}

/// A compiled route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The name that clients use.
    pub name: Arc<str>,
    /// Never empty, no tier empty.
    pub tiers: Vec<Tier>,
    /// Bound of the whole exchange.
    pub deadline: Duration,
    /// Bound of connecting, per attempt.
    pub connect: Duration,
    /// Bound of the wait for content, per attempt.
    pub first_token: Duration,
    /// Bound of a silence, per attempt.
    pub idle: Duration,
    /// Bound of an attempt.
    pub per_attempt: Duration,
    /// Bound of the number of attempts, at least 1.
    pub attempts: u8,
    /// What happens upstream when the client hangs up.
    pub on_disconnect: OnDisconnect,
    /// What happens to what a target can't be told.
    pub unsupported: Unsupported,
    /// Whether content must be seen by guards.
    pub inspection: Inspection,
}

/// Targets that stand in for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// Never empty.
    pub targets: Vec<Arc<Target>>,
}

/// A model at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The provider's name.
    pub provider: Arc<str>,
    /// Its place in the snapshot's list of providers.
    pub provider_index: usize,
    /// The model's name there.
    pub model: Arc<str>,
    /// Its share in its tier.
    pub weight: u32,
    /// What a plan says when it first names this target. Made once, because a plan is made for every exchange.
    pub reason: Arc<str>,
    /// What a plan says when it names this target again.
    pub reason_again: Arc<str>,
}

/// A route whose configuration can't be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRoute {
    /// A target names a provider that doesn't exist.
    #[error("no provider is called `{0}`")]
    UnknownProvider(String),
    /// There is no tier, or a tier without targets.
    #[error("a route needs at least one tier, and every tier at least one target")]
    Empty,
}

impl Route {
    /// Compiles `config`. `provider` finds a provider's interned name and its place in the snapshot.
    pub fn new(
        name: Arc<str>,
        config: &RouteConfig,
        provider: impl Fn(&str) -> Option<(Arc<str>, usize)>,
    ) -> Result<Self, BadRoute> {
        let mut tiers = Vec::with_capacity(config.tiers.len());
        for (i, tier) in config.tiers.iter().enumerate() {
            tiers.push(compile_tier(tier, i + 1, config.tiers.len(), &provider)?);
        }
        if tiers.is_empty() {
            return Err(BadRoute::Empty);
        }
        Ok(Self {
            name,
            tiers,
            deadline: config.deadline.0,
            connect: config.connect.0,
            first_token: config.first_token.0,
            idle: config.idle.0,
            per_attempt: config.per_attempt.0,
            attempts: config.attempts.max(1),
            unsupported: config.unsupported,
            on_disconnect: match config.on_disconnect {
                OnDisconnectConfig::Cancel => OnDisconnect::Cancel,
                OnDisconnectConfig::Drain(for_at_most) => OnDisconnect::Drain(for_at_most.0),
            },
            inspection: match config.guards {
                None => Inspection::Inspected,
                Some(GuardsConfig::None) => Inspection::Uninspected,
            },
        })
    }

    /// The route of a direct `provider/model` call: one target, every default.
    pub fn direct(name: Arc<str>, provider: Arc<str>, provider_index: usize, model: &str) -> Self {
        let reason: Arc<str> = Arc::from("named by the caller");
        let target = Target {
            provider,
            provider_index,
            model: Arc::from(model),
            weight: one(),
            reason_again: Arc::from("named by the caller, again"),
            reason,
        };
        Self {
            name,
            tiers: vec![Tier {
                targets: vec![Arc::new(target)],
            }],
            deadline: ten_minutes().0,
            connect: five_seconds().0,
            first_token: five_minutes().0,
            idle: two_minutes().0,
            per_attempt: ten_minutes().0,
            attempts: three(),
            on_disconnect: OnDisconnect::Cancel,
            unsupported: Unsupported::Drop,
            inspection: Inspection::Inspected,
        }
    }

    /// How many targets stand behind the route, over all tiers.
    pub fn target_count(&self) -> usize {
        self.tiers.iter().map(|tier| tier.targets.len()).sum()
    }
}

/// One tier with its texts. `ordinal` counts from 1.
fn compile_tier(
    config: &TierConfig,
    ordinal: usize,
    tiers: usize,
    provider: &impl Fn(&str) -> Option<(Arc<str>, usize)>,
) -> Result<Tier, BadRoute> {
    if config.targets.is_empty() {
        return Err(BadRoute::Empty);
    }
    let whole: u64 = config.targets.iter().map(|t| u64::from(t.weight)).sum();
    let compile = |target: &TargetConfig| {
        let (name, index) = provider(&target.provider)
            .ok_or_else(|| BadRoute::UnknownProvider(target.provider.clone()))?;
        let reason = match config.targets.len() {
            1 => format!("tier {ordinal} of {tiers}: its only target"),
            _ => format!(
                "tier {ordinal} of {tiers}: drawn by weight {} of {whole}",
                target.weight
            ),
        };
        Ok(Arc::new(Target {
            provider: name,
            provider_index: index,
            model: Arc::from(target.model.as_str()),
            weight: target.weight,
            reason_again: Arc::from(format!("{reason}, again")),
            reason: Arc::from(reason),
        }))
    };
    let targets = config
        .targets
        .iter()
        .map(compile)
        .collect::<Result<_, BadRoute>>()?;
    Ok(Tier { targets })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str) -> Option<(Arc<str>, usize)> {
        ["a", "b"]
            .iter()
            .position(|p| *p == name)
            .map(|i| (Arc::from(name), i))
    }

    fn target(provider: &str) -> TargetConfig {
        TargetConfig {
            provider: provider.into(),
            model: "m".into(),
            weight: 1,
        }
    }

    #[test]
    fn fills_in_defaults_and_resolves_providers() {
        let config: RouteConfig = serde_json::from_str(
            r#"{"tiers":[{"targets":[{"provider":"b","model":"m","weight":3},{"provider":"a","model":"m"}]}],"on_disconnect":{"drain":"10s"},"guards":"none"}"#,
        )
        .unwrap();
        let route = Route::new("chat".into(), &config, find).unwrap();
        assert_eq!(route.deadline, Duration::from_secs(600));
        assert_eq!(
            route.on_disconnect,
            OnDisconnect::Drain(Duration::from_secs(10))
        );
        assert_eq!(route.inspection, Inspection::Uninspected);
        assert_eq!(route.tiers[0].targets[0].provider_index, 1);
        assert_eq!(
            &*route.tiers[0].targets[0].reason,
            "tier 1 of 1: drawn by weight 3 of 4"
        );
    }

    #[test]
    fn refuses_unknown_providers_unknown_fields_and_emptiness() {
        let strange = RouteConfig::over(vec![TierConfig {
            targets: vec![target("c")],
        }]);
        assert_eq!(
            Route::new("r".into(), &strange, find),
            Err(BadRoute::UnknownProvider("c".into()))
        );
        for empty in [vec![], vec![TierConfig { targets: vec![] }]] {
            assert_eq!(
                Route::new("r".into(), &RouteConfig::over(empty), find),
                Err(BadRoute::Empty)
            );
        }
        assert!(serde_json::from_str::<RouteConfig>(r#"{"tiers":[],"retries":2}"#).is_err());
    }

    #[test]
    fn every_way_to_a_default_gives_the_same() {
        let written: RouteConfig =
            serde_json::from_str(r#"{"tiers":[{"targets":[{"provider":"a","model":"m"}]}]}"#)
                .unwrap();
        assert_eq!(
            written,
            RouteConfig::over(vec![TierConfig {
                targets: vec![target("a")]
            }])
        );
        let route = Route::new("a/m".into(), &written, find).unwrap();
        let direct = Route::direct("a/m".into(), "a".into(), 0, "m");
        let only = |r: &Route| {
            (
                r.tiers[0].targets[0].provider.clone(),
                r.tiers[0].targets[0].provider_index,
                r.tiers[0].targets[0].model.clone(),
            )
        };
        assert_eq!(only(&route), only(&direct));
        assert_eq!(
            Route {
                tiers: vec![],
                ..route
            },
            Route {
                tiers: vec![],
                ..direct
            }
        );
    }
}
