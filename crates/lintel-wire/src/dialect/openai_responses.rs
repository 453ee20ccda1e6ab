//! The OpenAI Responses dialect, for calls without state: what a request says it says in full.
//! <https://platform.openai.com/docs/api-reference/responses>, <https://www.openresponses.org/specification>
//!
//! `request` and `items` read a client's request, `encode` and `encode_items` write one for a target; `reply` and
//! `decode_stream` read answers; `answer`, `item` and `encode_stream` write them. Nothing translated is ever stored at a
//! provider: what needs stored state is refused with the remedy, and answers say `"store":false`.
//!
//! The protocol shares its name with chat completions, so "of our own protocol" is no proof that a raw thing has the
//! Responses form: writers look at it before they pass it on.

use lintel_types::canon::{Reply, Request};
use lintel_types::{Error, Surface};

use super::{BadReply, Decoder, Dialect, Encoded, Encoder, Target, Way};
use crate::surface::{Head, OPENAI_RESPONSES};

mod answer;
mod decode_stream;
mod encode;
mod encode_items;
mod encode_stream;
mod item;
mod items;
mod lanes;
mod reply;
mod request;
mod settings;
#[cfg(test)]
mod tests;

/// The dialect.
pub(super) struct OpenaiResponses;

impl Dialect for OpenaiResponses {
    fn surface(&self) -> Surface {
        OPENAI_RESPONSES
    }

    fn decode_request(&self, body: &[u8], head: &Head) -> Result<Request, Error> {
        request::read(body, head)
    }

    fn encode_request(&self, request: &Request, target: &Target<'_>) -> Encoded {
        encode::write(request, target)
    }

    fn decode_reply(&self, body: &[u8], way: &Way) -> Result<Reply, BadReply> {
        reply::read(body, way)
    }

    fn encode_reply(&self, reply: &Reply, way: &Way) -> Encoded {
        answer::write(reply, way)
    }

    fn decoder(&self, way: &Way) -> Box<dyn Decoder> {
        Box::new(decode_stream::ResponsesDecoder::new(way.host))
    }

    fn encoder(&self, way: &Way) -> Box<dyn Encoder> {
        Box::new(encode_stream::ResponsesEncoder::new(way))
    }
}
