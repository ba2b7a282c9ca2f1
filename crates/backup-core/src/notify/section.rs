//! `[notify]` of the configuration file.

use std::ffi::OsString;

use super::hook::Hook;
use super::notifier::{Notifier, NotifyOptions};
use super::ping::{Ping, PingError};
use crate::config::NotifySection;

impl Notifier {
    /// The notifier that the configuration file describes. `environment` is the caller's: hooks get a little of it, and pings go through the proxy that it names.
    ///
    /// # Errors
    /// When the ping URL or the proxy is not one.
    pub fn from_section(
        section: &NotifySection,
        environment: Vec<(OsString, OsString)>,
    ) -> Result<Self, PingError> {
        let ping = section
            .ping_url
            .as_ref()
            .map(|url| {
                let proxy = proxy_for(url.expose(), &environment);
                Ping::new(url.expose(), proxy.as_deref())
            })
            .transpose()?;
        Ok(Self::new(NotifyOptions {
            on_failure: Hook::from_list(&section.on_failure),
            on_partial: Hook::from_list(&section.on_partial),
            on_success: Hook::from_list(&section.on_success),
            ping,
            environment,
        }))
    }
}

/// The proxy that the environment names for `url`: `https_proxy` and its like, unless `no_proxy` has the host.
fn proxy_for(url: &str, environment: &[(OsString, OsString)]) -> Option<String> {
    let variable = |name: &str| {
        [name.to_owned(), name.to_ascii_uppercase()]
            .iter()
            .find_map(|name| {
                let (_, value) = environment.iter().find(|(key, _)| key == name.as_str())?;
                value.to_str().filter(|value| !value.is_empty())
            })
    };
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?.rsplit('@').next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let excepted = variable("no_proxy").unwrap_or_default();
    let is_excepted = excepted.split(',').map(str::trim).any(|one| {
        let suffix = one.trim_start_matches("*.").trim_start_matches('.');
        one == "*"
            || (!suffix.is_empty()
                && host
                    .strip_suffix(suffix)
                    .is_some_and(|front| front.is_empty() || front.ends_with('.')))
    });
    let is_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    if is_excepted || is_local {
        return None;
    }
    variable(&format!("{scheme}_proxy"))
        .or_else(|| variable("all_proxy"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_the_proxy_unless_the_host_is_excepted() {
        let environment: Vec<(OsString, OsString)> = [
            ("HTTPS_PROXY", "http://proxy:3128"),
            ("no_proxy", "internal.example, .lan,10.0.0.7"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .to_vec();
        let proxy = |url| proxy_for(url, &environment);
        assert_eq!(
            proxy("https://ping.example/x").as_deref(),
            Some("http://proxy:3128")
        );
        assert_eq!(proxy("http://ping.example/x"), None);
        for local in [
            "https://internal.example:8443/x",
            "https://a.internal.example",
            "https://user:pw@nas.lan/x",
            "https://10.0.0.7/x",
            "https://localhost/x",
            "https://127.0.0.1:99/x",
        ] {
            assert_eq!(proxy(local), None, "{local}");
        }
        assert!(proxy("https://notinternal.example/").is_some());
    }
}
