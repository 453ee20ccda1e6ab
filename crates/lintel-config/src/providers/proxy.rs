//! A provider's `proxy`: as it is written, else as the environment says.

use lintel_wire::provider::ProviderConfig;

use super::Sources;
use crate::base_url::BaseUrl;
use crate::path::Path;
use crate::problem::Report;
use crate::proxy::{self, Proxy};
use crate::secret;

/// What stands for no proxy, whatever the environment says.
const OFF: &str = "off";

/// The proxy on the way to `base`, which is the provider's or its token endpoint's. None when what was written can't
/// be followed, which has been reported.
pub(super) fn resolve(
    config: &ProviderConfig,
    base: &BaseUrl,
    path: &Path,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Option<Option<Proxy>> {
    let at = path.key("proxy");
    let Some(written) = config.proxy.as_deref() else {
        return proxy::of_environment(sources.env, base)
            .map_err(|(name, why)| {
                let text =
                    format!("environment variable {name}: {why}; or write `proxy: off` here");
                report.problem_at_key(path, text);
            })
            .ok();
    };
    if written == OFF {
        return Some(None);
    }
    let read = if secret::is_reference(written) {
        let followed = secret::follow(written, sources.env, sources.read);
        let (text, whence) = followed.map_err(|why| report.problem(&at, why)).ok()?;
        Proxy::parse(&text).map_err(|why| format!("{whence}: {why}"))
    } else {
        match Proxy::parse(written) {
            Ok(proxy) if proxy.authorization.is_some() => Err(
                "a password doesn't belong in this file: put the whole URL into an environment variable and write \"${NAME}\", or into a file and write \"file:/path\""
                    .to_owned(),
            ),
            read => read.map_err(|why| why.to_string()),
        }
    };
    read.map(Some).map_err(|why| report.problem(&at, why)).ok()
}
