//! The surface step: what does this request ask for, by method and path alone?

use http::{HeaderValue, Method};
use lintel_types::{Error, Kind, Surface};
use lintel_wire::provider::{ANTHROPIC, OPENAI};
use lintel_wire::surface::{OPENAI_CHAT, Place, SURFACES, SurfaceSpec, spec};

/// What a request asks for.
pub(crate) enum Asked {
    /// A model call.
    Call(&'static dyn SurfaceSpec, Place),
    /// `GET /v1/models`
    Models,
    /// `GET /v1/models/{id}`
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

const MODELS: &str = "/v1/models";

/// Reads method and path.
pub(crate) fn read(method: &Method, path: &str) -> Result<Asked, Error> {
    let asked = if let Some((spec, place)) = call(path) {
        Asked::Call(spec, place)
    } else if path == MODELS {
        Asked::Models
    } else if let Some(id) = path
        .strip_prefix(MODELS)
        .and_then(|p| p.strip_prefix('/'))
        .filter(|id| !id.is_empty())
    {
        Asked::Model(percent_decode(id).ok_or_else(|| unknown(path))?)
    } else {
        return Err(unknown(path));
    };
    let wanted = if asked.surface().is_some() {
        Method::POST
    } else {
        Method::GET
    };
    if *method != wanted {
        let text = format!("{path} takes {wanted}");
        return Err(Error::client(
            Kind::MethodNotAllowed,
            "method_not_allowed",
            text,
        ));
    }
    Ok(asked)
}

/// The surface whose path this is, and what the path says of the call.
fn call(path: &str) -> Option<(&'static dyn SurfaceSpec, Place)> {
    SURFACES.iter().find_map(|s| Some((*s, s.place(path)?)))
}

/// The members of a request's query that cross to a provider, as they were written.
pub(crate) fn query(spec: &dyn SurfaceSpec, query: Option<&str>) -> String {
    let members = query.unwrap_or_default().split('&');
    let crosses = |member: &&str| {
        let name = member.split('=').next().unwrap_or_default();
        spec.query().contains(&name)
    };
    members.filter(crosses).collect::<Vec<_>>().join("&")
}

/// The method that a known path takes, for `allow`.
pub(crate) fn allowed(path: &str) -> HeaderValue {
    HeaderValue::from_static(if call(path).is_some() { "POST" } else { "GET" })
}

fn unknown(path: &str) -> Error {
    let shown: String = path.chars().filter(|c| !c.is_control()).take(100).collect();
    let known: Vec<&str> = SURFACES.iter().map(|s| s.path()).chain([MODELS]).collect();
    let text = format!(
        "no such path `{shown}`: this listener serves {}",
        known.join(", ")
    );
    Error::client(Kind::NotFound, "unknown_path", text)
}

/// Model ids may hold a slash, which clients send as `%2F` or as it is.
fn percent_decode(id: &str) -> Option<String> {
    let mut out = Vec::with_capacity(id.len());
    let mut rest = id.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            out.push(u8::from_str_radix(hex, 16).ok()?);
            rest = tail.get(2..)?;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(out).ok()
}

/// The dialect in which to answer what is no call: the header and path tell.
pub(crate) fn dialect(anthropic_version: bool, path: &str) -> &'static dyn SurfaceSpec {
    if let Some(spec) = SURFACES
        .iter()
        .find(|s| path.starts_with(s.path()) || s.place(path).is_some())
    {
        return *spec;
    }
    let wanted = if anthropic_version { ANTHROPIC } else { OPENAI };
    SURFACES
        .iter()
        .copied()
        .find(|s| s.surface().protocol() == wanted)
        .unwrap_or(spec(OPENAI_CHAT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lintel_wire::surface::ANTHROPIC_MESSAGES;

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
        let status =
            |method: &Method, path: &str| read(method, path).err().map(|e| e.kind().status());
        assert_eq!(status(&Method::GET, "/v1/messages"), Some(405));
        assert_eq!(status(&Method::POST, "/v1/models"), Some(405));
        assert_eq!(status(&Method::POST, "/v1/nothing"), Some(404));
        assert_eq!(status(&Method::GET, "/v1/models/%zz"), Some(404));
        assert_eq!(status(&Method::GET, "/v1/models/"), Some(404));
    }

    #[test]
    fn errors_speak_the_callers_dialect() {
        assert_eq!(dialect(true, "/v1/models").surface(), ANTHROPIC_MESSAGES);
        assert_eq!(
            dialect(false, "/v1/messages/batches").surface(),
            ANTHROPIC_MESSAGES
        );
        assert_eq!(dialect(false, "/nowhere").surface(), OPENAI_CHAT);
    }
}
