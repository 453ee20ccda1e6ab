//! AWS signatures: made over what goes out, when it goes out. How is the wire's affair; the clock is ours.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use lintel_config::{Credential, Provider};
use lintel_types::{FailureClass, Phase, Rendered, Timestamp};
use lintel_wire::sigv4::{Signing, ToSign, payload_hash, sign as signed};

use crate::failed::AttemptFailed;

/// The name under which Bedrock checks signatures; the one AWS service that is spoken to.
const SERVICE: &str = "bedrock";

/// Adds the signature's headers to a request to `provider`, where its credential is access keys.
pub(super) fn sign(
    provider: &Provider,
    method: &Method,
    target: &str,
    body: &Rendered,
    now: Timestamp,
    headers: &mut HeaderMap,
) -> Result<(), AttemptFailed> {
    let Some(Credential::Aws(keys)) = &provider.credential else {
        return Ok(());
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let payload = payload_hash(body.pieces.iter().map(|piece| &piece[..]));
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let kind = kind.map(|v| ("content-type", v));
    let request = ToSign {
        method: method.as_str(),
        host: &provider.base().authority,
        path,
        query,
        headers: kind.as_slice(),
        payload: &payload,
    };
    let signing = Signing {
        region: provider.region.as_deref().unwrap_or_default(),
        service: SERVICE,
        now: now.as_micros().div_euclid(1_000_000),
    };
    let made = signed(&request, keys, &signing)
        .map_err(|e| AttemptFailed::new(FailureClass::Credential, Phase::BeforeSend).because(e))?;
    headers.extend(made);
    Ok(())
}
