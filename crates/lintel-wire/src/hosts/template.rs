//! Base URLs with gaps: `https://{location-}aiplatform.googleapis.com`.
//!
//! `{name}` stands for a value of the provider's configuration; `{name-}` for the value and a hyphen, or
//! for nothing when it is `global`, as Google's regional host names have it.

/// The names of a template's gaps.
pub fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    pieces(template).filter_map(|(_, gap)| gap.map(|g| g.trim_end_matches('-')))
}

/// Fills the gaps with what `value` says.
///
/// # Errors
/// The name of the first gap for which there is no value.
pub fn fill<'t, 'v>(
    template: &'t str,
    value: &dyn Fn(&str) -> Option<&'v str>,
) -> Result<String, &'t str> {
    let mut out = String::with_capacity(template.len() + 16);
    for (text, gap) in pieces(template) {
        out.push_str(text);
        let Some(gap) = gap else { continue };
        let name = gap.trim_end_matches('-');
        let value = value(name).ok_or(name)?;
        if gap == name {
            out.push_str(value);
        } else if value != "global" {
            out.push_str(value);
            out.push('-');
        }
    }
    Ok(out)
}

/// Text before each gap, and the gap; the last has none.
fn pieces(template: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = Some(template);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let Some((before, after)) = text.split_once('{') else {
            return Some((text, None));
        };
        let (gap, after) = after.split_once('}').unwrap_or((after, ""));
        rest = Some(after);
        Some((before, Some(gap)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, location: &str, expect: Result<&str, &str>) {
        let value = |name: &str| (name == "location").then_some(location);
        let filled = fill(template, &value);
        assert_eq!(filled.as_deref().map_err(|e| *e), expect, "{template}");
    }

    #[test]
    fn gaps_are_filled() {
        check("https://a.example/v1", "x", Ok("https://a.example/v1"));
        check(
            "https://a.{location}.b/{location}",
            "eu",
            Ok("https://a.eu.b/eu"),
        );
        check(
            "https://{location-}a.b/{location}",
            "eu",
            Ok("https://eu-a.b/eu"),
        );
        check(
            "https://{location-}a.b/{location}",
            "global",
            Ok("https://a.b/global"),
        );
        check("https://{resource}.b", "eu", Err("resource"));
        let names: Vec<_> = placeholders("a{x-}b{y}").collect();
        assert_eq!(names, ["x", "y"]);
        assert_eq!(placeholders("plain").count(), 0);
    }
}
