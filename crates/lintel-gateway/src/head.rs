//! The head step: the few facts of a request that decisions are made on, and the edits it needs.

use bytes::Bytes;
use http::Method;
use lintel_types::{Body, ContentPart, Error, Kind};
use lintel_wire::surface::{Head, Object, Place, SurfaceSpec};

use crate::body::{Received, Share};

/// What method, path and query say of a call.
pub(crate) struct Called {
    pub(crate) spec: &'static dyn SurfaceSpec,
    pub(crate) method: Method,
    pub(crate) place: Place,
    pub(crate) query: String,
}

/// A request whose head has been read.
pub(crate) struct Parsed {
    pub(crate) spec: &'static dyn SurfaceSpec,
    pub(crate) head: Head,
    pub(crate) method: Method,
    /// The stored object that the call is about.
    pub(crate) object: Option<Object>,
    /// What of the query crosses.
    pub(crate) query: String,
    /// The bytes as they came; the view are its content parts, gathered when a guard wants them.
    pub(crate) body: Body<Vec<ContentPart>>,
    /// Held for as long as the bytes are.
    _share: Share,
}

/// Reads the head.
pub(crate) fn parse(called: Called, received: Received) -> Result<Parsed, Error> {
    let Called {
        spec,
        method,
        place,
        query,
    } = called;
    let Received { bytes, share } = received;
    let head = spec.head(&bytes, &place)?;
    let mut body = Body::new(bytes);
    if let Some(strip) = &head.strip_ours {
        body.edit(strip.range.clone(), Bytes::new()).map_err(|e| {
            Error::gateway(
                Kind::Internal,
                "internal",
                "the request's own member can't be removed",
            )
            .because(e)
        })?;
    }
    Ok(Parsed {
        spec,
        head,
        method,
        object: place.object,
        query,
        body,
        _share: share,
    })
}
