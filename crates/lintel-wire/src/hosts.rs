//! Hosts as data: what is known about each API host, and how it differs from its protocol.
//!
//! Adding an OpenAI-compatible host is one row here. A host that is no row works too, through
//! [`generic`], with the protocol's own behaviour.

use lintel_types::Protocol;

use crate::provider::{self, ANTHROPIC, OPENAI, SANDBOX};
use crate::surface::OPENAI_RESPONSES;

/// How a credential is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// `authorization: Bearer …`
    Bearer,
    /// `x-api-key: …`
    XApiKey,
    /// `api-key: …`
    ApiKey,
    /// `x-goog-api-key: …`
    XGoogApiKey,
}

/// One API host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// The row's name: `host:` in configuration, and the default of a provider with this name.
    pub name: &'static str,
    /// Where its API begins; the protocol's path is appended.
    pub base_url: &'static str,
    /// Host names that are recognised as this row.
    pub hostnames: &'static [&'static str],
    /// The environment variable that usually holds its key.
    pub env: Option<&'static str>,
    /// What it speaks.
    pub protocol: Protocol,
    /// How it takes its key.
    pub auth: Auth,
    /// Streams report usage without `stream_options.include_usage`, so nothing is inserted.
    pub usage_unasked: bool,
    /// Reasoning shows only as the excess of `total_tokens` over its parts.
    pub hidden_reasoning: bool,
    /// Surfaces of its protocol that it does not serve, by name: calls on them are translated, where they can be.
    pub lacks: &'static [&'static str],
    /// Request headers that it understands beyond its protocol's.
    pub request_headers: &'static [&'static str],
}

/// A row of a host that speaks OpenAI's protocol.
pub(crate) const fn openai_compatible(
    name: &'static str,
    base_url: &'static str,
    hostnames: &'static [&'static str],
) -> Host {
    Host {
        name,
        base_url,
        hostnames,
        env: None,
        protocol: OPENAI,
        auth: Auth::Bearer,
        usage_unasked: false,
        hidden_reasoning: false,
        lacks: &[],
        request_headers: &[],
    }
}

/// A row of a host that speaks Anthropic's protocol.
pub(crate) const fn anthropic_compatible(
    name: &'static str,
    base_url: &'static str,
    hostnames: &'static [&'static str],
) -> Host {
    Host {
        protocol: ANTHROPIC,
        auth: Auth::XApiKey,
        usage_unasked: true,
        ..openai_compatible(name, base_url, hostnames)
    }
}

/// What a host lacks that has chat completions only, at this base URL.
const NO_RESPONSES: &[&str] = &[OPENAI_RESPONSES.name()];

