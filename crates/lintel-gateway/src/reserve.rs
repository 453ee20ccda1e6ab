//! The reserve step: what can this plan cost? A target without a price is an explicit policy, never a silent zero.
//!
//! Budgets will take their reservation here, over the prices found here.

use std::sync::Arc;

use lintel_config::Snapshot;
use lintel_policy::ModelPrices;
use lintel_policy::price::Priced;
use lintel_types::{Error, Kind, Timestamp};

use crate::plan::Candidate;

/// An attempt that may be made at a known price.
pub(crate) struct PricedAttempt {
    pub(crate) candidate: Candidate,
    /// None: the policy lets the model pass unpriced.
    pub(crate) prices: Option<Arc<ModelPrices>>,
}

/// Prices every attempt; what is free needs no price; those whose model has no price drop out where the policy says so.
pub(crate) fn price(
    snapshot: &Snapshot,
    candidates: Vec<Candidate>,
    free: bool,
    now: Timestamp,
) -> Result<Vec<PricedAttempt>, Error> {
    if free {
        let unpriced = |candidate| PricedAttempt {
            candidate,
            prices: None,
        };
        return Ok(candidates.into_iter().map(unpriced).collect());
    }
    let mut unpriced = None;
    let mut priced = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let (provider, model) = (&candidate.provider, &candidate.planned.target.model);
        let prices = match snapshot.prices.priced(
            &snapshot.unknown_model,
            &provider.name,
            provider.host.name,
            model,
            now,
        ) {
            Priced::At(prices) => Some(prices),
            Priced::Unpriced => None,
            Priced::Refused => {
                unpriced = Some(format!("{}/{model}", provider.name));
                continue;
            }
        };
        priced.push(PricedAttempt { candidate, prices });
    }
    match unpriced {
        Some(model) if priced.is_empty() => {
            let text = format!(
                "no price is known for `{model}`: add one to prices.files, or set prices.unknown_model"
            );
            Err(Error::gateway(Kind::Permission, "model_unpriced", text))
        }
        _ => Ok(priced),
    }
}
