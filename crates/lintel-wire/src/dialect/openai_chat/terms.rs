//! What the hosts of this dialect take, where it differs: by the name of their row. It must not know requests.
//!
//! Sources: the hosts' API references. Mistral answers 422 to members that it doesn't know, Groq 400 to the
//! ones listed at <https://console.groq.com/docs/openai>; most others ignore them.

use crate::hosts::Host;

/// How a host takes reasoning back in a message of the assistant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replay {
    /// Not at all.
    Never,
    /// `reasoning_content`, and details beside it.
    Content,
    /// `reasoning`, without details.
    Plain,
    /// `reasoning`, with `reasoning_details`.
    Detailed,
    /// A part of the content, `{"type":"thinking"}`.
    Part,
    /// Only the signature, in `extra_content`.
    Signature,
}

/// Members that a host refuses. `name` is the one of a message.
const REFUSED: &[(&str, &[&str])] = &[
    ("openai", &["top_k"]),
    ("azure", &["top_k"]),
    (
        "mistral",
        &[
            "logit_bias",
            "logprobs",
            "name",
            "prompt_cache_retention",
            "safety_identifier",
            "service_tier",
            "top_k",
            "top_logprobs",
            "user",
            "verbosity",
        ],
    ),
    (
        "groq",
        &[
            "logit_bias",
            "logprobs",
            "name",
            "prompt_cache_key",
            "prompt_cache_retention",
            "safety_identifier",
            "top_k",
            "top_logprobs",
        ],
    ),
];

/// OpenAI's own models, which take nothing that OpenAI's reference doesn't have.
pub(super) fn is_openai(host: &Host) -> bool {
    matches!(host.name, "openai" | "azure")
}

/// The host passes `cache_control` on to models that know it.
pub(super) fn takes_cache_marks(host: &Host) -> bool {
    host.name == "openrouter"
}

/// The host has a `reasoning` object beside `reasoning_effort`.
pub(super) fn has_reasoning_object(host: &Host) -> bool {
    host.name == "openrouter"
}

/// The host takes the member.
pub(super) fn takes(host: &Host, member: &str) -> bool {
    let row = REFUSED.iter().find(|(name, _)| *name == host.name);
    row.is_none_or(|(_, refused)| !refused.contains(&member))
}

/// How the host takes reasoning back.
pub(super) fn replay(host: &Host) -> Replay {
    match host.name {
        "openai" | "azure" => Replay::Never,
        "groq" | "cerebras" => Replay::Plain,
        "openrouter" => Replay::Detailed,
        "mistral" => Replay::Part,
        "gemini" => Replay::Signature,
        _ => Replay::Content,
    }
}

/// The host takes seals back, on reasoning and on calls.
pub(super) fn takes_seals(host: &Host) -> bool {
    matches!(
        replay(host),
        Replay::Content | Replay::Detailed | Replay::Signature
    )
}

/// The host refuses a call of an earlier turn without the reasoning that led to it, and takes none for an answer.
/// <https://api-docs.deepseek.com/guides/thinking_mode#tool-calls>
pub(super) fn wants_reasoning_with_calls(host: &Host) -> bool {
    host.name == "deepseek"
}

/// Models that never reason: not to reason needs no word there, and the word would be refused.
pub(super) fn never_reasons(model: &str) -> bool {
    ["gpt-3.5", "gpt-4", "chatgpt-4"]
        .iter()
        .any(|family| model.starts_with(family))
}
