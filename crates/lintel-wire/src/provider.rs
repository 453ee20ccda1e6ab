//! Providers: what Lintel speaks to. One file a protocol, one entry in [`PROVIDERS`].
//!
//! A provider knows where its operations live, which headers it may see, how its answers report usage
//! and how its errors read. It looks at answers and never rewrites them.

use http::{HeaderMap, HeaderValue};
use lintel_types::{FailureClass, Made, Protocol, Surface, Usage};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::dialect;
use crate::framing::FramingKind;
use crate::hosts::Host;
use crate::sandbox::{self, SandboxConfig};
use crate::surface::Object;

mod anthropic;
mod bedrock;
mod connection;
mod count;
mod error_body;
pub(crate) mod gemini;
pub(crate) mod openai;
pub(crate) mod vertex;

pub use connection::{PrivateAddresses, ProviderPool, ProviderTls};
pub use error_body::{ProviderError, read_error};

pub use anthropic::ANTHROPIC;
pub(crate) use anthropic::Counts as AnthropicCounts;
pub use bedrock::BEDROCK;
pub(crate) use bedrock::usage::read as bedrock_usage;
pub use gemini::GEMINI;
pub use openai::OPENAI;
pub(crate) use openai::usage as openai_usage;
pub use vertex::VERTEX;

/// Every provider protocol that has a wire format of its own. The sandbox speaks its caller's.
pub const PROVIDERS: &[&dyn ProviderSpec] = &[
    &openai::Openai,
    &anthropic::Anthropic,
    &gemini::Gemini,
    &vertex::Vertex,
    &bedrock::Bedrock,
];

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

/// How a provider is called for a surface.
#[derive(Clone, Copy)]
pub struct Spoken {
    /// The file of the protocol in which it answers.
    pub spec: &'static dyn ProviderSpec,
    /// The operation that is called there: the client's own surface, byte for byte, or the one that it is translated to.
    pub surface: Surface,
}

/// How a provider of `protocol` at `host` answers `surface`; none when it can't. `speaks` is the protocol that a
/// simulated provider is told to speak.
pub fn speak(
    protocol: Protocol,
    host: &Host,
    surface: Surface,
    speaks: Option<Protocol>,
) -> Option<Spoken> {
    let native = |spec: &'static dyn ProviderSpec| {
        let spoken = spec.endpoint(surface).is_some() && !host.lacks.contains(&surface.name());
        spoken.then_some(Spoken { spec, surface })
    };
    if protocol != SANDBOX {
        let spec = own(protocol)?;
        return native(spec).or_else(|| translated(spec, surface));
    }
    // Told nothing, the sandbox speaks its caller's protocol; where it doesn't know that, OpenAI's.
    let tongue = speaks.unwrap_or(surface.protocol());
    let spec = own(tongue).filter(|_| sandbox::speaks(surface));
    let spoken = spec
        .and_then(native)
        .or_else(|| translated(own(speaks.unwrap_or(OPENAI))?, surface));
    spoken.filter(|s| sandbox::speaks(s.surface))
}

/// A call on `surface` as one of `spec`'s conversations, where both are conversations.
fn translated(spec: &'static dyn ProviderSpec, surface: Surface) -> Option<Spoken> {
    let to = spec.conversation();
    let both = dialect::of(surface).is_some() && dialect::of(to).is_some() && to != surface;
    both.then_some(Spoken { spec, surface: to })
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

/// The protocols that the sandbox can be told to speak.
fn simulated() -> impl Iterator<Item = Protocol> {
    let spoken = PROVIDERS
        .iter()
        .filter(|p| sandbox::speaks(p.conversation()));
    spoken.map(|p| p.protocol())
}

/// A protocol that the sandbox speaks, if one is named.
pub(crate) fn named_if<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Protocol>, D::Error> {
    let Some(name) = Option::<String>::deserialize(d)? else {
        return Ok(None);
    };
    let known = simulated().find(|p| p.name() == name);
    let unknown = || serde::de::Error::custom(format!("no protocol is called `{name}`"));
    known.map(Some).ok_or_else(unknown)
}

pub(crate) fn names_spoken(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = simulated().map(Protocol::name).collect();
    json_schema!({ "type": "string", "enum": names })
}

/// One provider, as written in configuration.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// What it speaks: `openai` (and every compatible host), `anthropic`, `gemini`, `vertex` (Gemini's models at Vertex AI),
    /// `bedrock`, or `sandbox`.
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
    /// AWS access keys, which sign each request; for hosts that take them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsConfig>,
    /// A Google service account's key file: `file:/path.json`, or `${ENV}` that holds its text; for hosts that take one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// The version of the API that is asked for; for Azure OpenAI: a date such as `2024-10-21` calls deployments,
    /// without it the paths are `/openai/v1/…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The region, such as `eu-central-1`; for hosts whose base URL or signature names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The location, such as `europe-west4` or `global`; for hosts whose base URL names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The project; for hosts whose base URL names one. Default: the service account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Whose the objects are that this account keeps (stored responses, files, containers).
    #[serde(default)]
    pub objects: Objects,
    /// Whom the provider's certificate has to convince, and what it is shown; for `https` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ProviderTls>,
    /// The HTTP proxy on the way: `http://host:port`, `${ENV}` or `file:/path` for one with a password in its URL, or `off`. Default:
    /// as the environment variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// The connections that are kept open between calls.
    #[serde(default)]
    pub pool: ProviderPool,
    /// Whether calls may go to private and loopback addresses that the base URL's host name leads to. Default: where
    /// the name is local, as `localhost`, `vllm` and `vllm.models.svc` are. A literal address is always meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_addresses: Option<PrivateAddresses>,
    /// How the simulated provider behaves; for protocol `sandbox` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxConfig>,
}

