//! The rows. Facts come from recorded traffic and each host's own reference.
//!
//! `usage_unasked` is set where streams without `stream_options` were seen to report usage; asking where it
//! isn't needed costs nothing, so a host that was never seen without is asked.

use super::{Auth, Host, Paths, anthropic_compatible, bedrock_compatible, openai_compatible};
use crate::provider::gemini::gemini_compatible;
use crate::provider::vertex::VERTEX_HOST;

/// The surfaces of OpenAI's protocol beside chat.
const RESPONSES: &str = "openai.responses";
const EMBEDDINGS: &str = "openai.embeddings";
const COMPLETIONS: &str = "openai.completions";

/// A server on this machine: no key, and no provider unless it is configured.
const fn local(name: &'static str, base_url: &'static str) -> Host {
    openai_compatible(name, base_url, &[])
}

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
        env: Some("AZURE_OPENAI_API_KEY"),
        auth: Auth::ApiKey,
        paths: Paths::Azure,
        ..openai_compatible(
            "azure",
            "https://{resource}.openai.azure.com",
            &[
                "*.openai.azure.com",
                "*.cognitiveservices.azure.com",
                "*.services.ai.azure.com",
            ],
        )
    },
    Host {
        env: Some("GEMINI_API_KEY"),
        hidden_reasoning: true,
        lacks: &[RESPONSES, COMPLETIONS],
        ..openai_compatible(
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            &["generativelanguage.googleapis.com"],
        )
    },
    Host {
        env: Some("GEMINI_API_KEY"),
        env_also: Some("GOOGLE_API_KEY"),
        ..gemini_compatible(
            "google",
            "https://generativelanguage.googleapis.com/v1beta",
            &["generativelanguage.googleapis.com"],
        )
    },
    VERTEX_HOST,
    Host {
        env: Some("GROQ_API_KEY"),
        usage_unasked: true,
        lacks: &[EMBEDDINGS, COMPLETIONS],
        ..openai_compatible("groq", "https://api.groq.com/openai/v1", &["api.groq.com"])
    },
    Host {
        env: Some("MISTRAL_API_KEY"),
        usage_unasked: true,
        lacks: &[RESPONSES, COMPLETIONS],
        ..openai_compatible("mistral", "https://api.mistral.ai/v1", &["api.mistral.ai"])
    },
    Host {
        env: Some("DEEPSEEK_API_KEY"),
        // Its completions are at another base URL, `/beta`.
        lacks: &[EMBEDDINGS, COMPLETIONS],
        ..openai_compatible(
            "deepseek",
            "https://api.deepseek.com",
            &["api.deepseek.com"],
        )
    },
    Host {
        env: Some("XAI_API_KEY"),
        lacks: &[EMBEDDINGS],
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
        usage_unasked: true,
        // It serves responses and embeddings below `/v1`, and chat at the root: name `base_url` for those.
        lacks: &[RESPONSES, EMBEDDINGS, COMPLETIONS],
        ..openai_compatible(
            "perplexity",
            "https://api.perplexity.ai",
            &["api.perplexity.ai"],
        )
    },
    Host {
        env: Some("CEREBRAS_API_KEY"),
        usage_unasked: true,
        lacks: &[RESPONSES, EMBEDDINGS],
        ..openai_compatible(
            "cerebras",
            "https://api.cerebras.ai/v1",
            &["api.cerebras.ai"],
        )
    },
    Host {
        env: Some("TOGETHER_API_KEY"),
        // Its responses are a beta for a few models; chat is there for all.
        lacks: &[RESPONSES],
        ..openai_compatible(
            "together",
            "https://api.together.ai/v1",
            &["api.together.ai", "api.together.xyz"],
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
        lacks: &[RESPONSES, EMBEDDINGS, COMPLETIONS],
        ..openai_compatible(
            "moonshotai",
            "https://api.moonshot.ai/v1",
            &["api.moonshot.ai", "api.moonshot.cn"],
        )
    },
    Host {
        env: Some("DASHSCOPE_API_KEY"),
        // Its responses are at another base URL, `/api/v2/apps/protocols/compatible-mode/v1`.
        lacks: &[RESPONSES],
        ..openai_compatible(
            "alibaba",
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            &["dashscope-intl.aliyuncs.com", "dashscope.aliyuncs.com"],
        )
    },
    Host {
        env: Some("ZAI_API_KEY"),
        lacks: &[RESPONSES, EMBEDDINGS, COMPLETIONS],
        ..openai_compatible("zai", "https://api.z.ai/api/paas/v4", &["api.z.ai"])
    },
    Host {
        env: Some("HF_TOKEN"),
        lacks: &[EMBEDDINGS, COMPLETIONS],
        ..openai_compatible(
            "huggingface",
            "https://router.huggingface.co/v1",
            &["router.huggingface.co"],
        )
    },
    Host {
        env: Some("SNOWFLAKE_PAT"),
        lacks: &[RESPONSES, EMBEDDINGS, COMPLETIONS],
        ..openai_compatible(
            "snowflake",
            "https://{account}.snowflakecomputing.com/api/v2/cortex/v1",
            &["*.snowflakecomputing.com"],
        )
    },
    Host {
        env: Some("HEROKU_INFERENCE_KEY"),
        lacks: &[RESPONSES, COMPLETIONS],
        ..openai_compatible(
            "heroku",
            "https://us.inference.heroku.com/v1",
            &["us.inference.heroku.com", "eu.inference.heroku.com"],
        )
    },
    Host {
        env: Some("CRUSOE_API_KEY"),
        lacks: &[RESPONSES, EMBEDDINGS, COMPLETIONS],
        ..openai_compatible(
            "crusoe",
            "https://api.inference.crusoecloud.com/v1",
            &[
                "api.inference.crusoecloud.com",
                "managed-inference-api-proxy.crusoecloud.com",
            ],
        )
    },
    Host {
        env: Some("AWS_BEARER_TOKEN_BEDROCK"),
        ..bedrock_compatible(
            "bedrock",
            "https://bedrock-runtime.{region}.amazonaws.com",
            &["bedrock-runtime.*.amazonaws.com"],
        )
    },
    local("vllm", "http://127.0.0.1:8000/v1"),
    local("sglang", "http://127.0.0.1:30000/v1"),
    local("ollama", "http://127.0.0.1:11434/v1"),
    local("llamacpp", "http://127.0.0.1:8080/v1"),
    local("lmstudio", "http://127.0.0.1:1234/v1"),
];
