//! `openai.chat`: OpenAI's chat completions, and what a hundred compatible hosts made of them.
//! <https://platform.openai.com/docs/api-reference/chat>
//!
//! `read/` turns their bytes into the canonical form, `write/` the other way. What both must agree on has a
//! file here: reasoning and its seals, stops, citations, the hosts' terms. It must not know the far side.
//!
//! Invariant: readers take every spelling that was seen on the wire; writers use OpenAI's own, except where
//! the host's row says otherwise.

use lintel_types::canon::{Reply, Request};
use lintel_types::{Error, Surface};

use super::{BadReply, Decoder, Dialect, Encoded, Encoder, Target, Way};
use crate::surface::{Head, OPENAI_CHAT};

mod citation;
mod read;
mod stop;
mod terms;
#[cfg(test)]
mod tests;
mod thought;
mod write;

/// The dialect.
pub(super) struct OpenaiChat;

impl Dialect for OpenaiChat {
    fn surface(&self) -> Surface {
        OPENAI_CHAT
    }

    fn decode_request(&self, body: &[u8], head: &Head) -> Result<Request, Error> {
        read::request::read(body, head)
    }

    fn encode_request(&self, request: &Request, target: &Target<'_>) -> Encoded {
        write::request::write(request, target)
    }

    fn decode_reply(&self, body: &[u8], way: &Way) -> Result<Reply, BadReply> {
        read::reply::read(body, way)
    }

    fn encode_reply(&self, reply: &Reply, way: &Way) -> Encoded {
        write::reply::write(reply, way)
    }

    fn decoder(&self, way: &Way) -> Box<dyn Decoder> {
        Box::new(read::stream::Chunks::new(way))
    }

    fn encoder(&self, way: &Way) -> Box<dyn Encoder> {
        Box::new(write::stream::Chunks::new(way))
    }
}
