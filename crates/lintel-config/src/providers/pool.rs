//! A provider's `pool`: lengths of time, and numbers that fit each other.

use std::time::Duration;

use lintel_policy::Period;
use lintel_wire::provider::ProviderPool;

use crate::path::Path;
use crate::peer::PoolSettings;
use crate::problem::Report;

/// What the section at `path` says.
pub(super) fn resolve(
    written: &ProviderPool,
    path: &Path,
    report: &mut Report<'_>,
) -> PoolSettings {
    let usual = PoolSettings::default();
    let mut period = |key: &str, text: &str, usual: Duration| {
        // What is no length of time has been reported by the schema.
        let length = text.parse::<Period>().map_or(usual, |period| period.0);
        if length.is_zero() {
            let text = "must be longer than nothing; `keep: 0` lets each call open a connection of its own";
            report.problem(&path.key(key), text);
        }
        length
    };
    let idle = period("idle", &written.idle, usual.idle);
    let max_age = period("max_age", &written.max_age, usual.max_age);
    let (warm, keep) = (usize::from(written.warm), written.keep as usize);
    if warm > keep {
        let text = format!("{warm} can't be kept open where `keep` allows {keep}");
        report.problem(&path.key("warm"), text);
    }
    PoolSettings {
        warm,
        keep,
        idle,
        max_age,
    }
}
