//! Azure OpenAI's paths. Two generations live at one host name: `/openai/v1/…`, which reads as OpenAI's own,
//! and `/openai/deployments/{deployment}/…?api-version=…`, where the deployment stands in the path.
//!
//! A dated `api_version` asks for the second; any other, such as `preview`, is the first's.

use crate::percent;
use crate::provider::Call;

/// The path of an operation whose own path is `endpoint`, with its query. The base URL may end in `/openai` or
/// `/openai/v1`, as Azure's portal shows it, or before.
pub(super) fn path(call: &Call<'_>, endpoint: &str) -> String {
    // A base URL of another's, such as an API gateway's in front of the resource, says itself where the API begins.
    if call.prefix.ends_with("/v1") && !call.prefix.ends_with("/openai/v1") {
        return format!("{}{endpoint}{}", call.prefix, call.query_text());
    }
    let root = ["/openai/v1", "/openai"]
        .iter()
        .find_map(|end| call.prefix.strip_suffix(end))
        .unwrap_or(call.prefix);
    let Some(version) = call.api_version else {
        return format!("{root}/openai/v1{endpoint}{}", call.query_text());
    };
    let more = if call.query.is_empty() { "" } else { "&" };
    let query = format!("?api-version={version}{more}{}", call.query);
    if !version.starts_with(|c: char| c.is_ascii_digit()) {
        return format!("{root}/openai/v1{endpoint}{query}");
    }
    // What isn't one deployment's own, such as responses, names its model in the body.
    if matches!(
        endpoint,
        "/chat/completions" | "/completions" | "/embeddings"
    ) {
        let deployment = percent::segment(call.model);
        return format!("{root}/openai/deployments/{deployment}{endpoint}{query}");
    }
    format!("{root}/openai{endpoint}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::by_name;
    use crate::surface::OPENAI_CHAT;

    fn check(prefix: &str, version: Option<&str>, endpoint: &str, query: &str, expect: &str) {
        let call = Call {
            surface: OPENAI_CHAT,
            prefix,
            host: by_name("azure").unwrap(),
            api_version: version,
            model: "gpt-4o",
            object: None,
            stream: false,
            query,
        };
        assert_eq!(path(&call, endpoint), expect, "{prefix} {version:?}");
    }

    #[test]
    fn without_a_version_the_paths_are_v1() {
        for prefix in ["", "/openai", "/openai/v1"] {
            // As recorded: va-64a32ef0f1 and pa-be155afcc0.
            let chat = "/openai/v1/chat/completions";
            check(prefix, None, "/chat/completions", "", chat);
            check(prefix, None, "/responses", "", "/openai/v1/responses");
            let listed = "/openai/v1/responses?a=b";
            check(prefix, None, "/responses", "a=b", listed);
            let preview = "/openai/v1/responses?api-version=preview";
            check(prefix, Some("preview"), "/responses", "", preview);
        }
        check("/team/v1", None, "/embeddings", "", "/team/v1/embeddings");
        let behind = "/team/openai/v1/embeddings";
        check("/team", None, "/embeddings", "", behind);
    }

    #[test]
    fn a_dated_version_names_the_deployment_in_the_path() {
        for prefix in ["", "/openai", "/openai/v1"] {
            let version = Some("2024-12-01-preview");
            // As recorded: pa-970f452903.
            let chat = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-12-01-preview";
            check(prefix, version, "/chat/completions", "", chat);
            let embeddings = "/openai/deployments/gpt-4o/embeddings?api-version=2024-10-21";
            check(prefix, Some("2024-10-21"), "/embeddings", "", embeddings);
            let completions = "/openai/deployments/gpt-4o/completions?api-version=2024-10-21&a=b";
            check(
                prefix,
                Some("2024-10-21"),
                "/completions",
                "a=b",
                completions,
            );
            let responses = "/openai/responses?api-version=2025-04-01-preview";
            check(
                prefix,
                Some("2025-04-01-preview"),
                "/responses",
                "",
                responses,
            );
        }
    }
}
