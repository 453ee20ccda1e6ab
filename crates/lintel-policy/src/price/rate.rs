//! One model's prices, ready to rate usage: every meter's price found once, never during a call.

use std::sync::Arc;

use lintel_types::{Meter, MeterLine, Money, PricePerMillion, Timestamp, Usage};

use super::entry::{Price, PriceEntry};

/// A price for each meter, in the order of [`Meter::ALL`].
type Rates = [Option<PricePerMillion>; Meter::ALL.len()];

/// What a model's meters cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPrices {
    /// The entry's id: scope, model and day, such as `groq/llama-3.1-8b-instant@2024-07-23`.
    pub id: Arc<str>,
    /// Since when.
    pub effective: Timestamp,
    /// Who says so.
    pub source: Arc<str>,
    rates: Rates,
    /// The bound of input tokens and what holds above it.
    long: Option<(u64, Arc<str>, Rates)>,
}

/// What stands in for a meter that has no price of its own. Server-side tools have no stand-in:
/// a token price says nothing about them.
const fn stand_in(meter: Meter) -> Option<Meter> {
    match meter {
        Meter::CacheRead | Meter::CacheWrite5m | Meter::InputAudio | Meter::InputImage => {
            Some(Meter::Input)
        }
        Meter::CacheWrite1h => Some(Meter::CacheWrite5m),
        Meter::Reasoning | Meter::OutputAudio | Meter::OutputImage => Some(Meter::Output),
        Meter::Input | Meter::Output | Meter::WebSearch | Meter::Request => None,
    }
}

/// `own` or what stands in for it, for every meter.
fn rates(own: impl Fn(Meter) -> Option<Price>) -> Rates {
    Meter::ALL.map(|meter| {
        std::iter::successors(Some(meter), |m| stand_in(*m))
            .find_map(&own)
            .map(|price| price.0)
    })
}

impl ModelPrices {
    /// Compiles `entry`.
    pub(super) fn new(id: &str, entry: &PriceEntry) -> Self {
        let own = |meter: Meter| match meter {
            Meter::Input => entry.input,
            Meter::CacheRead => entry.cache_read,
            Meter::CacheWrite5m => entry.cache_write_5m,
            Meter::CacheWrite1h => entry.cache_write_1h,
            Meter::InputAudio => entry.input_audio,
            Meter::InputImage => entry.input_image,
            Meter::Output => entry.output,
            Meter::Reasoning => entry.reasoning,
            Meter::OutputAudio => entry.output_audio,
            Meter::OutputImage => entry.output_image,
            Meter::WebSearch => entry.web_search,
            Meter::Request => entry.request,
        };
        let long = entry.long_context.as_ref().map(|long| {
            let above = rates(|meter| match meter {
                Meter::Input => Some(long.input),
                Meter::CacheRead => long.cache_read,
                Meter::CacheWrite5m => long.cache_write_5m,
                Meter::CacheWrite1h => long.cache_write_1h,
                Meter::Output => Some(long.output),
                // Reasoning is output; other kinds keep a price of their own where they have one.
                Meter::Reasoning => None,
                other => own(other),
            });
            (
                long.above,
                Arc::from(format!("{id}#above={}", long.above)),
                above,
            )
        });
        Self {
            id: Arc::from(id),
            effective: entry.effective.start(),
            source: Arc::from(entry.source.as_str()),
            rates: rates(own),
            long,
        }
    }

    /// The lines and the sum of `usage`: each line quantity × price, rounded once. A meter without a
    /// price makes a line without one, so that it can be seen and rated later.
    pub fn rate(&self, usage: &Usage) -> (Vec<MeterLine>, Money) {
        let (id, rates) = match &self.long {
            Some((above, id, rates)) if usage.input_tokens() > *above => (id, rates),
            _ => (&self.id, &self.rates),
        };
        let line = |(meter, quantity): &(Meter, u64)| {
            let price = find(rates, *meter);
            let cost = price.map_or(Money::ZERO, |p| p.charge(*quantity));
            MeterLine {
                meter: *meter,
                quantity: *quantity,
                price: price.map(|_| Arc::clone(id)),
                cost,
            }
        };
        let lines: Vec<MeterLine> = usage.lines().iter().map(line).collect();
        let sum = lines.iter().map(|l| l.cost).sum();
        (lines, sum)
    }

