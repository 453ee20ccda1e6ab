//! The surface step: what does this request ask for, by method and path alone?

use http::{HeaderMap, HeaderValue, Method};
use lintel_types::{Error, Kind, Protocol, Surface};
use lintel_wire::percent;
use lintel_wire::provider::{ANTHROPIC, GEMINI, OPENAI};
use lintel_wire::surface::{OPENAI_CHAT, Place, SURFACES, SurfaceSpec, spec};

/// What a request asks for.
pub(crate) enum Asked {
    /// A model call.
    Call(&'static dyn SurfaceSpec, Place),
    /// `GET /v1/models`, or `/v1beta/models`
    Models,
    /// `GET /v1/models/{id}`, or `/v1beta/models/{id}`
    Model(String),
}

impl Asked {
    /// The surface of a call.
    pub(crate) fn surface(&self) -> Option<Surface> {
        match self {
            Asked::Call(spec, _) => Some(spec.surface()),
            Asked::Models | Asked::Model(_) => None,
        }
    }
}

/// Where the models are listed: for everybody, and where Gemini's callers look for them.
const MODELS: [&str; 2] = ["/v1/models", "/v1beta/models"];
/// Only Gemini's callers know paths under it.
const GEMINIS: &str = "/v1beta/";

/// Reads method and path.
pub(crate) fn read(method: &Method, path: &str) -> Result<Asked, Error> {
    let asked = match call(path) {
        Some((spec, place)) => Asked::Call(spec, place),
        None => about_models(method, path).ok_or_else(|| unknown(path))?,
    };
    let wanted = match &asked {
        Asked::Call(spec, place) => spec.methods(place),
        Asked::Models | Asked::Model(_) => &["GET"],
    };
    if !wanted.contains(&method.as_str()) {
        let text = format!("{path} takes {}", wanted.join(" or "));
        return Err(Error::client(
            Kind::MethodNotAllowed,
            "method_not_allowed",
            text,
        ));
    }
    Ok(asked)
}

/// The list of models, or one of them.
fn about_models(method: &Method, path: &str) -> Option<Asked> {
    let rest = MODELS.iter().find_map(|m| path.strip_prefix(m))?;
    if rest.is_empty() {
        return Some(Asked::Models);
    }
    let id = rest.strip_prefix('/').filter(|id| !id.is_empty())?;
    // A verb of Gemini's that isn't served, such as `:countTokens`; ids hold colons too, but nobody posts to them.
    if *method == Method::POST && id.contains(':') {
        return None;
    }
    percent::decode(id).map(|id| Asked::Model(id.into_owned()))
}

/// The surface whose path this is, and what the path says of the call.
fn call(path: &str) -> Option<(&'static dyn SurfaceSpec, Place)> {
    SURFACES.iter().find_map(|s| Some((*s, s.place(path)?)))
}

/// The members of a request's query that cross to a provider, as they were written.
pub(crate) fn query(spec: &dyn SurfaceSpec, query: Option<&str>) -> String {
    let Some(query) = query else {
        return String::new();
    };
    let members = query.split('&');
    let crosses = |member: &&str| {
        let name = member.split('=').next().unwrap_or_default();
        spec.query().contains(&name)
    };
    members.filter(crosses).collect::<Vec<_>>().join("&")
}

/// The method that a known path takes, for `allow`.
pub(crate) fn allowed(path: &str) -> HeaderValue {
    let methods = call(path).map_or("GET".to_owned(), |(s, place)| s.methods(&place).join(", "));
    HeaderValue::from_str(&methods).unwrap_or(HeaderValue::from_static("POST"))
}

fn unknown(path: &str) -> Error {
    let shown: String = path.chars().filter(|c| !c.is_control()).take(100).collect();
    let known: Vec<&str> = SURFACES.iter().map(|s| s.path()).chain(MODELS).collect();
    let text = format!(
        "no such path `{shown}`: this listener serves {}",
        known.join(", ")
    );
    Error::client(Kind::NotFound, "unknown_path", text)
}

/// The protocol that a request's headers speak of, where they do: for paths that don't.
pub(crate) fn spoken(headers: &HeaderMap) -> Option<Protocol> {
    const TELLING: [(&str, Protocol); 2] =
        [("anthropic-version", ANTHROPIC), ("x-goog-api-key", GEMINI)];
    let told = TELLING.iter().find(|(name, _)| headers.contains_key(*name));
    told.map(|(_, protocol)| *protocol)
}

/// The dialect in which to answer what is no call: the path and headers tell.
pub(crate) fn dialect(spoken: Option<Protocol>, path: &str) -> &'static dyn SurfaceSpec {
    let named = |s: &&&dyn SurfaceSpec| s.place(path).is_some() || path.starts_with(s.path());
    if let Some(spec) = SURFACES.iter().find(named) {
        return *spec;
    }
    let wanted = if path.starts_with(GEMINIS) {
        GEMINI
    } else {
        spoken.unwrap_or(OPENAI)
    };
    SURFACES
        .iter()
        .copied()
        .find(|s| s.surface().protocol() == wanted)
        .unwrap_or(spec(OPENAI_CHAT))
}

