//! Which proxy a cluster is reached through, by the rules of kubectl, which are those of Go: that of the kubeconfig always; that
//! of the environment neither for this machine nor for what `NO_PROXY` names. The library for requests compares `NO_PROXY`
//! with the address of the proxy instead of that of the cluster.

use http::Uri;
use ipnet::IpNet;
use kube::config::Kubeconfig;
use std::net::IpAddr;

/// What the caller's environment says of proxies.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// `HTTPS_PROXY`: the proxy of clusters whose kubeconfig names none.
    pub https: Option<String>,
    /// `NO_PROXY`: hosts, domains, addresses and networks that are reached without it, separated by commas.
    pub none: Option<String>,
}

impl Proxies {
    /// The proxy for a cluster; `of_kubeconfig` is the one that its kubeconfig names.
    ///
    /// # Errors
    /// That the address of the proxy is not a URL, or of no known kind. The address may hold a password, and is not shown.
    pub(super) fn choose(&self, of_kubeconfig: Option<&str>, cluster: &Uri) -> Result<Option<Uri>, String> {
        let address = match of_kubeconfig.filter(|address| !address.is_empty()) {
            Some(address) => address,
            None => match self.https.as_deref().filter(|address| !address.is_empty()) {
                Some(address) if cluster.scheme_str() == Some("https") && !self.spares(cluster) => address,
                _ => return Ok(None),
            },
        };
        // As in curl and Go, a proxy without a scheme is one for http.
        let with_scheme =
            if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
        let proxy: Uri =
            with_scheme.parse().map_err(|_| "the address of the proxy is not a URL".to_owned())?;
        match proxy.scheme_str() {
            Some("http" | "https" | "socks5") => Ok(Some(proxy)),
            _ => {
                Err("the address of the proxy begins with none of http://, https:// and socks5://".to_owned())
            }
        }
    }

    /// Whether a cluster is reached without the proxy of the environment.
    fn spares(&self, cluster: &Uri) -> bool {
        let host = cluster.host().unwrap_or_default().trim_matches(['[', ']']).to_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return true;
        }
        let port = cluster.port_u16().unwrap_or(443);
        let entries =
            self.none.as_deref().unwrap_or_default().split(',').map(|entry| entry.trim().to_lowercase());
        entries.filter(|entry| !entry.is_empty()).any(|entry| {
            if entry == "*" {
                return true;
            }
            if let Ok(network) = entry.parse::<IpNet>() {
                return address.is_some_and(|address| network.contains(&address));
            }
            let (name, of) = match entry.rsplit_once(':') {
                Some((name, of)) if !name.contains(':') || name.ends_with(']') => (name, Some(of)),
                _ => (entry.as_str(), None),
            };
            if of.is_some_and(|of| of != port.to_string()) {
                return false;
            }
            let name = name.trim_matches(['[', ']']);
            if let Ok(named) = name.parse::<IpAddr>() {
                return address == Some(named);
            }
            // `.example.com` and `*.example.com` are what is below it; `example.com` is it, too.
            let below = name.trim_start_matches('*');
            if below.starts_with('.') {
                host.ends_with(below)
            } else {
                host == below || host.ends_with(&format!(".{below}"))
            }
        })
    }
}

/// The proxy that a kubeconfig names for the cluster of a context, or of the current one.
pub(super) fn of_kubeconfig(config: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let context = context.or(config.current_context.as_deref())?;
    let context = config.contexts.iter().find(|named| named.name == context)?.context.as_ref()?;
    let cluster = config.clusters.iter().find(|named| named.name == context.cluster)?;
    cluster.cluster.as_ref()?.proxy_url.clone()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::Proxies;

    fn chosen(none: &str, cluster: &str) -> bool {
        let proxies = Proxies { https: Some("proxy.corp:3128".to_owned()), none: Some(none.to_owned()) };
        let proxy = proxies.choose(None, &cluster.parse().unwrap()).unwrap();
        proxy.is_some_and(|proxy| {
            assert_eq!(proxy.to_string(), "http://proxy.corp:3128/");
            true
        })
    }

    #[test]
    fn the_proxy_of_the_environment_spares_this_machine_and_what_is_named() {
        let spared = [
            ("", "https://127.0.0.1:6443"),
            ("", "https://localhost:6443"),
            ("", "https://[::1]:6443"),
            ("", "http://cluster.example.com"),
            ("*", "https://cluster.example.com"),
            ("other.org, example.com", "https://cluster.example.com:6443"),
            ("EXAMPLE.com", "https://example.com"),
            (".example.com", "https://cluster.example.com"),
            ("*.example.com", "https://cluster.example.com"),
            ("example.com:6443", "https://cluster.example.com:6443"),
            ("10.0.0.0/8", "https://10.1.2.3:6443"),
            ("10.1.2.3", "https://10.1.2.3:6443"),
            ("10.1.2.3:6443", "https://10.1.2.3:6443"),
            ("fd00::/8", "https://[fd00::1]:6443"),
            ("fd00::1", "https://[fd00::1]"),
            ("[fd00::1]:443", "https://[fd00::1]"),
        ];
        for (none, cluster) in spared {
            assert!(!chosen(none, cluster), "{none}: {cluster}");
        }
        let sent = [
            ("", "https://cluster.example.com:6443"),
            (",", "https://cluster.example.com"),
            // The proxy itself is not what is reached.
            ("proxy.corp", "https://cluster.example.com"),
            (".example.com", "https://example.com"),
            ("ample.com", "https://example.com"),
            ("example.com:443", "https://example.com:6443"),
            ("10.0.0.0/8", "https://11.1.2.3"),
            ("10.1.2.3:443", "https://10.1.2.3:6443"),
        ];
        for (none, cluster) in sent {
            assert!(chosen(none, cluster), "{none}: {cluster}");
        }
    }

    #[test]
    fn the_proxy_of_a_kubeconfig_is_always_used() {
        let proxies = Proxies { https: None, none: Some("*".to_owned()) };
        let cluster = "https://127.0.0.1:6443".parse().unwrap();
        let proxy = proxies.choose(Some("socks5://127.0.0.1:1080"), &cluster).unwrap();
        assert_eq!(proxy.unwrap().to_string(), "socks5://127.0.0.1:1080/");
        assert_eq!(proxies.choose(Some(""), &cluster).unwrap(), None);
        for wrong in ["http://alice:planted@a b", "ftp://alice:planted@proxy.corp"] {
            let error = proxies.choose(Some(wrong), &cluster).unwrap_err();
            assert!(error.contains("the address of the proxy") && !error.contains("planted"), "{error}");
        }
    }
}
