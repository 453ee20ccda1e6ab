//! What stands before the slash of LiteLLM's `provider/model`, and which protocol and host row that is here.

/// How a provider of LiteLLM's is called here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// The word before the slash.
    pub(super) prefix: &'static str,
    /// `protocol` here.
    pub(super) protocol: &'static str,
    /// The host row here; empty when it is any OpenAI-compatible server.
    pub(super) host: &'static str,
    /// The variable that LiteLLM reads when no key is written; empty when there is none.
    pub(super) env: &'static str,
    /// What is appended to `api_base`, where LiteLLM appends it by itself.
    pub(super) suffix: &'static str,
}

const fn row(
    prefix: &'static str,
    protocol: &'static str,
    host: &'static str,
    env: &'static str,
) -> Known {
    Known {
        prefix,
        protocol,
        host,
        env,
        suffix: "",
    }
}

/// Every provider that has a counterpart.
const KNOWN: &[Known] = &[
    row("openai", "openai", "openai", "OPENAI_API_KEY"),
    row(
        "text-completion-openai",
        "openai",
        "openai",
        "OPENAI_API_KEY",
    ),
    row("azure", "openai", "azure", "AZURE_API_KEY"),
    row("azure_text", "openai", "azure", "AZURE_API_KEY"),
    row("anthropic", "anthropic", "anthropic", "ANTHROPIC_API_KEY"),
    row("gemini", "gemini", "google", "GEMINI_API_KEY"),
    row("vertex_ai", "vertex", "vertex", ""),
    row("vertex_ai_beta", "vertex", "vertex", ""),
    row("bedrock", "bedrock", "bedrock", ""),
    row("bedrock_converse", "bedrock", "bedrock", ""),
    row("groq", "openai", "groq", "GROQ_API_KEY"),
    row("mistral", "openai", "mistral", "MISTRAL_API_KEY"),
    row("deepseek", "openai", "deepseek", "DEEPSEEK_API_KEY"),
    row("xai", "openai", "xai", "XAI_API_KEY"),
    row("openrouter", "openai", "openrouter", "OPENROUTER_API_KEY"),
    row("perplexity", "openai", "perplexity", "PERPLEXITYAI_API_KEY"),
    row("cerebras", "openai", "cerebras", "CEREBRAS_API_KEY"),
    row("together_ai", "openai", "together", "TOGETHERAI_API_KEY"),
    row("fireworks_ai", "openai", "fireworks", "FIREWORKS_API_KEY"),
    row("moonshot", "openai", "moonshotai", "MOONSHOT_API_KEY"),
    row("dashscope", "openai", "alibaba", "DASHSCOPE_API_KEY"),
    row("zai", "openai", "zai", "ZAI_API_KEY"),
    row("hosted_vllm", "openai", "vllm", ""),
    row("vllm", "openai", "vllm", ""),
    row("lm_studio", "openai", "lmstudio", ""),
    row("llamafile", "openai", "llamacpp", ""),
    Known {
        suffix: "/v1",
        ..row("ollama", "openai", "ollama", "")
    },
    Known {
        suffix: "/v1",
        ..row("ollama_chat", "openai", "ollama", "")
    },
    row("litellm_proxy", "openai", "", "LITELLM_PROXY_API_KEY"),
    row("openai_like", "openai", "", ""),
    row("custom_openai", "openai", "", ""),
    row("azure_ai", "openai", "", "AZURE_AI_API_KEY"),
    row("nvidia_nim", "openai", "", "NVIDIA_NIM_API_KEY"),
    row("deepinfra", "openai", "", "DEEPINFRA_API_KEY"),
    row("sambanova", "openai", "", "SAMBANOVA_API_KEY"),
    row("databricks", "openai", "", "DATABRICKS_API_KEY"),
    row("github", "openai", "", "GITHUB_API_KEY"),
];

/// The provider called `prefix`.
pub(super) fn known(prefix: &str) -> Option<Known> {
    KNOWN.iter().find(|k| k.prefix == prefix).copied()
}

/// Where providers without a host row begin, when `api_base` doesn't say it.
pub(super) fn usual_base(prefix: &str) -> Option<&'static str> {
    Some(match prefix {
        "nvidia_nim" => "https://integrate.api.nvidia.com/v1",
        "deepinfra" => "https://api.deepinfra.com/v1/openai",
        "sambanova" => "https://api.sambanova.ai/v1",
        "github" => "https://models.inference.ai.azure.com",
        _ => return None,
    })
}

/// Prefix and model of LiteLLM's `model`. Without a prefix that is known the model's own name tells, as it does there.
pub(super) fn split(model: &str) -> (Option<&str>, &str) {
    if let Some((prefix, rest)) = model.split_once('/') {
        return (Some(prefix), rest);
    }
    const BY_NAME: [(&str, &str); 10] = [
        ("gpt-", "openai"),
        ("o1", "openai"),
        ("o3", "openai"),
        ("o4", "openai"),
        ("chatgpt-", "openai"),
        ("text-embedding-", "openai"),
        ("ft:", "openai"),
        ("claude-", "anthropic"),
        ("gemini-", "vertex_ai"),
        ("anthropic.", "bedrock"),
    ];
    let found = BY_NAME.iter().find(|(start, _)| model.starts_with(start));
    (found.map(|(_, prefix)| *prefix), model)
}
