//! Gemini's `generateContent` to and from the canonical form. <https://ai.google.dev/api/generate-content>
//!
//! What is particular: model and stream stand in the path and not in the body; results name their tool; a stop for
//! tools is a plain `STOP`; thought signatures stand on any part, and are carried as seals of the call or of a
//! reasoning part that follows. Keys are read in both of Google's spellings and written in `camelCase`.

use lintel_types::canon::{Reply, Request};
use lintel_types::{Error, Surface};

use super::{BadReply, Decoder, Dialect, Encoded, Encoder, Target, Way};
use crate::surface::{GEMINI_GENERATE, Head};

mod cite;
mod decoder;
mod encoder;
mod ids;
mod logprobs;
mod partial;
mod read;
mod reply;
mod request;
mod say;
mod schema;
mod settings;
mod stop;
mod thinking;
mod tools;
mod usage;
mod write;

/// The dialect.
pub(super) struct GeminiGenerate;

impl Dialect for GeminiGenerate {
    fn surface(&self) -> Surface {
        GEMINI_GENERATE
    }

    fn decode_request(&self, body: &[u8], head: &Head) -> Result<Request, Error> {
        request::read(body, head)
    }

    fn encode_request(&self, request: &Request, target: &Target<'_>) -> Encoded {
        write::request(request, target)
    }

    fn decode_reply(&self, body: &[u8], way: &Way) -> Result<Reply, BadReply> {
        reply::read(body, way)
    }

    fn encode_reply(&self, reply: &Reply, way: &Way) -> Encoded {
        reply::write(reply, way)
    }

    fn decoder(&self, way: &Way) -> Box<dyn Decoder> {
        Box::new(decoder::Chunks::new(way))
    }

    fn encoder(&self, way: &Way) -> Box<dyn Encoder> {
        Box::new(encoder::Chunks::new(way))
    }
}

#[cfg(test)]
mod tests;
