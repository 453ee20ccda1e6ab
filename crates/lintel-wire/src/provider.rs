//! Providers: what Lintel speaks to. One file a protocol, one entry in [`PROVIDERS`].
//!
//! A provider knows where its operations live, which headers it may see, how its answers report usage
//! and how its errors read. It looks at answers and never rewrites them.

use http::HeaderValue;
use lintel_types::{FailureClass, Protocol, Surface, Usage};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::hosts::Host;
use crate::sandbox::{self, SandboxConfig};

mod anthropic;
mod count;
mod error_body;
mod openai;

pub use error_body::{ProviderError, read_error};

pub use anthropic::ANTHROPIC;
pub use openai::OPENAI;

/// Every provider protocol that has a wire format of its own. The sandbox speaks its caller's.
pub const PROVIDERS: &[&dyn ProviderSpec] = &[&openai::Openai, &anthropic::Anthropic];

/// The simulated provider inside the binary: it speaks the surface's own protocol.
pub const SANDBOX: Protocol = Protocol::new("sandbox");

/// Every protocol that a provider can be configured with.
pub fn protocols() -> impl Iterator<Item = Protocol> {
    PROVIDERS.iter().map(|p| p.protocol()).chain([SANDBOX])
}

/// The protocol's own file; none for the sandbox, which has no wire format.
pub fn own(protocol: Protocol) -> Option<&'static dyn ProviderSpec> {
    PROVIDERS.iter().copied().find(|p| p.protocol() == protocol)
}

/// The protocol in which a provider answers a surface; none when it doesn't speak it.
pub fn spec(protocol: Protocol, surface: Surface) -> Option<&'static dyn ProviderSpec> {
    let spoken = match protocol {
        SANDBOX if !sandbox::speaks(surface) => return None,
        SANDBOX => surface.protocol(),
        _ => protocol,
    };
    own(spoken).filter(|p| p.endpoint(surface).is_some())
}

fn named<'de, D: Deserializer<'de>>(d: D) -> Result<Protocol, D::Error> {
    let name = String::deserialize(d)?;
    let known = protocols().find(|p| p.name() == name);
    known.ok_or_else(|| serde::de::Error::custom(format!("no protocol is called `{name}`")))
}

fn names(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = protocols().map(Protocol::name).collect();
    json_schema!({ "type": "string", "enum": names })
}

/// One provider, as written in configuration.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// What it speaks: `openai` (and every compatible host), `anthropic`, or `sandbox`.
    #[serde(deserialize_with = "named")]
    #[schemars(schema_with = "names")]
    pub protocol: Protocol,
    /// Where its API begins, such as `https://api.openai.com/v1`. Default: the host row's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Which host row describes it. Default: the row of the base URL's host name, else of the provider's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its credential: `${ENV}` or `file:/path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// How the simulated provider behaves; for protocol `sandbox` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxConfig>,
}

/// What a whole answer, or a finished stream, says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplyFacts {
    /// What it used, if it said so. A usage object from which neither the input nor the output can be
    /// read says nothing: the attempt is booked by estimate, never for free.
    pub usage: Option<Usage>,
    /// The usage as it stood in the answer, readable or not.
    pub raw_usage: Option<String>,
    /// Why the model stopped, in the provider's word.
    pub finish_reason: Option<String>,
    /// Bytes of text, reasoning and tool arguments that were produced: the basis of an estimate.
    pub content_bytes: u64,
    /// An error inside a 200.
    pub error: Option<FailureClass>,
    /// Not what the protocol promises (but passed on as it is).
    pub malformed: bool,
}

/// What one event of a stream says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventFacts {
    /// It carries content that the client can show.
    pub content: bool,
    /// It is the protocol's last event.
    pub terminal: bool,
    /// It carries usage and nothing else: removed again when Lintel asked for it.
    pub usage_only: bool,
    /// It is an error.
    pub error: bool,
}

/// Watches one stream go by.
pub trait StreamMeter: Send {
    /// Looks at the data of one event.
    fn event(&mut self, data: &[u8]) -> EventFacts;
    /// What the stream has said so far.
    fn facts(&self) -> &ReplyFacts;
}

/// One provider protocol.
pub trait ProviderSpec: Sync {
    /// Which one.
    fn protocol(&self) -> Protocol;
    /// What is assumed of a host that is no row.
    fn generic_host(&self) -> &'static Host;
    /// Request headers of the protocol's own that cross to its providers.
    fn request_headers(&self) -> &'static [&'static str];
    /// Request headers that are sent when the client sent none of that name.
    fn default_headers(&self) -> &'static [(&'static str, HeaderValue)] {
        &[]
    }
    /// The path of a surface's operation, to append to the base URL's path; none when it isn't spoken.
    fn endpoint(&self, surface: Surface) -> Option<&'static str>;
    /// The whole path under a base URL whose path is `prefix` (no trailing slash).
    fn path(&self, prefix: &str, surface: Surface) -> String {
        format!("{prefix}{}", self.endpoint(surface).unwrap_or_default())
    }
    /// Reads a whole 2xx answer.
    fn reply(&self, host: &'static Host, surface: Surface, body: &[u8]) -> ReplyFacts;
    /// Watches a stream.
    fn meter(&self, host: &'static Host, surface: Surface) -> Box<dyn StreamMeter>;
    /// The class of a non-2xx answer.
    fn failure(&self, status: u16, error: &ProviderError) -> FailureClass;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::{ANTHROPIC_MESSAGES, OPENAI_CHAT};

    #[test]
    fn a_provider_speaks_its_own_surface_and_the_sandbox_every_one() {
        for surface in [OPENAI_CHAT, ANTHROPIC_MESSAGES] {
            assert!(spec(surface.protocol(), surface).is_some());
            assert_eq!(
                spec(SANDBOX, surface).unwrap().protocol(),
                surface.protocol()
            );
        }
        assert!(spec(OPENAI, ANTHROPIC_MESSAGES).is_none());
        assert!(spec(ANTHROPIC, OPENAI_CHAT).is_none());
    }

    #[test]
    fn paths_join_to_either_style_of_base_url() {
        let anthropic = spec(ANTHROPIC, ANTHROPIC_MESSAGES).unwrap();
        assert_eq!(anthropic.path("", ANTHROPIC_MESSAGES), "/v1/messages");
        assert_eq!(anthropic.path("/v1", ANTHROPIC_MESSAGES), "/v1/messages");
        let openai = spec(OPENAI, OPENAI_CHAT).unwrap();
        assert_eq!(
            openai.path("/api/paas/v4", OPENAI_CHAT),
            "/api/paas/v4/chat/completions"
        );
    }
}