/// AWS access keys, each `${ENV}` or `file:/path`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwsConfig {
    /// The access key's id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session's token, with temporary keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<String>,
}

/// Whose the objects are that an account at a provider keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objects {
    /// The tenant's that made them, through Lintel; an id that it didn't make doesn't exist for a caller.
    #[default]
    Owned,
    /// Everybody's who may call the account: ids pass unchecked.
    Shared,
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
    /// Objects that the provider keeps from now on, and by whose ids later calls may name them.
    pub made: Vec<Made>,
    /// Not what the protocol promises (but passed on as it is).
    pub malformed: bool,
}

impl ReplyFacts {
    /// Adds objects that are not known yet: a stream names them more than once.
    pub(crate) fn keep_made(&mut self, made: Vec<Made>) {
        for object in made {
            if !self.made.contains(&object) {
                self.made.push(object);
            }
        }
    }
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

/// One call of an operation: what its path is made of.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The operation.
    pub surface: Surface,
    /// The base URL's path, without a slash at its end.
    pub prefix: &'a str,
    /// The host's row.
    pub host: &'static Host,
    /// The version of the API that the provider's configuration asks for, at hosts that have several.
    pub api_version: Option<&'a str>,
    /// The model's name at the target.
    pub model: &'a str,
    /// The stored object that the call is about, where it is about one.
    pub object: Option<&'a Object>,
    /// Whether a stream is asked for.
    pub stream: bool,
    /// The client's query, reduced to what crosses, without `?`; empty when there is none.
    pub query: &'a str,
}

impl Call<'_> {
    /// The query with its `?`, or nothing.
    pub fn query_text(&self) -> String {
        if self.query.is_empty() {
            String::new()
        } else {
            format!("?{}", self.query)
        }
    }
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
    /// The operation to which conversations on other protocols' surfaces are translated.
    fn conversation(&self) -> Surface;
    /// The query of a call that Lintel writes itself, for a client of another protocol.
    fn translated_query(&self, _stream: bool) -> &'static str {
        ""
    }
    /// The path under the call's base URL, with its query.
    fn path(&self, call: &Call<'_>) -> String {
        let path = self.endpoint(call.surface).unwrap_or_default();
        format!("{}{path}{}", call.prefix, call.query_text())
    }
    /// How a stream of an operation is cut into events.
    fn framing(&self, _surface: Surface) -> FramingKind {
        FramingKind::Sse
    }
    /// Reads the error of a non-2xx answer.
    fn error(&self, _headers: &HeaderMap, body: &[u8]) -> ProviderError {
        read_error(body)
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
    use crate::hosts::generic;
    use crate::surface::{
        ANTHROPIC_COUNT_TOKENS, ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_COMPLETIONS,
        OPENAI_EMBEDDINGS,
    };

    fn spoken(
        protocol: Protocol,
        surface: Surface,
        speaks: Option<Protocol>,
    ) -> Option<&'static str> {
        speak(protocol, generic(protocol), surface, speaks).map(|s| s.surface.name())
    }

    #[test]
    fn a_provider_speaks_its_own_surface_and_the_sandbox_every_one() {
        for surface in [
            OPENAI_CHAT,
            ANTHROPIC_MESSAGES,
            OPENAI_EMBEDDINGS,
            OPENAI_COMPLETIONS,
            ANTHROPIC_COUNT_TOKENS,
        ] {
            assert_eq!(
                spoken(surface.protocol(), surface, None),
                Some(surface.name())
            );
            assert_eq!(spoken(SANDBOX, surface, None), Some(surface.name()));
        }
    }

    #[test]
    fn what_is_no_conversation_is_not_translated() {
        for (protocol, surface) in [
            (ANTHROPIC, OPENAI_EMBEDDINGS),
            (ANTHROPIC, OPENAI_COMPLETIONS),
            (OPENAI, ANTHROPIC_COUNT_TOKENS),
        ] {
            assert_eq!(spoken(protocol, surface, None), None);
            assert_eq!(spoken(SANDBOX, surface, Some(protocol)), None);
        }
    }

    fn path(spec: &dyn ProviderSpec, prefix: &str, surface: Surface, query: &str) -> String {
        let call = Call {
            surface,
            prefix,
            host: spec.generic_host(),
            api_version: None,
            model: "m",
            object: None,
            stream: false,
            query,
        };
        spec.path(&call)
    }

    #[test]
    fn paths_join_to_either_style_of_base_url() {
        let anthropic = own(ANTHROPIC).unwrap();
        assert_eq!(path(anthropic, "", ANTHROPIC_MESSAGES, ""), "/v1/messages");
        assert_eq!(
            path(anthropic, "/v1", ANTHROPIC_MESSAGES, "beta=true"),
            "/v1/messages?beta=true"
        );
        let openai = own(OPENAI).unwrap();
        assert_eq!(
            path(openai, "/api/paas/v4", OPENAI_CHAT, ""),
            "/api/paas/v4/chat/completions"
        );
        assert_eq!(path(openai, "/v1", OPENAI_EMBEDDINGS, ""), "/v1/embeddings");
        assert_eq!(
            path(openai, "/v1", OPENAI_COMPLETIONS, ""),
            "/v1/completions"
        );
        assert_eq!(
            path(anthropic, "/v1", ANTHROPIC_COUNT_TOKENS, "beta=true"),
            "/v1/messages/count_tokens?beta=true"
        );
    }
}
