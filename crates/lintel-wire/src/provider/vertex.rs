//! Vertex AI: Gemini's protocol below a project and a location, called with a service account's tokens.
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference>
//!
//! Only the path differs: the base URL ends in `/projects/{project}/locations/{location}`, and a model belongs
//! to a publisher or is an endpoint of the project's own.

use lintel_types::{FailureClass, Protocol, Surface};

use super::gemini::{self, Gemini, gemini_compatible};
use super::{Call, ProviderError, ProviderSpec, ReplyFacts, StreamMeter};
use crate::hosts::{Auth, CredentialKind, Host};

/// The protocol's name.
pub const VERTEX: Protocol = Protocol::new("vertex");

/// Google's own row. Its regional host names carry the location; `global` has none.
pub(crate) const VERTEX_HOST: Host = vertex_compatible(
    "vertex",
    "https://{location-}aiplatform.googleapis.com/v1/projects/{project}/locations/{location}",
    &["aiplatform.googleapis.com", "*-aiplatform.googleapis.com"],
);

/// What is assumed of a host that is no row.
static GENERIC: Host = vertex_compatible("vertex-compatible", "", &[]);

const fn vertex_compatible(
    name: &'static str,
    base_url: &'static str,
    hostnames: &'static [&'static str],
) -> Host {
    Host {
        protocol: VERTEX,
        auth: Auth::Bearer,
        credentials: &[CredentialKind::ServiceAccount],
        ..gemini_compatible(name, base_url, hostnames)
    }
}

/// The protocol.
pub(super) struct Vertex;

impl ProviderSpec for Vertex {
    fn protocol(&self) -> Protocol {
        VERTEX
    }

    fn generic_host(&self) -> &'static Host {
        &GENERIC
    }

    fn request_headers(&self) -> &'static [&'static str] {
        Gemini.request_headers()
    }

    fn endpoint(&self, surface: Surface) -> Option<&'static str> {
        let path = "/publishers/google/models/{model}:generateContent";
        Gemini.endpoint(surface).map(|_| path)
    }

    fn conversation(&self) -> Surface {
        Gemini.conversation()
    }

    fn translated_query(&self, stream: bool) -> &'static str {
        Gemini.translated_query(stream)
    }

    fn path(&self, call: &Call<'_>) -> String {
        gemini::path(call, collection(call.model))
    }

    fn reply(&self, host: &'static Host, surface: Surface, body: &[u8]) -> ReplyFacts {
        Gemini.reply(host, surface, body)
    }

    fn meter(&self, host: &'static Host, surface: Surface) -> Box<dyn StreamMeter> {
        Gemini.meter(host, surface)
    }

    fn failure(&self, status: u16, error: &ProviderError) -> FailureClass {
        Gemini.failure(status, error)
    }
}

/// Where the model's name belongs: one that says it itself stays as it is.
fn collection(model: &str) -> &'static str {
    if model.starts_with("publishers/") || model.starts_with("endpoints/") {
        "/"
    } else {
        "/publishers/google/models/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::GEMINI_GENERATE;

    fn check(model: &str, stream: bool, query: &str, expect: &str) {
        let call = Call {
            surface: GEMINI_GENERATE,
            prefix: "/v1/projects/p/locations/global",
            host: &VERTEX_HOST,
            api_version: None,
            model,
            object: None,
            stream,
            query,
        };
        let path = Vertex.path(&call);
        assert_eq!(
            path.strip_prefix("/v1/projects/p/locations/global"),
            Some(expect),
            "{model}"
        );
    }

    #[test]
    fn a_model_is_its_publishers_or_an_endpoint() {
        // As recorded, but for the version: pa-86be2f46d2.
        let whole = "/publishers/google/models/gemini-2.0-flash:generateContent";
        check("gemini-2.0-flash", false, "", whole);
        let stream = "/publishers/google/models/gemini-2.0-flash:streamGenerateContent?alt=sse";
        check("gemini-2.0-flash", true, "alt=sse", stream);
        check("endpoints/77", false, "", "/endpoints/77:generateContent");
        let other = "publishers/meta/models/llama";
        check(
            other,
            false,
            "",
            "/publishers/meta/models/llama:generateContent",
        );
    }

    #[test]
    fn it_answers_what_gemini_answers() {
        assert_eq!(Vertex.conversation(), GEMINI_GENERATE);
        assert!(Vertex.endpoint(GEMINI_GENERATE).is_some());
        let facts = Vertex.reply(
            &VERTEX_HOST,
            GEMINI_GENERATE,
            br#"{"candidates":[],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2,"totalTokenCount":9}}"#,
        );
        assert_eq!(facts.usage.map(|u| u.input_tokens()), Some(7));
    }
}
