//! From a request to a script: read it, decide what to say, let the dialect write it, add what goes wrong.

use std::time::Duration;

use bytes::Bytes;
use lintel_types::Surface;

use super::ask::Refusal;
use super::config::{Pause, Percent, SandboxConfig};
use super::dialect::{self, Dialect, Ids};
use super::dice::{Dice, hash};
use super::errors::{self, Fault};
use super::faults;
use super::name;
use super::openai;
use super::reply::reply;
use super::script::{Script, Step};

/// Whether the simulated provider answers on `surface`.
pub fn speaks(surface: Surface) -> bool {
    dialect::of(surface).is_some() || dialect::plain(surface).is_some()
}

/// The simulated provider's answer to `body`, sent on `surface` for `model`.
///
/// The text, the calls and the usage derive from the request alone. `seed` decides the ids and, where
/// only a share of calls is to fail, whether this one does; a caller that wants the same request
/// always answered alike passes a hash of the body.
pub fn answer(
    surface: Surface,
    config: &SandboxConfig,
    model: &str,
    body: &[u8],
    seed: u64,
) -> Script {
    let plain = dialect::plain(surface);
    // A surface that isn't spoken is planned to no sandbox; asked all the same, it gets the first dialect.
    let dialect = plain
        .map(|p| p.tongue)
        .or_else(|| dialect::of(surface))
        .unwrap_or(&openai::DIALECT);
    let ids = |config: &SandboxConfig| Ids {
        model,
        seed: seed ^ hash(body),
        millis: config.first_token.map_or(0, |p| p.0.as_millis()),
    };
    let config = match name::apply(model, config) {
        Ok(config) => config,
        Err(option) => {
            return refuse(
                dialect,
                &ids(config),
                config,
                &errors::unknown_option(model, option),
            );
        }
    };
    let ids = ids(&config);
    let struck = Dice::new(seed).below(100)
        < usize::from(config.fault_percent.unwrap_or(Percent::ALL).get());
    if let Some(status) = config.error_status.filter(|_| struck) {
        return refuse(dialect, &ids, &config, &errors::of_status(status.get()));
    }
    let faults = struck.then_some(&config);
    let played = match plain {
        Some(plain) => (plain.answer)(body, &config, &ids)
            .map(|whole| faults::whole(whole, 0, &config, faults, || broken(dialect, &ids))),
        None => converse(dialect, body, &config, faults, &ids),
    };
    match played {
        Ok(script) => with_headers(dialect, &ids, script),
        Err(refusal) => refuse(
            dialect,
            &ids,
            &config,
            &errors::bad_request(refusal.param, refusal.message),
        ),
    }
}

/// The answer to a conversation, whole or as a stream.
fn converse(
    dialect: &Dialect,
    body: &[u8],
    config: &SandboxConfig,
    faults: Option<&SandboxConfig>,
    ids: &Ids<'_>,
) -> Result<Script, Refusal> {
    let ask = (dialect.ask)(body)?;
    let reply = reply(&ask, config);
    if ask.stream {
        let events = (dialect.events)(&reply, ids, &ask);
        let error = || (dialect.error_event)(ids);
        return Ok(faults::stream(events, config, faults, error));
    }
    let whole = (dialect.body)(&reply, ids);
    let tokens = u32::try_from(reply.counts.output).unwrap_or(u32::MAX);
    Ok(faults::whole(whole, tokens, config, faults, || {
        broken(dialect, ids)
    }))
}

/// What a whole answer that is an error says.
fn broken(dialect: &Dialect, ids: &Ids<'_>) -> Vec<u8> {
    (dialect.error)(&errors::of_status(500), ids)
}

fn refuse(dialect: &Dialect, ids: &Ids<'_>, config: &SandboxConfig, fault: &Fault) -> Script {
    let mut headers = vec![("content-type", "application/json".to_owned())];
    if fault.status == 429 {
        headers.push(("retry-after", "1".to_owned()));
    }
    let body = Step::Send(Bytes::from((dialect.error)(fault, ids)));
    let steps = wait(config.first_token)
        .into_iter()
        .chain([body, Step::End])
        .collect();
    with_headers(
        dialect,
        ids,
        Script {
            status: fault.status,
            headers,
            stream: false,
            steps,
        },
    )
}

fn with_headers(dialect: &Dialect, ids: &Ids<'_>, mut script: Script) -> Script {
    script.headers.extend((dialect.headers)(ids));
    script
}

/// The step of a pause, none for none.
pub(super) fn wait(pause: Option<Pause>) -> Option<Step> {
    pause
        .map(|p| p.0)
        .filter(|d| *d > Duration::ZERO)
        .map(Step::Wait)
}