/// Every host that is known by name.
pub const HOSTS: &[Host] = &[
    Host {
        env: Some("OPENAI_API_KEY"),
        request_headers: &["openai-beta"],
        ..openai_compatible("openai", "https://api.openai.com/v1", &["api.openai.com"])
    },
    Host {
        env: Some("ANTHROPIC_API_KEY"),
        ..anthropic_compatible(
            "anthropic",
            "https://api.anthropic.com",
            &["api.anthropic.com"],
        )
    },
    Host {
        env: Some("GEMINI_API_KEY"),
        lacks: NO_RESPONSES,
        hidden_reasoning: true,
        ..openai_compatible(
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            &["generativelanguage.googleapis.com"],
        )
    },
    Host {
        env: Some("GROQ_API_KEY"),
        usage_unasked: true,
        ..openai_compatible("groq", "https://api.groq.com/openai/v1", &["api.groq.com"])
    },
    Host {
        env: Some("MISTRAL_API_KEY"),
        lacks: NO_RESPONSES,
        usage_unasked: true,
        ..openai_compatible("mistral", "https://api.mistral.ai/v1", &["api.mistral.ai"])
    },
    Host {
        env: Some("DEEPSEEK_API_KEY"),
        ..openai_compatible(
            "deepseek",
            "https://api.deepseek.com",
            &["api.deepseek.com"],
        )
    },
    Host {
        env: Some("XAI_API_KEY"),
        usage_unasked: true,
        ..openai_compatible("xai", "https://api.x.ai/v1", &["api.x.ai"])
    },
    Host {
        env: Some("OPENROUTER_API_KEY"),
        request_headers: &["http-referer", "x-title"],
        ..openai_compatible(
            "openrouter",
            "https://openrouter.ai/api/v1",
            &["openrouter.ai"],
        )
    },
    Host {
        env: Some("PERPLEXITY_API_KEY"),
        lacks: NO_RESPONSES,
        usage_unasked: true,
        ..openai_compatible(
            "perplexity",
            "https://api.perplexity.ai",
            &["api.perplexity.ai"],
        )
    },
    Host {
        env: Some("CEREBRAS_API_KEY"),
        lacks: NO_RESPONSES,
        usage_unasked: true,
        ..openai_compatible(
            "cerebras",
            "https://api.cerebras.ai/v1",
            &["api.cerebras.ai"],
        )
    },
    Host {
        env: Some("TOGETHER_API_KEY"),
        ..openai_compatible(
            "together",
            "https://api.together.xyz/v1",
            &["api.together.xyz"],
        )
    },
    Host {
        env: Some("FIREWORKS_API_KEY"),
        ..openai_compatible(
            "fireworks",
            "https://api.fireworks.ai/inference/v1",
            &["api.fireworks.ai"],
        )
    },
    Host {
        env: Some("MOONSHOT_API_KEY"),
        lacks: NO_RESPONSES,
        ..openai_compatible(
            "moonshotai",
            "https://api.moonshot.ai/v1",
            &["api.moonshot.ai"],
        )
    },
    Host {
        env: Some("DASHSCOPE_API_KEY"),
        ..openai_compatible(
            "alibaba",
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            &["dashscope-intl.aliyuncs.com", "dashscope.aliyuncs.com"],
        )
    },
    Host {
        env: Some("ZAI_API_KEY"),
        lacks: NO_RESPONSES,
        ..openai_compatible("zai", "https://api.z.ai/api/paas/v4", &["api.z.ai"])
    },
];

static SANDBOX_HOST: Host = Host {
    protocol: SANDBOX,
    ..openai_compatible("sandbox", "", &[])
};

/// The row called `name`.
pub fn by_name(name: &str) -> Option<&'static Host> {
    HOSTS.iter().find(|h| h.name == name)
}

/// The row that answers at `hostname`.
pub fn by_hostname(hostname: &str) -> Option<&'static Host> {
    HOSTS.iter().find(|h| h.hostnames.contains(&hostname))
}

/// What is assumed of a host that is no row.
pub fn generic(protocol: Protocol) -> &'static Host {
    provider::own(protocol).map_or(&SANDBOX_HOST, |p| p.generic_host())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::SURFACES;
    use std::collections::HashSet;

    fn generics() -> impl Iterator<Item = &'static str> {
        provider::protocols().map(|p| generic(p).name)
    }

    #[test]
    fn rows_are_distinct_and_complete() {
        let names: HashSet<_> = HOSTS.iter().map(|h| h.name).chain(generics()).collect();
        assert_eq!(names.len(), HOSTS.len() + generics().count());
        let hostnames: Vec<_> = HOSTS.iter().flat_map(|h| h.hostnames).collect();
        assert_eq!(
            hostnames.iter().collect::<HashSet<_>>().len(),
            hostnames.len()
        );
        for host in HOSTS {
            assert!(
                host.base_url.starts_with("https://") && !host.base_url.ends_with('/'),
                "{}",
                host.name
            );
            let hostname = host
                .base_url
                .trim_start_matches("https://")
                .split('/')
                .next()
                .unwrap();
            assert!(
                host.hostnames.contains(&hostname),
                "{}: {hostname}",
                host.name
            );
            assert_eq!(by_hostname(hostname), Some(host));
            assert!(host.request_headers.iter().all(|h| *h == h.to_lowercase()));
        }
    }

    #[test]
    fn what_a_host_lacks_is_a_surface() {
        let known = |name: &&str| SURFACES.iter().any(|s| s.surface().name() == *name);
        for host in HOSTS {
            assert!(host.lacks.iter().all(known), "{}", host.name);
        }
    }

    #[test]
    fn every_protocol_has_a_generic_host() {
        for protocol in provider::protocols() {
            assert_eq!(generic(protocol).protocol, protocol);
        }
    }
}