/// The credentials that Gemini's callers may put into the query, decoded; none on other paths. They go no further:
/// what is logged of a request is its path alone, and `key` is in no surface's [`SurfaceSpec::query`].
pub(crate) fn keys_in_query(path: &str, query: Option<&str>) -> Vec<String> {
    let members = query.unwrap_or_default().split('&');
    let mut keys = members
        .filter_map(|member| member.strip_prefix("key="))
        .peekable();
    let geminis = || {
        path.starts_with(GEMINIS)
            || call(path).is_some_and(|(spec, _)| spec.surface().protocol() == GEMINI)
    };
    if keys.peek().is_none() || !geminis() {
        return Vec::new();
    }
    // What can't be decoded is no key of ours; as it stands it is refused as an unknown one.
    let read = |key: &str| percent::decode(key).map_or_else(|| key.to_owned(), |k| k.into_owned());
    keys.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lintel_wire::surface::{ANTHROPIC_MESSAGES, GEMINI_GENERATE};

    #[test]
    fn reads_paths() {
        assert!(
            matches!(read(&Method::POST, "/v1/messages"), Ok(Asked::Call(s, _)) if s.surface() == ANTHROPIC_MESSAGES)
        );
        assert!(
            matches!(read(&Method::GET, "/v1/models/openai%2Fgpt-4o"), Ok(Asked::Model(id)) if id == "openai/gpt-4o")
        );
        assert!(
            matches!(read(&Method::GET, "/v1/models/openai/gpt-4o"), Ok(Asked::Model(id)) if id == "openai/gpt-4o")
        );
        assert!(
            matches!(read(&Method::POST, "/v1/models/a/b:streamGenerateContent"), Ok(Asked::Call(s, place)) if s.surface() == GEMINI_GENERATE && place.stream && place.model.as_deref() == Some("a/b"))
        );
        assert!(matches!(
            read(&Method::GET, "/v1beta/models"),
            Ok(Asked::Models)
        ));
        assert!(
            matches!(read(&Method::GET, "/v1beta/models/local/llama:8b"), Ok(Asked::Model(id)) if id == "local/llama:8b")
        );
        let status =
            |method: &Method, path: &str| read(method, path).err().map(|e| e.kind().status());
        assert_eq!(status(&Method::GET, "/v1/messages"), Some(405));
        assert_eq!(status(&Method::POST, "/v1/models"), Some(405));
        assert_eq!(status(&Method::POST, "/v1/nothing"), Some(404));
        assert_eq!(
            status(&Method::GET, "/v1beta/models/m:generateContent"),
            Some(405)
        );
        assert_eq!(
            status(&Method::POST, "/v1beta/models/m:countTokens"),
            Some(404)
        );
        assert_eq!(status(&Method::GET, "/v1/models/%zz"), Some(404));
        assert_eq!(status(&Method::GET, "/v1/models/"), Some(404));
    }

    #[test]
    fn errors_speak_the_callers_dialect() {
        let check = |spoken, path: &str, surface| {
            assert_eq!(dialect(spoken, path).surface(), surface, "{path}");
        };
        check(Some(ANTHROPIC), "/v1/models", ANTHROPIC_MESSAGES);
        check(None, "/v1/messages/batches", ANTHROPIC_MESSAGES);
        check(None, "/nowhere", OPENAI_CHAT);
        check(Some(GEMINI), "/v1/models", GEMINI_GENERATE);
        check(None, "/v1/models", OPENAI_CHAT);
        check(None, "/v1beta/models", GEMINI_GENERATE);
        check(
            Some(ANTHROPIC),
            "/v1/models/m:generateContent",
            GEMINI_GENERATE,
        );
    }

    #[test]
    fn a_key_stands_in_the_query_of_geminis_paths_only() {
        let keys = |path: &str, query: &str| keys_in_query(path, Some(query)).join(" ");
        let call = "/v1/models/m:generateContent";
        assert_eq!(keys(call, "alt=sse&key=lk_%31"), "lk_1");
        assert_eq!(keys("/v1beta/models", "key=a"), "a");
        assert_eq!(keys(call, "key=%zz"), "%zz");
        assert_eq!(keys(call, "key=a&alt=sse&key=b"), "a b");
        assert_eq!(keys(call, "keys=a"), "");
        assert_eq!(keys("/v1/models", "key=a"), "");
        assert_eq!(keys("/v1/messages", "key=a"), "");
        let spec = spec(GEMINI_GENERATE);
        assert_eq!(
            query(spec, Some("key=a&alt=sse&prettyPrint=false")),
            "alt=sse"
        );
    }
}
