//! Counts a request's tokens by the sandbox's own rule: what `messages` reports as its input, cached tokens included.

use super::super::ask::{self, Refusal};
use super::super::config::SandboxConfig;
use super::super::dialect::{Ids, Plain};
use super::read;

pub(in crate::sandbox) const COUNT_TOKENS: Plain = Plain {
    answer,
    tongue: &super::DIALECT,
};

fn answer(body: &[u8], config: &SandboxConfig, _: &Ids<'_>) -> Result<Vec<u8>, Refusal> {
    let request = ask::object(body)?;
    ask::messages(&request)?;
    let counted = config.input_tokens.unwrap_or(read::input_tokens(&request));
    let tokens = counted.max(config.cached_tokens.unwrap_or(0));
    Ok(format!(r#"{{"input_tokens":{tokens}}}"#).into_bytes())
}