    /// The price of `meter` for a prompt that isn't long; none when the book has none.
    pub fn rate_of(&self, meter: Meter) -> Option<PricePerMillion> {
        find(&self.rates, meter)
    }
}

fn find(rates: &Rates, meter: Meter) -> Option<PricePerMillion> {
    let at = Meter::ALL.iter().position(|m| *m == meter)?;
    rates.get(at).copied().flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prices(json: &str) -> ModelPrices {
        let json = format!(r#"{{"model":"m","effective":"2025-01-01","source":"s",{json}}}"#);
        ModelPrices::new("m@2025-01-01", &serde_json::from_str(&json).unwrap())
    }

    fn usage(lines: &[(Meter, u64)]) -> Usage {
        let mut usage = Usage::new();
        for (meter, quantity) in lines {
            usage.add(*meter, *quantity);
        }
        usage
    }

    #[test]
    fn absent_meters_have_stand_ins_but_tools_do_not() {
        let p = prices(r#""input":"3","output":"15","cache_write_5m":"3.75""#);
        let of = |m| p.rate_of(m).map(|p| p.to_string());
        assert_eq!(of(Meter::CacheRead).as_deref(), Some("3"));
        assert_eq!(of(Meter::CacheWrite1h).as_deref(), Some("3.75"));
        assert_eq!(of(Meter::Reasoning).as_deref(), Some("15"));
        assert_eq!(of(Meter::WebSearch), None);
        let (lines, sum) = p.rate(&usage(&[(Meter::WebSearch, 2), (Meter::Input, 1_000)]));
        assert_eq!(
            (lines[0].price.as_deref(), lines[0].cost),
            (None, Money::ZERO)
        );
        assert_eq!(
            (lines[1].price.as_deref(), sum.to_string()),
            (Some("m@2025-01-01"), "0.003".into())
        );
    }

    #[test]
    fn a_long_prompt_is_rated_whole_at_the_long_price() {
        let p = prices(
            r#""input":"1.25","cache_read":"0.125","output":"10","long_context":{"above":200000,"input":"2.50","cache_read":"0.25","output":"15"}"#,
        );
        let at = |input, cached| {
            p.rate(&usage(&[
                (Meter::Input, input),
                (Meter::CacheRead, cached),
                (Meter::Reasoning, 1_000_000),
            ]))
        };
        assert_eq!(at(100_000, 100_000).1.to_string(), "10.1375");
        let (lines, sum) = at(100_001, 100_000);
        assert_eq!(lines[0].price.as_deref(), Some("m@2025-01-01#above=200000"));
        assert_eq!(sum.to_string(), "15.2750025");
    }

    proptest! {
        #[test]
        fn the_sum_is_the_sum_of_the_lines(quantities in proptest::collection::vec((0usize..12, 0u64..5_000_000_000), 0..20), nanos in 0u64..100_000_000_000) {
            let price = PricePerMillion::from_nanos(nanos as i64).to_string();
            let p = prices(&format!(r#""input":"{price}","output":"0.123456789""#));
            let u = usage(&quantities.iter().map(|(m, q)| (Meter::ALL[*m], *q)).collect::<Vec<_>>());
            let (lines, sum) = p.rate(&u);
            prop_assert_eq!(lines.len(), u.lines().len());
            prop_assert_eq!(sum, lines.iter().map(|l| l.cost).sum::<Money>());
            for l in &lines {
                let expected = p.rate_of(l.meter).map_or(Money::ZERO, |rate| rate.charge(l.quantity));
                prop_assert_eq!(l.cost, expected);
            }
        }
    }
}
