//! Pages of a list: how long one may be, and where the next begins.
//!
//! Cursors are the last object's own id or name, so a page never shifts when something is added
//! before it.

use serde::Serialize;

use crate::problem::Problem;

const DEFAULT: usize = 100;
const MOST: usize = 1_000;

/// One page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    /// The objects.
    pub(crate) data: Vec<T>,
    /// The cursor of the next page; none on the last.
    pub(crate) next: Option<String>,
}

/// How many objects were asked for.
///
/// # Errors
/// A problem outside 1 to 1000: a page is never silently shorter than asked.
pub(crate) fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked.unwrap_or(DEFAULT) {
        limit @ 1..=MOST => Ok(limit),
        other => Err(Problem::invalid(format!(
            "limit is {other}; it must lie between 1 and {MOST}"
        ))),
    }
}

/// The page of `sorted` that follows `after`, by the text that `cursor` gives.
pub(crate) fn cut<T>(
    sorted: Vec<T>,
    after: Option<&str>,
    limit: usize,
    cursor: impl Fn(&T) -> &str,
) -> Result<Page<T>, Problem> {
    let skip = match after {
        None => 0,
        Some(after) => match sorted.iter().position(|object| cursor(object) == after) {
            Some(at) => at + 1,
            None => {
                return Err(Problem::invalid(format!(
                    "nothing called `{}` to go on after",
                    after.chars().take(128).collect::<String>()
                )));
            }
        },
    };
    let more = sorted.len() > skip + limit;
    let data: Vec<T> = sorted.into_iter().skip(skip).take(limit).collect();
    let next = data
        .last()
        .filter(|_| more)
        .map(|object| cursor(object).to_owned());
    Ok(Page { data, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(after: Option<&str>, limit: usize, want: (&[&str], Option<&str>)) {
        let page = cut(vec!["a", "b", "c"], after, limit, |name| name).unwrap();
        assert_eq!((page.data.as_slice(), page.next.as_deref()), want);
    }

    #[test]
    fn pages_follow_each_other_and_the_last_says_so() {
        check(None, 2, (&["a", "b"], Some("b")));
        check(Some("b"), 2, (&["c"], None));
        check(None, 3, (&["a", "b", "c"], None));
        check(Some("c"), 2, (&[], None));
    }

    #[test]
    fn a_cursor_of_nothing_and_a_limit_of_nothing_are_refused() {
        assert!(cut(vec!["a"], Some("z"), 2, |name| name).is_err());
        assert_eq!(limit(None).unwrap(), 100);
        assert_eq!(limit(Some(1_000)).unwrap(), 1_000);
        assert!(limit(Some(0)).is_err());
        assert!(limit(Some(1_001)).is_err());
    }
}
