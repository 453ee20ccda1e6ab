//! Pages of a list: how long one may be, and where the next begins.
//!
//! A cursor holds the position of the last object shown, in the list's own order. So a page neither
//! repeats nor skips anything that stood when the list was begun, whatever is made or deleted meanwhile.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::answer::{Answer, Reply, plain};
use crate::codes;
use crate::problem::Problem;

const DEFAULT: u16 = 100;
const MOST: u16 = 1_000;

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(crate) struct Page<T> {
    /// The objects.
    pub(crate) data: Vec<T>,
    /// What to send as `after` for the next page; null on the last.
    pub(crate) next: Option<String>,
}

impl<T: Serialize + JsonSchema> Answer for Page<T> {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
    fn reply(self) -> serde_json::Result<Reply> {
        plain(Self::STATUS, &self)
    }
}

/// How many objects were asked for.
///
/// # Errors
/// A problem outside 1 to 1000: a page is never silently shorter than asked.
pub(crate) fn limit(asked: Option<u16>) -> Result<usize, Problem> {
    match asked.unwrap_or(DEFAULT) {
        limit @ 1..=MOST => Ok(usize::from(limit)),
        other => Err(Problem::invalid(format!(
            "limit is {other}; it must lie between 1 and {MOST}"
        ))),
    }
}

/// The text of a cursor for `position`. Opaque: what is in it may change.
pub(crate) fn cursor(position: &str) -> String {
    URL_SAFE_NO_PAD.encode(position)
}

/// The position that a cursor holds.
///
/// # Errors
/// A problem when it is none that a page gave.
pub(crate) fn position(after: Option<&str>) -> Result<Option<String>, Problem> {
    let read = |text: &str| {
        let position = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        position
            .filter(|position| !position.is_empty())
            .ok_or_else(|| {
                let text: String = text.chars().take(128).collect();
                not_a_page(&format!("`{text}`"))
            })
    };
    after.map(read).transpose()
}

/// 400: `what` is a text, and no cursor of this list.
pub(crate) fn not_a_page(what: &str) -> Problem {
    let detail = format!("after: {what} is not the `next` of a page of this list");
    Problem::new(&codes::INVALID_VALUE, detail)
}

/// Which way a list's places go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// The page of `sorted` that follows the cursor `after`. `place` gives each object's position: texts that
/// sort as the list does, by `order`.
///
/// # Errors
/// A problem when `after` is no cursor.
pub(crate) fn cut<T>(
    sorted: Vec<T>,
    after: Option<&str>,
    limit: usize,
    order: Order,
    place: impl Fn(&T) -> String,
) -> Result<Page<T>, Problem> {
    let start = position(after)?;
    let follows = |place: String, start: &String| match order {
        Order::Ascending => place > *start,
        Order::Descending => place < *start,
    };
    let beyond = |object: &T| {
        start
            .as_ref()
            .is_none_or(|start| follows(place(object), start))
    };
    let mut rest = sorted.into_iter().filter(beyond);
    let data: Vec<T> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let next = data
        .last()
        .filter(|_| more)
        .map(|last| cursor(&place(last)));
    Ok(Page { data, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(
        list: &[&'static str],
        after: Option<&str>,
        limit: usize,
    ) -> (Vec<&'static str>, Option<String>) {
        let place = |name: &&str| (*name).to_owned();
        let page = cut(list.to_vec(), after, limit, Order::Ascending, place).unwrap();
        (page.data, page.next)
    }

    #[test]
    fn pages_follow_each_other_and_the_last_says_so() {
        let list = ["a", "b", "c"];
        let (first, next) = page(&list, None, 2);
        assert_eq!(first, ["a", "b"]);
        assert_eq!(page(&list, next.as_deref(), 2), (vec!["c"], None));
        assert_eq!(page(&list, None, 3), (list.to_vec(), None));
    }

    #[test]
    fn a_list_that_goes_down_is_walked_whole() {
        let list = ["c", "b", "a"];
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let place = |name: &&str| (*name).to_owned();
            let page = cut(list.to_vec(), after.as_deref(), 1, Order::Descending, place).unwrap();
            seen.extend(page.data);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, list);
    }

    #[test]
    fn what_is_made_or_deleted_between_two_pages_shifts_nothing() {
        let (_, next) = page(&["b", "d", "f"], None, 2);
        assert_eq!(
            page(&["a", "b", "c", "d", "e", "f"], next.as_deref(), 9).0,
            ["e", "f"]
        );
        assert_eq!(
            page(&["b", "f"], next.as_deref(), 9).0,
            ["f"],
            "the cursor's object is gone"
        );
        assert_eq!(page(&[], next.as_deref(), 9), (vec![], None));
    }

    #[test]
    fn a_cursor_that_is_none_and_a_limit_of_nothing_are_refused() {
        for bad in ["", "z", "key_0", "ü", "//8="] {
            assert!(
                cut(vec!["a"], Some(bad), 2, Order::Ascending, |name| (*name)
                    .to_owned())
                .is_err(),
                "{bad}"
            );
        }
        assert_eq!(limit(None).unwrap(), 100);
        assert_eq!(limit(Some(1_000)).unwrap(), 1_000);
        assert!(limit(Some(0)).is_err());
        assert!(limit(Some(1_001)).is_err());
    }
}
