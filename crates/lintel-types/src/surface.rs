//! The wire protocols that clients and providers speak.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A provider's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// OpenAI's API and every host compatible with it.
    Openai,
    /// Anthropic's API.
    Anthropic,
    /// The simulated provider inside the binary: it speaks the surface's own protocol.
    Sandbox,
}

impl Protocol {
    /// The name in configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Openai => "openai",
            Protocol::Anthropic => "anthropic",
            Protocol::Sandbox => "sandbox",
        }
    }
}

/// A client-facing operation of a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Surface {
    /// `POST /v1/chat/completions`
    #[serde(rename = "openai.chat")]
    OpenaiChat,
    /// `POST /v1/messages`
    #[serde(rename = "anthropic.messages")]
    AnthropicMessages,
}

impl Surface {
    /// The name in JSON, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Surface::OpenaiChat => "openai.chat",
            Surface::AnthropicMessages => "anthropic.messages",
        }
    }

    /// The protocol whose dialect the client speaks.
    pub const fn protocol(self) -> Protocol {
        match self {
            Surface::OpenaiChat => Protocol::Openai,
            Surface::AnthropicMessages => Protocol::Anthropic,
        }
    }
}
