//! The dialect of `POST /v1/messages`. <https://platform.claude.com/docs/en/api/messages>
//!
//! Here stands what the dialect's readers and writers share; what each decides stands in its own file.
//! A block that only this dialect knows (server-side tools, their results, whatever comes next) is carried
//! whole, and given back to this protocol alone.

use lintel_types::canon::{Reply, Request, Seal};
use lintel_types::{Error, Surface};

use super::{BadReply, Decoder, Dialect, Encoded, Encoder, Target, Way};
use crate::provider::ANTHROPIC;
use crate::surface::{ANTHROPIC_MESSAGES, Head};

mod decoder;
mod encoder;
mod models;
mod read_block;
mod read_request;
mod read_settings;
mod reasoning;
mod reply;
mod schema;
mod stop;
#[cfg(test)]
mod tests;
mod tools;
mod turns;
mod usage;
mod write_block;
mod write_request;

/// The dialect.
pub(super) struct AnthropicMessages;

impl Dialect for AnthropicMessages {
    fn surface(&self) -> Surface {
        ANTHROPIC_MESSAGES
    }

    fn decode_request(&self, body: &[u8], head: &Head) -> Result<Request, Error> {
        read_request::read(body, head)
    }

    fn encode_request(&self, request: &Request, target: &Target<'_>) -> Encoded {
        write_request::write(request, target)
    }

    fn decode_reply(&self, body: &[u8], way: &Way) -> Result<Reply, BadReply> {
        reply::read(body, way)
    }

    fn encode_reply(&self, reply: &Reply, way: &Way) -> Encoded {
        reply::write(reply, way)
    }

    fn decoder(&self, way: &Way) -> Box<dyn Decoder> {
        Box::new(decoder::MessageDecoder::new(way))
    }

    fn encoder(&self, way: &Way) -> Box<dyn Encoder> {
        Box::new(encoder::MessageEncoder::new(way))
    }
}

/// What a seal's data begins with when it is a redacted block's and no thinking block's signature. Both are
/// base64, in which no colon occurs.
const REDACTED: &str = "redacted:";

/// The seal `data`; none when there is nothing in it.
fn seal(data: &str) -> Option<Seal> {
    (!data.is_empty()).then(|| Seal {
        protocol: ANTHROPIC,
        data: data.to_owned(),
    })
}

/// The data of a seal that is this protocol's own.
fn own_seal(seal: Option<&Seal>) -> Option<&str> {
    seal.filter(|s| s.protocol == ANTHROPIC)
        .map(|s| s.data.as_str())
}

/// An id for an answer that came without one.
fn message_id(id: Option<&str>, way_id: &str) -> String {
    match id.filter(|id| !id.is_empty()) {
        Some(id) => id.to_owned(),
        None => format!("msg_{way_id}"),
    }
}
